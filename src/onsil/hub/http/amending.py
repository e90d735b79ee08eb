"""Entities as answers, amended to the version of the standard that the client reads."""

from typing import Any

from starlette.responses import Response

from onsil.hub.documents.conforming import conform
from onsil.hub.http.asking import Asked, answer


def answer_entities(
    content: Any, form: Asked, status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    """Entities in the form asked for; 203 where they had to be amended (§4.3.6.8, §6.3.6)."""
    if form.version is None:
        return answer(content, form, status, headers)
    content, altered = conform(content, form.version)
    return answer(content, form, 203 if altered and status == 200 else status, headers)
