"""Attributes of an entity: GS CIM 009 V1.9.1 §5.6.2-5, §5.6.19 at §6.6 and §6.7."""

from datetime import datetime
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from onsil.core.clock import Clock
from onsil.hub.contexts import NGSI_LD, Context
from onsil.hub.documents import (
    Changed,
    Document,
    append,
    check_name,
    delete_attribute,
    is_uri,
    parse_attribute,
    parse_entity,
    parse_fragment,
    replace_attribute,
    update,
    update_attribute,
)
from onsil.hub.http.asking import JSON, flag
from onsil.hub.http.door import PREFIX, Door
from onsil.hub.http.entities import gated, left_of, types_of
from onsil.hub.http.gate import bad_data, not_found
from onsil.hub.http.providing import Here, provide
from onsil.hub.steps import Steps
from onsil.hub.temporal.history import delete_past_attribute
from onsil.hub.writing import Absent, Done, Intent, Unfit

_SCOPE = NGSI_LD + "scope"
_MEMBERS = frozenset({"id", "type", "@id", "@type", "@context"})


def routes(door: Door) -> list[Route]:
    """The routes of entities' attributes."""
    own = _Attributes(door)
    attrs = f"{PREFIX}/entities/{{id}}/attrs"
    one = f"{attrs}/{{attribute}}"
    return [
        Route(attrs, own.append, methods=["POST"]),
        Route(attrs, own.update, methods=["PATCH"]),
        Route(one, own.update_one, methods=["PATCH"]),
        Route(one, own.replace_one, methods=["PUT"]),
        Route(one, own.delete_one, methods=["DELETE"]),
    ]


class _Attributes:
    def __init__(self, door: Door) -> None:
        self.door = door

    async def append(self, request: Request) -> Response:
        """POST …/attrs: add; overwrite unless options=noOverwrite. 207 names what was left."""
        overwrite = "noOverwrite" not in request.query_params.get("options", "").split(",")
        return await self._fragment(
            request,
            "appendAttrs",
            lambda old, new, now: append(old, new, now, overwrite=overwrite),
        )

    async def update(self, request: Request) -> Response:
        """PATCH …/attrs: attributes replaced whole; `urn:ngsi-ld:null` removes."""
        return await self._fragment(request, "updateEntity", update, nulls=True)

    async def _fragment(
        self, request: Request, operation: str, change: Any, *, nulls: bool = False
    ) -> Response:
        city, uri = await self._target(request)
        body, context = await self.door.body(request)
        new = parse_entity(body, context, partial=True, nulls=nulls)
        if new.uri and new.uri != uri:
            raise bad_data("the body's id is not the path's")

        async def here(gone: frozenset[str]) -> Response:
            part = left_of(new, gone)
            done = await self._commit(
                request, city, context, lambda old, now: change(old, part, now)
            )
            if done.changed is None or not done.changed.not_updated:
                return Response(status_code=204)
            left = done.changed.not_updated
            result = {
                "updated": [iri for iri in part.attrs if iri not in left],
                "notUpdated": [
                    {"attributeName": "scope", "reason": "there is none to be replaced"}
                    if iri == _SCOPE
                    else {"attributeName": iri, "reason": "it is there already"}
                    for iri in left
                ],
            }
            return Response(orjson.dumps(result), 207, media_type=JSON)

        return await self._provide(
            request, city, operation, frozenset(new.attrs), body, context, here
        )

    async def update_one(self, request: Request) -> Response:
        """PATCH …/attrs/{attribute}: of the attribute only what the fragment names."""
        city, _ = await self._target(request)
        name = request.path_params["attribute"]
        body, context = await self.door.body(request)
        iri, fragment = parse_fragment(name, _bare(body), context)

        async def here(_: frozenset[str]) -> Response:
            await self._commit(
                request, city, context, lambda old, now: update_attribute(old, iri, fragment, now)
            )
            return Response(status_code=204)

        return await self._provide(
            request, city, "updateAttrs", frozenset({iri}), body, context, here
        )

    async def replace_one(self, request: Request) -> Response:
        """PUT …/attrs/{attribute}: the attribute made anew."""
        city, _ = await self._target(request)
        body, context = await self.door.body(request)
        iri, instances = parse_attribute(request.path_params["attribute"], _bare(body), context)

        async def here(_: frozenset[str]) -> Response:
            await self._commit(
                request, city, context, lambda old, now: replace_attribute(old, iri, instances, now)
            )
            return Response(status_code=204)

        return await self._provide(
            request, city, "replaceAttrs", frozenset({iri}), body, context, here
        )

    async def delete_one(self, request: Request) -> Response:
        """DELETE …/attrs/{attribute}: its default instance, that of `datasetId`, or `deleteAll`."""
        city, uri = await self._target(request)
        dataset, every = request.query_params.get("datasetId"), flag(request, "deleteAll")
        if dataset is not None and dataset != "@none" and not is_uri(dataset):
            raise bad_data("datasetId is a URI")
        dataset = None if dataset == "@none" else dataset
        context = request.scope["visit"].context
        name = request.path_params["attribute"]
        iri = _SCOPE if name == "scope" else check_name(name, context)

        def decide(old: Document, now: datetime) -> Changed:
            return delete_attribute(old, iri, now, dataset_id=dataset, every=every)

        async def here(_: frozenset[str]) -> Response:
            try:
                await self._commit(request, city, context, decide)
            except Unfit:
                raise
            except Absent:
                clock = self.door.clock
                if not await self.door.db.write(
                    city, lambda: _delete_past(city, uri, iri, dataset, every, clock)
                ):
                    raise not_found(uri) from None
            return Response(status_code=204)

        return await self._provide(
            request, city, "deleteAttrs", frozenset({iri}), None, context, here
        )

    async def _provide(
        self, request: Request, city: str, operation: str, attrs: frozenset[str], body: Any,
        context: Context, here: Here,
    ) -> Response:  # fmt: skip
        """The write of attributes here, and at the context sources it concerns."""
        spread = await self.door.sources.of(request, city, operation, context=context, writing=True)
        if spread is None:
            return await here(frozenset())
        uri = request.path_params["id"]
        types = await types_of(self.door, city, uri)
        return await provide(spread, operation, uri, types, attrs, body, here, result="update")

    async def _target(self, request: Request) -> tuple[str, str]:
        writer = await self.door.writer(request, creates=False)
        uri, name = request.path_params["id"], request.path_params.get("attribute")
        self.door.allow(writer, uri)
        if name is not None and (not name or name in _MEMBERS):
            raise bad_data(f"{name!r} is no attribute")
        return writer.city, uri

    async def _commit(self, request: Request, city: str, context: Context, decide: Any) -> Done:
        intent = Intent(request.path_params["id"], gated(request, context, decide))
        return await self.door.committer.commit(city, intent)


def _bare(body: Any) -> Any:
    """An attribute's body without its context."""
    return {k: v for k, v in body.items() if k != "@context"} if isinstance(body, dict) else body


def _delete_past(
    city: str, uri: str, iri: str, dataset: str | None, every: bool, clock: Clock
) -> Steps[bool]:
    """The same of an entity that only the temporal evolution knows."""
    return (yield from delete_past_attribute(city, uri, iri, dataset, every, clock.now()))
