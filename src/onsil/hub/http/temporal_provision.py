"""Writing the temporal evolution over HTTP: GS CIM 009 V1.9.1 §5.6.11 to §5.6.16."""

from collections.abc import Sequence
from typing import Any, Literal

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from onsil.core.refusal import OperationError
from onsil.hub.contexts import Context
from onsil.hub.documents import Instance, check_name, is_uri, parse_attribute
from onsil.hub.http.door import PREFIX, Door
from onsil.hub.http.gate import Problem, bad_data, not_found
from onsil.hub.http.providing import Here, provide
from onsil.hub.steps import Steps
from onsil.hub.temporal import provision
from onsil.hub.temporal.history import forget
from onsil.hub.temporal.instances import SCOPE
from onsil.hub.temporal.reading import find_known


def routes(door: Door) -> list[Route]:
    """The routes that change what the history tells."""
    base = f"{PREFIX}/temporal/entities"
    writing = _Writing(door)
    one, attr = f"{base}/{{id}}", f"{base}/{{id}}/attrs/{{attribute}}"
    return [
        Route(base, writing.create, methods=["POST"]),
        Route(one, writing.delete, methods=["DELETE"]),
        Route(f"{one}/attrs", writing.add, methods=["POST"]),
        Route(attr, writing.delete_attribute, methods=["DELETE"]),
        Route(f"{attr}/{{instance}}", writing.modify_instance, methods=["PATCH"]),
        Route(f"{attr}/{{instance}}", writing.delete_instance, methods=["DELETE"]),
    ]


