"""/jsonldContexts: adding, listing, serving, deleting and reloading contexts (§5.13, §6.29, §6.30).

Hosted and implicitly created contexts are their tenant's alone; Cached ones, copies of public
documents, are everyone's.
"""

from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from onsil.hub.contexts import ContextError
from onsil.hub.contexts.compiled import compile_parts, local_parts
from onsil.hub.contexts.core import IS_CORE
from onsil.hub.contexts.library import SIZE_MAX
from onsil.hub.contexts.resolving import PATH, Entry
from onsil.hub.documents import time_text
from onsil.hub.http.asking import JSON, JSON_LD, content_type
from onsil.hub.http.door import PREFIX, Door
from onsil.hub.http.gate import Problem, bad_data, bad_request, not_found, parse_json, read_body

KINDS = ("Hosted", "Cached", "ImplicitlyCreated")


def routes(door: Door) -> list[Route]:
    """The routes of contexts."""
    resource = _Resource(door)
    one = f"{PREFIX}/jsonldContexts/{{id}}"
    return [
        Route(f"{PREFIX}/jsonldContexts", resource.add, methods=["POST"]),
        Route(f"{PREFIX}/jsonldContexts", resource.entries, methods=["GET"]),
        Route(one, resource.serve, methods=["GET"]),
        Route(one, resource.delete, methods=["DELETE"]),
    ]


class _Resource:
    def __init__(self, door: Door) -> None:
        self.door = door

    async def add(self, request: Request) -> Response:
        """POST /jsonldContexts: 201 with the context's place (§5.13.2)."""
        writer = await self.door.manager(request)
        content_type(request, (JSON, JSON_LD))
        raw = await read_body(request)
        if len(raw) > SIZE_MAX:
            raise bad_data(f"a context has at most {SIZE_MAX} bytes")
        document = parse_json(raw)
        if not isinstance(document, dict) or "@context" not in document:
            raise bad_request("a JSON object with an @context is wanted")
        check(document["@context"])
        made = await self.door.contexts.add(document, writer.city)
        return Response(status_code=201, headers={"Location": PATH + made})

    async def entries(self, request: Request) -> Response:
        """GET /jsonldContexts: URLs, or metadata with details=true (§5.13.3)."""
        details = _flag(request, "details")
        kind = request.query_params.get("kind")
        if kind is not None and kind not in KINDS:
            raise bad_data(f"kind is one of {', '.join(KINDS)}")
        found = await self.door.contexts.entries(_tenant(request))
        shown = [entry for entry in found if kind in (None, entry.kind)]
        address = address_of(request)
        return _json([_metadata(e, address) if details else _url(e, address) for e in shown])

    async def serve(self, request: Request) -> Response:
        """GET /jsonldContexts/{id}: the context, or its metadata with details=true (§5.13.4)."""
        key, details = request.path_params["id"], _flag(request, "details")
        found = await self.door.contexts.find(key, _tenant(request))
        if found is None:
            raise not_found(f"there is no context {key[:200]}")
        entry, document = found
        self.door.contexts.served(entry)
        if details:
            return _json(_metadata(entry, address_of(request)))
        if entry.kind == "Cached":
            raise Problem(
                422, "OperationNotSupported", "A cached context is not served",
                f"It is at {entry.url}.",
            )  # fmt: skip
        return _json({"@context": document["@context"]})

    async def delete(self, request: Request) -> Response:
        """DELETE /jsonldContexts/{id}, or with reload=true its content anew (§5.13.5)."""
        writer = await self.door.manager(request, creates=True)
        key, reload = request.path_params["id"], _flag(request, "reload")
        found = await self.door.contexts.find(key, writer.city)
        if found is None:
            missing = f"there is no context {key[:200]}"
            raise bad_data(missing) if reload else not_found(missing)
        entry = found[0]
        if reload:
            if entry.kind != "Cached":
                raise bad_data(f"a context of kind {entry.kind} has nowhere to be loaded from")
            await self.door.contexts.reload(entry)
        elif entry.url is not None and IS_CORE(entry.url):
            raise bad_data("the core context stays")
        else:
            await self.door.contexts.remove(entry, writer.city)
        return Response(status_code=204)


def check(context: Any) -> None:
    """Whether a value can be an @context, its URLs not followed. Raises ContextError."""
    parts = local_parts(context)
    if context is None:
        raise ContextError("a context is a URL, an object or a list of these")
    compile_parts(part for part in parts if isinstance(part, dict))


def address_of(request: Request) -> str:
    """The broker's address as the request knows it."""
    return f"{request.url.scheme}://{request.url.netloc}"


def _tenant(request: Request) -> str:
    """The tenant asked for, there or not: one that is not there has no contexts of its own."""
    return request.scope["visit"].tenant


def _flag(request: Request, name: str) -> bool:
    value = request.query_params.get(name, "false").lower()
    if value not in ("true", "false"):
        raise bad_data(f"{name} is true or false")
    return value == "true"


def _url(entry: Entry, address: str) -> str:
    return entry.url or address + PATH + entry.id


def _metadata(entry: Entry, address: str) -> dict[str, Any]:
    made = {
        "URL": _url(entry, address),
        "localId": entry.id,
        "kind": entry.kind,
        "createdAt": time_text(entry.created_at),
        "numberOfHits": entry.usage.hits,
    }
    if entry.expires_at is not None:
        made["expiresAt"] = time_text(entry.expires_at)
    if entry.usage.last is not None:
        made["lastUsage"] = time_text(entry.usage.last)
    return made


def _json(content: Any) -> Response:
    return Response(orjson.dumps(content), media_type=JSON)
