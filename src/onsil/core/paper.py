"""Pages drawn as tagged PDF (PDF/UA-1, ISO 14289-1); nothing is fetched while one is made."""

from typing import Any

from onsil.core.refusal import OperationError


def render(source: str) -> bytes:
    """A tagged PDF of a page that names no other file.

    Raises OperationError when the machine lacks the drawing library (Debian: libpango-1.0-0,
    libpangoft2-1.0-0, libharfbuzz-subset0).
    """
    try:
        from weasyprint import HTML
    except OSError as error:
        raise OperationError(
            "PDF needs Debian's libpango-1.0-0, libpangoft2-1.0-0 and libharfbuzz-subset0: "
            f"{error}",
            retry=False,
        ) from error
    made = HTML(string=source, url_fetcher=_nothing_from_outside).write_pdf(pdf_variant="pdf/ua-1")
    assert isinstance(made, bytes)
    return made


def _nothing_from_outside(url: str, *_: Any, **__: Any) -> Any:
    raise ValueError(f"a page of paper fetches nothing: {url}")