class _Writing:
    """The operations, one method each."""

    def __init__(self, door: Door) -> None:
        self.door = door

    async def create(self, request: Request) -> Response:
        """POST /temporal/entities: 201 where the evolution begins, 204 where it goes on."""
        writer = await self.door.writer(request)
        body, context = await self.door.body(request)
        entity = provision.parse_temporal_entity(body, context)
        self.door.allow(writer, entity.uri)
        now = self.door.clock.now()
        location = f"{PREFIX}/temporal/entities/{entity.uri}"

        async def here(gone: frozenset[str]) -> Response:
            part = entity.without(gone)
            new = await self.door.db.write(
                writer.city, lambda: provision.create_or_update(writer.city, part, now)
            )
            if not new:
                return Response(status_code=204)
            return Response(status_code=201, headers={"Location": location})

        return await self._provide(
            request, writer.city, "upsertTemporal", entity.uri, entity.attributes, body, here,
            context=context, types=entity.types, created=location, result="batch",
        )  # fmt: skip

    async def add(self, request: Request) -> Response:
        """POST /temporal/entities/{id}/attrs."""
        uri = _uri(request)
        writer = await self.door.writer(request, creates=False)
        self.door.allow(writer, uri)
        body, context = await self.door.body(request)
        entity = provision.parse_temporal_entity(body, context, uri=uri)
        now = self.door.clock.now()

        async def here(gone: frozenset[str]) -> Response:
            part = entity.without(gone)
            return await self._done(
                writer.city, uri, lambda: provision.add_attributes(writer.city, part, now)
            )

        return await self._provide(
            request, writer.city, "appendAttrsTemporal", uri, entity.attributes, body, here,
            context=context,
        )  # fmt: skip

    async def delete(self, request: Request) -> Response:
        """DELETE /temporal/entities/{id}."""
        uri = request.path_params["id"]
        if not uri:
            raise Problem(
                405, "OperationNotSupported", "An entity's id is missing", Allow="GET, POST"
            )
        uri = _uri(request)
        writer = await self.door.writer(request, creates=False)
        self.door.allow(writer, uri)

        def steps() -> Steps[bool]:
            if (yield from provision.is_measured(writer.city, uri)):
                raise OperationError(f"{uri} has measured series, which are kept", retry=False)
            return bool((yield from forget(writer.city, [uri])))

        async def here(_: frozenset[str]) -> Response:
            return await self._done(writer.city, uri, steps)

        return await self._provide(
            request, writer.city, "deleteTemporal", uri, None, None, here, result="batch"
        )

    async def delete_attribute(self, request: Request) -> Response:
        """DELETE /temporal/entities/{id}/attrs/{attribute}."""
        uri, iri = _uri(request), self._attribute(request)
        writer = await self.door.writer(request, creates=False)
        self.door.allow(writer, uri)
        dataset = request.query_params.get("datasetId") or None
        if dataset is not None and not is_uri(dataset):
            raise bad_data("datasetId is a URI")
        every = request.query_params.get("deleteAll") == "true"

        async def here(_: frozenset[str]) -> Response:
            return await self._done(
                writer.city, f"{uri} {request.path_params['attribute']}",
                lambda: provision.delete_attribute(writer.city, uri, iri, dataset, every=every),
            )  # fmt: skip

        return await self._provide(
            request, writer.city, "deleteAttrsTemporal", uri, frozenset((iri,)), None, here
        )

    async def modify_instance(self, request: Request) -> Response:
        """PATCH /temporal/entities/{id}/attrs/{attribute}/{instanceId}."""
        if not request.path_params["attribute"] or not request.path_params["instance"]:
            raise Problem(405, "OperationNotSupported", "An attribute or instance is missing",
                          Allow="GET, DELETE")  # fmt: skip
        uri, number, name = _uri(request), _number(request), request.path_params["attribute"]
        writer = await self.door.writer(request, creates=False)
        self.door.allow(writer, uri)
        body, context = await self.door.body(request)
        iri = check_name(name, context)
        instance = _fragment(body, name, iri, context)
        now = self.door.clock.now()

        async def here(_: frozenset[str]) -> Response:
            return await self._done(
                writer.city, f"{uri} {name} {number}",
                lambda: provision.modify_instance(writer.city, uri, iri, number, instance, now),
            )  # fmt: skip

        return await self._provide(
            request, writer.city, "updateAttrInstanceTemporal", uri, frozenset((iri,)), body, here,
            context=context,
        )  # fmt: skip

    async def delete_instance(self, request: Request) -> Response:
        """DELETE /temporal/entities/{id}/attrs/{attribute}/{instanceId}."""
        uri, iri, number = _uri(request), self._attribute(request), _number(request)
        writer = await self.door.writer(request, creates=False)
        self.door.allow(writer, uri)

        async def here(_: frozenset[str]) -> Response:
            return await self._done(
                writer.city, f"{uri} {number}",
                lambda: provision.delete_instance(writer.city, uri, iri, number),
            )  # fmt: skip

        return await self._provide(
            request, writer.city, "deleteAttrInstanceTemporal", uri, frozenset((iri,)), None, here
        )

    def _attribute(self, request: Request) -> str:
        """The path's attribute as an IRI. Raises DocumentError for what is no name."""
        name = request.path_params["attribute"]
        return SCOPE if name == "scope" else check_name(name, self.door.asked(request).context)

    async def _done(self, city: str, what: str, make: Any) -> Response:
        if not await self.door.db.write(city, make):
            raise not_found(what)
        return Response(status_code=204)

    async def _provide(
        self, request: Request, city: str, operation: str, uri: str, attrs: frozenset[str] | None,
        body: Any, here: Here, *, context: Context | None = None, types: Sequence[str] = (),
        created: str = "", result: Literal["batch", "update"] = "update",
    ) -> Response:  # fmt: skip
        """The write here, and at the context sources that keep this history, too (§4.3.6)."""
        spread = await self.door.sources.of(
            request, city, operation, context=context, temporal={}, writing=True
        )
        if spread is None:
            return await here(frozenset())
        if not types:
            known = await self.door.db.read(city, find_known(city, [uri], self.door.clock.now()))
            types = known[0].types if known else ()
        return await provide(
            spread, operation, uri, types, attrs, body, here, result=result, created=created
        )


def _fragment(body: Any, name: str, iri: str, context: Context) -> Instance:
    """The one instance of a fragment: under its attribute's name, alone or in a list."""
    if not isinstance(body, dict):
        raise bad_data("the body is a JSON object")
    members = {k: v for k, v in body.items() if k not in ("@context", "id", "type")}
    given = next((v for k, v in members.items() if context.iri(k) == iri), None)
    if given is None and "type" in body:  # the instance itself
        given = {k: v for k, v in body.items() if k != "@context"}
    elif given is None or len(members) != 1:
        raise bad_data(f"the body has an instance of {name} and nothing else")
    if isinstance(given, list):
        if len(given) != 1:
            raise bad_data("a list of exactly one instance is wanted")
        given = given[0]
    _, (instance,) = parse_attribute(name, given, context, nulls=True)
    return instance


def _uri(request: Request) -> str:
    uri = request.path_params["id"]
    if not is_uri(uri):
        raise bad_data(f"an id is a URI, not {uri[:80]!r}")
    return uri


def _number(request: Request) -> str:
    number = request.path_params["instance"]
    if not is_uri(number):
        raise bad_data(f"an instanceId is a URI, not {number[:80]!r}")
    return number
