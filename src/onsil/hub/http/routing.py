"""From a request to its endpoint: paths, methods, tenant and context, CORS, errors.

Paths are matched on what was sent, segment by segment, so that an encoded slash in an entity's id
or an attribute's IRI stays a part of it.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from urllib.parse import unquote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from onsil.hub.http.asking import link_context
from onsil.hub.http.door import Door, Visit
from onsil.hub.http.gate import Problem, answer_problem, problem_response

Endpoint = Callable[[Request], Awaitable[Response]]
_EXPOSED = "Link, Location, NGSILD-Results-Count, NGSILD-Tenant, NGSILD-Warning"
_CORS = {"access-control-allow-origin": "*", "access-control-expose-headers": _EXPOSED}


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
                node.endpoints.setdefault(method, route.endpoint)

    def _find(self, path: str) -> tuple[_Node, dict[str, str]] | None:
        node, values = self._root, []
        for segment in path.lstrip("/").split("/"):
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
        raw = scope.get("raw_path") or scope["path"].encode()
        found = self._find(raw.split(b"?", 1)[0].decode("latin-1"))
        response = await self._answer(scope, receive, send, found)
        if any(name == b"origin" for name, _ in scope["headers"]):
            response.headers.update(_CORS)
        await response(scope, receive, send)

    async def _answer(
        self, scope: Scope, receive: Receive, send: Send,
        found: tuple[_Node, dict[str, str]] | None,
    ) -> Response:  # fmt: skip
        try:
            if found is None:
                raise Problem(404, "ResourceNotFound", "There is nothing at this path")
            node, scope["path_params"] = found
            method = scope["method"]
            endpoint = node.endpoints.get(method)
            if endpoint is None:
                return _without(node, method)
            scope["visit"] = visit = await self._visit(scope["headers"])
            response = await endpoint(Request(scope, receive, send))
            if visit.tenant != self._door.gate.default_city:
                response.headers["NGSILD-Tenant"] = visit.tenant
            return response
        except Exception as error:
            return answer_problem(error)

    async def _visit(self, headers: Sequence[tuple[bytes, bytes]]) -> Visit:
        """Who is asked for, and by which context. Raises Problem or ContextError."""
        tenant, links = None, []
        for name, value in headers:
            if name == b"ngsild-tenant":
                tenant = value.decode("latin-1")
            elif name == b"link":
                links.append(value.decode("latin-1"))
        visit = Visit(self._door.gate.checked_city(tenant))
        url = link_context(",".join(links)) if links else None
        if url:
            visit.context = await self._door.contexts.resolve(url, visit.tenant)
            visit.context_url = url
        return visit


def _without(node: _Node, method: str) -> Response:
    """What a path answers to a method it has no endpoint for."""
    allowed = ", ".join(sorted({*node.endpoints, "OPTIONS"}))
    if method == "OPTIONS":
        return Response(status_code=204, headers={
            "Allow": allowed, "Access-Control-Allow-Methods": allowed,
            "Access-Control-Allow-Headers": "Authorization, Content-Type, Link, NGSILD-Tenant",
            "Access-Control-Max-Age": "600",
        })  # fmt: skip
    return problem_response(
        Problem(405, "OperationNotSupported", "This method is not for this path", Allow=allowed)
    )
