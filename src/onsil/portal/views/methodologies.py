"""The methodologies for everybody: which there are, and how each comes to its tonnes."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, localcontext

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from onsil import footprint
from onsil.core.refusal import Refusal
from onsil.footprint.engine import ARITHMETIC
from onsil.footprint.factors import CoefficientTable, FactorSet, shipped_library
from onsil.footprint.methodologies import Methodology, creditable, pages, tables_of
from onsil.footprint.methodologies.sheets import sheet
from onsil.footprint.terms import Outcome


@dataclass(frozen=True)
class Line:
    """A methodology in its newest version, and how many there are."""

    made: Methodology
    versions: tuple[str, ...]
    creditable: bool

    @property
    def inputs(self) -> list[str]:
        return [one.name for one in (*self.made.ROLES, *tables_of(self.made))]


def korean() -> bool:
    return not (get_language() or "ko").startswith("en")


def versions_of(code: str) -> tuple[str, ...]:
    return tuple(one.VERSION for one in footprint.methodologies() if code == one.ID)


@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """Every methodology by name; `?q=` looks in names and codes."""
    wanted = request.GET.get("q", "").strip()[:100]
    newest = {one.ID: one for one in footprint.methodologies()}
    lines = [
        Line(one, versions_of(one.ID), creditable(one))
        for one in newest.values()
        if wanted.casefold() in f"{one.ID} {one.TITLE_KO} {one.TITLE_EN}".casefold()
    ]
    return render(
        request,
        "portal/methodologies.html",
        {"lines": lines, "text": wanted, "korean": korean()},
    )


@require_safe
def detail(request: HttpRequest, code: str, version: str | None = None) -> HttpResponse:
    """One methodology, in its newest version unless one is named."""
    made = _found(code, version)
    said = sheet(made, korean())
    coefficients = made.worked_example().inputs.coefficients
    return render(
        request,
        "portal/methodology.html",
        {
            **said,
            "made": made,
            "versions": versions_of(code),
            "known": list(_known(made)),
            "korean": korean(),
            "published": [_published(one) for one in coefficients.values()],
            "share": said["example"].outcome.uncertainty,
            "parts": list(_parts(said["example"].outcome)),
        },
    )


@require_safe
def markdown(request: HttpRequest, code: str, version: str) -> HttpResponse:
    """The methodology's page as a file."""
    made = _found(code, version)
    answer = HttpResponse(pages.page(made), content_type="text/markdown; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{made.ID}-{made.VERSION}.md"'
    return answer


def _found(code: str, version: str | None) -> Methodology:
    made = footprint.methodology(code, version)
    if isinstance(made, Refusal):
        raise Http404
    return made


def _known(made: Methodology) -> Iterator[tuple[str, FactorSet]]:
    """The shipped factor sets that hold a factor it asks for, with their maturity."""
    for need in made.FACTORS:
        for boundary in need.boundaries:
            for held in shipped_library().sets:
                if held.factor(need.commodity, boundary) is not None:
                    yield need.commodity, held


def _parts(found: Outcome) -> Iterator[tuple[str, Decimal | None]]:
    """Each source of uncertainty in the reader's language, in per cent of the example's tonnes."""
    with localcontext(ARITHMETIC):
        for one in found.uncertainty.get("components", ()):
            relative = 100 * abs(one["half_width_t"]) / found.co2e_t if found.co2e_t else None
            name = one["ko"] if korean() else one["en"]
            yield name, None if relative is None else relative.quantize(Decimal("0.01"))


def _published(
    table: CoefficientTable,
) -> tuple[CoefficientTable, list[tuple[str, list[str], str]]]:
    """A table of coefficients with each row's texts and maturity; a cell not stated is a dash."""
    rows = [
        (key, [_cell(cells.get(name)) for name in table.columns], table.maturity_of(key))
        for key, cells in table.rows.items()
    ]
    return table, rows


def _cell(value: Decimal | str | None) -> str:
    return "–" if value is None else str(value)
