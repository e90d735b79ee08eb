"""/openapi.json: the door's operations as an OpenAPI 3.1 document."""

from functools import cache
from typing import Any, NamedTuple

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from onsil.hub.http.asking import GEO_JSON, JSON, JSON_LD, LIMIT_MAX, MERGE_PATCH
from onsil.hub.http.door import PREFIX, Door

_PAGE = ("limit", "offset", "count")
_FORM = ("options", "format", "lang")
_SHOWN = ("attrs", "pick", "omit", "datasetId")
_SELECTED = ("id", "type", "idPattern")
_PLACE = ("georel", "geometry", "coordinates", "geoproperty")
_LINKED = ("join", "joinLevel", "containedBy")
_ORDER = ("orderBy", "collation", "orderFrom", "orderGeometry")
_MAP = ("entityMap", "entityMapLifetime")
_FOUND = (*_SELECTED, "q", "csf", "scopeQ", *_PLACE, "expandValues", "jsonKeys", "splitEntities")
_TIME = ("timerel", "timeAt", "endTimeAt", "timeproperty", "lastN", "aggrMethods",
         "aggrPeriodDuration")  # fmt: skip
_INTEGERS = {"limit": (0, LIMIT_MAX), "offset": (0, 10_000_000), "lastN": (1, 10_000)}
_FLAGS = frozenset(
    ("count", "local", "details", "deleteAll", "reload", "splitEntities", "entityMap")
)


class Operation(NamedTuple):
    """One method of one path: what it does, its parameters, its body's types, its answers."""

    summary: str
    answers: tuple[int, ...]
    parameters: tuple[str, ...] = ()
    body: tuple[str, ...] = ()


_SENT = (JSON, JSON_LD)
_PATCHED = (JSON, JSON_LD, MERGE_PATCH)
_DONE = (204, 207)
_ATTRIBUTES = (204, 207)

