"""From a request to its endpoint: paths, methods, tenant and context, CORS, errors.

Paths are matched on what was sent, segment by segment, so that an encoded slash in an entity's id
or an attribute's IRI stays a part of it.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from onsil.hub.datasets.access import EVERYTHING
from onsil.hub.http.asking import preference
from onsil.hub.http.database import VIEW
from onsil.hub.http.door import Door, Visit
from onsil.hub.http.gate import (
    Problem,
    answer_problem,
    bad_data,
    bad_request,
    problem_response,
)
from onsil.hub.http.offered import reads

Endpoint = Callable[[Request], Awaitable[Response]]
# What the standard's operations take (§6.4 to §6.38); anything else is refused (§6.3.20).
PARAMETERS = frozenset((
    "aggrMethods", "aggrPeriodDuration", "attrs", "collation", "containedBy", "coordinates",
    "count", "csf", "datasetId", "deleteAll", "details", "drop", "endTimeAt", "entityMap",
    "entityMapLifetime", "expandValues", "format", "geometry", "geometryProperty", "geoproperty",
    "georel", "id", "idPattern", "instanceLimit", "join", "joinLevel", "jsonKeys", "keep", "kind",
    "lang", "lastN",
    "limit", "local", "observedAt", "offset", "omit", "options", "orderBy", "orderFrom",
    "orderGeometry", "pick", "q", "reload",
    "scopeQ", "splitEntities", "timeAt", "timeproperty", "timerel", "timezone", "type",
))  # fmt: skip
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
_EXPOSED = "Link, Location, NGSILD-Results-Count, NGSILD-Tenant, NGSILD-Warning, NGSILD-EntityMap"
_CORS = {"access-control-allow-origin": "*", "access-control-expose-headers": _EXPOSED}
_ASKABLE = "Accept, Authorization, Content-Type, Link, NGSILD-Tenant, NGSILD-EntityMap, Prefer"


@dataclass(slots=True)
class _Node:
    """One segment of the known paths."""

    literals: dict[str, "_Node"] = field(default_factory=dict)
    wild: "_Node | None" = None
    names: tuple[str, ...] = ()
    endpoints: dict[str, Endpoint] = field(default_factory=dict)


class Router:
    """An ASGI application of routes."""

    def __init__(self, door: Door, routes: Sequence[Route]) -> None:
        self._door = door
        self._root = _Node()
        for route in routes:
            node, names = self._root, []
            for segment in route.path.strip("/").split("/"):
                if segment.startswith("{"):
                    names.append(segment.strip("{}").split(":")[0])
                    node.wild = node = node.wild or _Node()
                else:
                    node = node.literals.setdefault(segment, _Node())
            node.names = tuple(names)
            for method in route.methods or ():
                if method != "HEAD":
                    node.endpoints.setdefault(method, route.endpoint)

    def _find(self, path: str) -> tuple[_Node, dict[str, str]] | None:
        """The node of a path and its values; a slash at its end does not count."""
        segments = path.lstrip("/").split("/")
        if len(segments) > 1 and not segments[-1]:
            segments.pop()
        node, values = self._root, []
        for segment in segments:
            literal = node.literals.get(segment)
            if literal is not None:
                node = literal
            elif node.wild is not None:
                node = node.wild
                values.append(unquote(segment))
            else:
                return None
        if not node.endpoints:
            return None
        return node, dict(zip(node.names, values, strict=True))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {name: value for name, value in scope["headers"]}
        response = await self._answer(scope, receive, send, headers)
        if b"ngsild-tenant" in headers:
            response.headers["NGSILD-Tenant"] = headers[b"ngsild-tenant"].decode("latin-1")
        if b"origin" in headers:
            response.headers.update(_CORS)
        if b"prefer" in headers and scope["method"] == "GET":
            wanted = preference(headers[b"prefer"].decode("latin-1"), "ngsi-ld")
            if wanted:
                response.headers["Preference-Applied"] = f"ngsi-ld={wanted}"
        if scope["method"] == "HEAD":
            response.body = b""
        await response(scope, receive, send)

    async def _answer(
        self, scope: Scope, receive: Receive, send: Send, headers: dict[bytes, bytes]
    ) -> Response:
        try:
            raw = scope.get("raw_path") or scope["path"].encode()
            path = raw.split(b"?", 1)[0]
            found = self._find(path.decode("latin-1"))
            if found is None:
                raise Problem(404, "ResourceNotFound", "There is nothing at this path")
            node, scope["path_params"] = found
            method = scope["method"]
            endpoint = node.endpoints.get("GET" if method == "HEAD" else method)
            if endpoint is None:
                if method in ("PUT", "PATCH") and raw.endswith(b"/entities/"):
                    raise bad_data("the entity's id is missing")
                return _without(node, method)
            if method in _WITH_BODY and b"content-length" not in headers:
                raise Problem(411, "")
            if scope["query_string"]:
                _check_parameters(scope["query_string"])
            scope["visit"] = await self._visit(scope, headers)
            request = Request(scope, receive, send)
            VIEW.set(await self._door.view(request) if reads(method, path) else EVERYTHING)
            return await endpoint(request)
        except Exception as error:
            return answer_problem(error)

    async def _visit(self, scope: Scope, headers: dict[bytes, bytes]) -> Visit:
        """Who is asked for, and by which context. Raises Problem or ContextError."""
        tenant = headers.get(b"ngsild-tenant")
        visit = await self._door.visit(tenant.decode("latin-1") if tenant else None)
        if b"link" in headers:
            links = [v.decode("latin-1") for name, v in scope["headers"] if name == b"link"]
            await self._door.follow(visit, ",".join(links))
        return visit


def _check_parameters(query: bytes) -> None:
    for name, _ in parse_qsl(query.decode("latin-1"), keep_blank_values=True):
        if name not in PARAMETERS:
            raise bad_request(f"there is no parameter {name[:40]!r}")


def _without(node: _Node, method: str) -> Response:
    """What a path answers to a method it has no endpoint for."""
    methods = {*node.endpoints, "OPTIONS"} | ({"HEAD"} if "GET" in node.endpoints else set())
    allowed = ", ".join(sorted(methods))
    if method == "OPTIONS":
        return Response(status_code=204, headers={
            "Allow": allowed, "Access-Control-Allow-Methods": allowed,
            "Access-Control-Allow-Headers": _ASKABLE, "Access-Control-Max-Age": "600",
        })  # fmt: skip
    return problem_response(
        Problem(405, "OperationNotSupported", "This method is not for this path", Allow=allowed)
    )
