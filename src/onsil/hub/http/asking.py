"""What a request asks for: context, representation, filter, paging; and the answer's form."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import orjson
from starlette.requests import Request
from starlette.responses import Response

from onsil.hub.contexts import Context
from onsil.hub.documents import Representation
from onsil.hub.http.gate import JSON, Problem, bad_data, bad_request

LIMIT_MAX = 1000
JSON_LD = "application/ld+json"
GEO_JSON = "application/geo+json"
MERGE_PATCH = "application/merge-patch+json"
_LINK_REL = 'rel="http://www.w3.org/ns/json-ld#context"'
_FORMATS = {
    "normalized": "normalized", "concise": "concise", "simplified": "simplified",
    "keyValues": "simplified",
}  # fmt: skip

# `count` was an option once (V1.3.1) and still is with some clients.
_OPTIONS = frozenset(("sysAttrs", "temporalValues", "aggregatedValues", "count"))


class Asked(NamedTuple):
    """How the answer is wanted. `context_inside`: in the body, not in a Link header."""

    context: Context
    context_url: str
    representation: Representation
    json_ld: bool
    system: bool
    temporal_values: bool
    geo_json: bool = False
    context_inside: bool = False
    version: tuple[int, int] | None = None  # of the standard that the client reads (§4.3.6.8)

    @property
    def media(self) -> str:
        """The answer's media type."""
        return GEO_JSON if self.geo_json else JSON_LD if self.json_ld else JSON


def link_context(link: str) -> str | None:
    """The URL of a Link header's context, if there is one (§6.3.5)."""
    for part in link.split(","):
        if _LINK_REL in part.replace("'", '"') and part.strip().startswith("<"):
            return part.strip()[1:].split(">", 1)[0]
    return None


def how_wanted(request: Request, context: Context, context_url: str, *, geo: bool = False) -> Asked:
    """How the answer is wanted (§6.3.4, §6.3.6, §6.3.7). Raises Problem."""
    query, headers = request.query_params, request.headers
    return _wanted(
        context, context_url, query.get("options", ""), query.get("format", ""),
        headers.get("Accept") or "*/*", headers.get("Prefer", ""), geo,
    )  # fmt: skip


@lru_cache(256)
def _wanted(
    context: Context, context_url: str, given: str, form: str, accept: str, prefer: str, geo: bool
) -> Asked:
    options = given.split(",")
    unknown = next((o for o in options if o and o not in _FORMATS and o not in _OPTIONS), None)
    if unknown is not None:
        raise bad_request(f"there is no option {unknown[:40]!r}")
    form = form or next((o for o in options if o in _FORMATS), "normalized")
    representation: Representation = _FORMATS.get(form, "normalized")  # pyright: ignore
    if form not in _FORMATS and form not in ("temporalValues", "aggregatedValues"):
        raise bad_request(f"there is no format {form[:40]!r}")
    kind = media_type(accept, geo)
    if not kind:
        offered = [JSON, JSON_LD, *([GEO_JSON] if geo else ())]
        raise Problem(
            406, "InvalidRequest", "This form is not served", f"Available: {', '.join(offered)}"
        )
    inside = kind == JSON_LD
    if kind == GEO_JSON:
        inside = preference(prefer, "body") != "json"
    return Asked(
        context,
        context_url,
        representation,
        kind == JSON_LD,
        "sysAttrs" in options,
        "temporalValues" in options or form == "temporalValues",
        kind == GEO_JSON,
        inside,
        _version(preference(prefer, "ngsi-ld")) if prefer else None,
    )


def _version(text: str) -> tuple[int, int] | None:
    major, _, minor = text.partition(".")
    if len(text) < 8 and text.isascii() and major.isdigit() and minor.isdigit():
        return int(major), int(minor)
    return None


@lru_cache(256)
def media_type(accept: str, geo: bool) -> str:
    """Which of the representations an Accept header takes (RFC 9110 §12.5.1); empty for none.

    Of equal weights the first in the standard's list wins (§6.3.4).
    """
    ranges: dict[str, float] = {}
    for part in accept.split(","):
        name, *parameters = (piece.strip() for piece in part.split(";"))
        weight = 1.0
        for parameter in parameters:
            key, _, value = parameter.partition("=")
            if key.strip().lower() == "q":
                weight = _weight(value)
        ranges[name.lower()] = weight
    best, chosen = 0.0, ""
    for kind in (JSON, JSON_LD, *((GEO_JSON,) if geo else ())):
        for name in (kind, "application/*", "*/*"):
            if name in ranges:
                if ranges[name] > best:
                    best, chosen = ranges[name], kind
                break
    return chosen


def _weight(text: str) -> float:
    try:
        return min(1.0, max(0.0, float(text)))
    except ValueError:
        return 1.0


@lru_cache(256)
def preference(prefer: str, name: str) -> str:
    """The value of a preference in a Prefer header (RFC 7240), unquoted; empty without it."""
    for part in prefer.replace(";", ",").split(","):
        key, _, value = part.partition("=")
        if key.strip().lower() == name:
            return value.strip().strip('"')
    return ""


def content_type(request: Request, allowed: Sequence[str]) -> str:
    """The body's media type, without parameters. Raises Problem, a bare 415 (§6.3.4)."""
    kind = request.headers.get("Content-Type", JSON).split(";")[0].strip().lower()
    if kind not in allowed:
        raise Problem(415, "")
    return kind


def is_counted(request: Request) -> bool:
    """Whether the number of all that is found is wanted (§6.3.13)."""
    given = request.query_params
    return given.get("count") == "true" or "count" in given.get("options", "").split(",")


def flag(request: Request, name: str) -> bool:
    """A boolean among the query parameters. Raises Problem."""
    raw = request.query_params.get(name, "false")
    if raw not in ("true", "false"):
        raise bad_data(f"{name} is true or false")
    return raw == "true"


def listed(request: Request, name: str) -> list[str]:
    return [part for part in request.query_params.get(name, "").split(",") if part]


def number(request: Request, name: str, default: int, low: int, high: int) -> int:
    """A whole number among the query parameters. Raises Problem."""
    raw = request.query_params.get(name)
    if raw is None:
        return default
    if not raw.isascii() or not raw.isdigit() or not low <= int(raw) <= high:
        raise bad_request(f"{name} is a whole number from {low} to {high}")
    return int(raw)


def answer(
    content: Any, form: Asked, status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    """JSON with the context in a Link header, or JSON-LD with it in the body."""
    headers = dict(headers or {})
    if status == 207:
        return Response(orjson.dumps(content), status, headers, JSON)
    if form.context_inside:
        if isinstance(content, dict):
            content = {**content, "@context": form.context_url}
        elif isinstance(content, list):
            content = [{**one, "@context": form.context_url} for one in content]
    else:
        link = f'<{form.context_url}>; {_LINK_REL}; type="{JSON_LD}"'
        headers["Link"] = f"{headers['Link']}, {link}" if "Link" in headers else link
    return Response(orjson.dumps(content), status, headers, form.media)


def paging(request: Request, found: Sequence[Any], limit: int, offset: int) -> dict[str, str]:
    """The Link header to the pages before and after."""
    links = []
    for rel, at, there in (
        ("prev", max(0, offset - limit), offset > 0),
        ("next", offset + limit, len(found) == limit > 0),
    ):
        if there:
            url = request.url.include_query_params(offset=at, limit=limit)
            links.append(f'<{url.path.rstrip("/")}?{url.query}>; rel="{rel}"; type="{JSON}"')
    return {"Link": ", ".join(links)} if links else {}