OPERATIONS: dict[str, dict[str, Operation]] = {
    "/entities": {
        "get": Operation("Query entities", (200, 201, 203),
                         (*_FOUND, *_SHOWN, *_FORM, *_PAGE, *_LINKED, *_ORDER, *_MAP, "local",
                          "geometryProperty")),
        "post": Operation("Create an entity", (201, 207, 409), ("local",), _SENT),
        "delete": Operation("Purge entities", _DONE, (*_FOUND, "attrs", "drop", "keep", "local")),
    },
    "/entities/{id}": {
        "get": Operation("Retrieve an entity", (200, 203),
                         ("type", *_SHOWN, *_FORM, *_LINKED, *_MAP, "local", "geometryProperty")),
        "put": Operation("Replace an entity", _DONE, ("type", "local"), _SENT),
        "patch": Operation("Merge an entity", _DONE,
                           ("type", "options", "format", "lang", "observedAt", "local"), _PATCHED),
        "delete": Operation("Delete an entity", _DONE, ("type", "local")),
    },
    "/entities/{id}/attrs": {
        "post": Operation("Append attributes", _ATTRIBUTES, ("type", "options", "local"), _SENT),
        "patch": Operation("Update attributes", _ATTRIBUTES, ("type", "local"), _PATCHED),
    },
    "/entities/{id}/attrs/{attribute}": {
        "patch": Operation("Update an attribute in part", _ATTRIBUTES, ("type", "local"), _PATCHED),
        "put": Operation("Replace an attribute", _ATTRIBUTES, ("type", "local"), _SENT),
        "delete": Operation("Delete an attribute", _ATTRIBUTES,
                            ("type", "datasetId", "deleteAll", "local")),
    },
    "/entityOperations/create": {
        "post": Operation("Create a batch", (201, 207), ("local",), _SENT)},
    "/entityOperations/upsert": {
        "post": Operation("Create or update a batch", (201, 204, 207), ("options", "local"), _SENT)
    },
    "/entityOperations/update": {
        "post": Operation("Update a batch", _DONE, ("options", "local"), _SENT)},
    "/entityOperations/merge": {"post": Operation("Merge a batch", _DONE, ("local",), _SENT)},
    "/entityOperations/delete": {"post": Operation("Delete a batch", _DONE, ("local",), _SENT)},
    "/entityOperations/query": {
        "post": Operation("Query entities by a Query", (200, 201, 203),
                          (*_FORM, *_PAGE, *_MAP, "local"), _SENT)},
    "/entityMaps": {
        "get": Operation("Make a map of a query's entities", (201,),
                         (*_FOUND, "attrs", "datasetId", *_LINKED[:2], *_ORDER, _MAP[1], "local")),
        "post": Operation("Make a map of a Query's entities", (201,), (_MAP[1], "local"), _SENT),
    },
    "/entityMaps/{id}": {
        "get": Operation("Retrieve a map", (200,)),
        "patch": Operation("Set a map's end", (204,), (), _PATCHED),
        "delete": Operation("Delete a map", (204,)),
    },
    "/temporal/entityMaps": {
        "get": Operation("Make a map of a temporal query's entities", (201,),
                         (*_FOUND, "attrs", "datasetId", *_TIME[:5], _MAP[1], "local")),
        "post": Operation("Make a map of a temporal Query's entities", (201,),
                          (_MAP[1], "local"), _SENT),
    },
    "/types": {"get": Operation("List entity types", (200,), ("details", "local", "count"))},
    "/types/{type}": {"get": Operation("Tell of an entity type", (200,), ("local",))},
    "/attributes": {"get": Operation("List attributes", (200,), ("details", "local", "count"))},
    "/attributes/{attribute}": {"get": Operation("Tell of an attribute", (200,), ("local",))},
    "/temporal/entities": {
        "get": Operation("Query the temporal evolution", (200, 201, 206),
                         (*_FOUND, *_SHOWN, *_FORM, *_PAGE, *_TIME, *_MAP, "local")),
        "post": Operation("Create or add to a temporal evolution", (201, 204), (), _SENT),
    },
    "/temporal/entities/{id}": {
        "get": Operation("Retrieve a temporal evolution", (200, 206),
                         (*_SHOWN, *_FORM, *_TIME, *_MAP, "local")),
        "delete": Operation("Delete a temporal evolution", (204,)),
    },
    "/temporal/entities/{id}/attrs": {
        "post": Operation("Add attribute instances", (204,), (), _SENT)},
    "/temporal/entities/{id}/attrs/{attribute}": {
        "delete": Operation("Delete an attribute's evolution", (204,),
                            ("datasetId", "deleteAll"))},
    "/temporal/entities/{id}/attrs/{attribute}/{instance}": {
        "patch": Operation("Change an attribute instance", (204,), (), _PATCHED),
        "delete": Operation("Delete an attribute instance", (204,)),
    },
    "/temporal/entityOperations/query": {
        "post": Operation("Query the temporal evolution by a Query", (200, 201, 206),
                          (*_FORM, *_PAGE, *_MAP), _SENT)},
    "/jsonldContexts": {
        "get": Operation("List contexts", (200,), ("details", "kind")),
        "post": Operation("Host a context", (201,), (), _SENT),
    },
    "/jsonldContexts/{id}": {
        "get": Operation("Serve a context", (200,), ("details",)),
        "delete": Operation("Delete or reload a context", (204,), ("reload",)),
    },
    "/csourceRegistrations": {
        "get": Operation("Query context source registrations", (200,),
                         (*_FOUND, "attrs", "datasetId", *_TIME[:4], *_PAGE, "options")),
        "post": Operation("Register a context source", (201, 409), (), _SENT),
    },
    "/csourceRegistrations/{id}": {
        "get": Operation("Retrieve a registration", (200,), ("options",)),
        "patch": Operation("Change a registration", (204, 409), (), _PATCHED),
        "delete": Operation("Remove a registration", (204,)),
    },
    "/info/sourceIdentity": {"get": Operation("Tell who this broker is", (200,))},
    "/openapi.json": {"get": Operation("This document", (200,))},
}  # fmt: skip
for _path, _what in (("subscriptions", "entities"), ("csourceSubscriptions", "context sources")):
    OPERATIONS[f"/{_path}"] = {
        "get": Operation(f"List subscriptions to {_what}", (200,), (*_PAGE, "options")),
        "post": Operation(f"Subscribe to {_what}", (201, 409), (), _SENT),
    }
    OPERATIONS[f"/{_path}/{{id}}"] = {
        "get": Operation("Retrieve a subscription", (200,), ("options",)),
        "patch": Operation("Change a subscription", (204,), (), _PATCHED),
        "delete": Operation("Delete a subscription", (204,)),
    }
