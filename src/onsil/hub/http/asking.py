"""What a request asks for: context, representation, filter, paging; and the answer's form."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import orjson
from starlette.requests import Request
from starlette.responses import Response

from onsil.hub.contexts import Context
from onsil.hub.documents import Representation
from onsil.hub.http.gate import Problem, bad_request

LIMIT_MAX = 1000
JSON = "application/json"
JSON_LD = "application/ld+json"
GEO_JSON = "application/geo+json"
_LINK_REL = 'rel="http://www.w3.org/ns/json-ld#context"'


class Asked(NamedTuple):
    """How the answer is wanted."""

    context: Context
    context_url: str
    representation: Representation
    json_ld: bool
    system: bool
    temporal_values: bool
    geo_json: bool = False
    context_inside: bool = False

    @property
    def media(self) -> str:
        return GEO_JSON if self.geo_json else JSON_LD if self.json_ld else JSON


def link_context(link: str) -> str | None:
    """The URL of a Link header's context, if there is one (§6.3.5)."""
    for part in link.split(","):
        if _LINK_REL in part and part.strip().startswith("<"):
            return part.strip()[1:].split(">", 1)[0]
    return None


def how_wanted(request: Request, context: Context, context_url: str) -> Asked:
    """How the answer is wanted. Raises Problem."""
    options = set(request.query_params.get("options", "").split(","))
    options.add(request.query_params.get("format", ""))
    representation: Representation = "normalized"
    if options & {"keyValues", "simplified"}:
        representation = "simplified"
    elif "concise" in options:
        representation = "concise"
    accept = request.headers.get("Accept", "*/*")
    media = _acceptable(accept)
    # A Feature carries its context unless `Prefer: body=json` asks for the Link header (§6.3.15).
    plain = "body=json" in request.headers.get("Prefer", "").replace(" ", "").split(",")
    return Asked(
        context,
        context_url,
        representation,
        media == JSON_LD,
        "sysAttrs" in options,
        "temporalValues" in options,
        media == GEO_JSON,
        media == GEO_JSON and not plain,
    )


def _acceptable(accept: str) -> str:
    """The media type served that an Accept header prefers (§6.3.6). Raises Problem 406."""
    best: tuple[float, int, str] | None = None
    for part in accept.split(","):
        name, *parameters = (p.strip() for p in part.split(";"))
        quality = 1.0
        for parameter in parameters:
            if parameter.startswith("q="):
                try:
                    quality = float(parameter[2:])
                except ValueError:
                    quality = 0.0
        served = {"*/*": JSON, "application/*": JSON, "": JSON}.get(name.lower(), name.lower())
        if served not in (JSON, JSON_LD, GEO_JSON) or quality <= 0:
            continue
        # Among equals the exact name goes before a wildcard, and JSON before the others.
        rank = (quality, 2 if served == JSON and name != "" else 1, served)
        if best is None or rank[:2] > best[:2]:
            best = rank
    if best is None:
        raise Problem(406, "InvalidRequest", f"Only {JSON}, {JSON_LD} and {GEO_JSON} are served")
    return best[2]


def content_type(request: Request, allowed: Sequence[str]) -> str:
    """The body's media type, without parameters. Raises Problem 415."""
    kind = request.headers.get("Content-Type", JSON).split(";")[0].strip().lower()
    if kind not in allowed:
        raise Problem(415, "InvalidRequest", f"The body is {' or '.join(allowed)}, not {kind}")
    return kind


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
    links = [headers["Link"]] if "Link" in headers else []
    if form.json_ld or form.context_inside:
        if isinstance(content, dict):
            content = {**content, "@context": form.context_url}
        elif isinstance(content, list):
            content = [{**one, "@context": form.context_url} for one in content]
    else:
        links.append(f'<{form.context_url}>; {_LINK_REL}; type="{JSON_LD}"')
    if links:
        headers["Link"] = ", ".join(links)
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
            links.append(f'<{url.path}?{url.query}>; rel="{rel}"; type="{JSON}"')
    return {"Link": ", ".join(links)} if links else {}