# What any operation may answer, by what it is.
_ALWAYS = (400, 401, 403, 404, 406, 503, 504)
_WITH_BODY = (409, 411, 413, 415, 422)
_WRITING = (409, 422, 502, 508)


def routes(_door: Door) -> list[Route]:
    """The route of the document."""

    async def serve(_: Request) -> Response:
        """GET /openapi.json."""
        return Response(orjson.dumps(document()), media_type=JSON)

    return [Route(f"{PREFIX}/openapi.json", serve, methods=["GET"])]


@cache
def document() -> dict[str, Any]:
    """The OpenAPI document."""
    paths = {
        path: {method: _operation(path, method, one) for method, one in methods.items()}
        for path, methods in sorted(OPERATIONS.items())
    }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "NGSI-LD",
            "version": "1.9.1",
            "description": "ETSI GS CIM 009 V1.9.1 at this broker.",
        },
        "servers": [{"url": PREFIX}],
        "paths": paths,
        "components": {
            "schemas": {
                "ProblemDetails": {
                    "type": "object",
                    "required": ["type", "title"],
                    "properties": {
                        "type": {"type": "string"},
                        "title": {"type": "string"},
                        "detail": {"type": "string"},
                        "status": {"type": "integer"},
                    },
                }
            },
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(path: str, method: str, one: Operation) -> dict[str, Any]:
    names = [part.strip("{}") for part in path.split("/") if part.startswith("{")]
    made: dict[str, Any] = {
        "summary": one.summary,
        "operationId": f"{method}{path.replace('/', '_').replace('{', '').replace('}', '')}",
        "parameters": [
            *({"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
              for name in names),
            *({"name": name, "in": "query", "schema": _schema(name)} for name in one.parameters),
            {"name": "NGSILD-Tenant", "in": "header", "schema": {"type": "string"}},
            {"name": "Link", "in": "header", "schema": {"type": "string"}},
        ],
        "responses": {str(status): _answer(status) for status in _answers(method, one)},
    }  # fmt: skip
    if one.body:
        kind = (
            "array" if path.startswith("/entityOperations/") and "query" not in path else "object"
        )
        content = {media: {"schema": {"type": kind}} for media in one.body}
        made["requestBody"] = {"required": True, "content": content}
    if method != "get" and not path.endswith("/query") and "entityMaps" not in path:
        made["security"] = [{"token": []}, {}]
    return made


def _answers(method: str, one: Operation) -> list[int]:
    more = (_WRITING if method != "get" else ()) + (_WITH_BODY if one.body else ())
    return sorted({*one.answers, *_ALWAYS, *more})


def _answer(status: int) -> dict[str, Any]:
    if status >= 400:
        schema = {"$ref": "#/components/schemas/ProblemDetails"}
        return {"description": "Refused", "content": {JSON: {"schema": schema}}}
    if status in (201, 204):
        return {"description": "Done"}
    return {"description": "Done", "content": {m: {} for m in (JSON, JSON_LD, GEO_JSON)}}


def _schema(name: str) -> dict[str, Any]:
    if name in _INTEGERS:
        low, high = _INTEGERS[name]
        return {"type": "integer", "minimum": low, "maximum": high}
    return {"type": "boolean"} if name in _FLAGS else {"type": "string"}
