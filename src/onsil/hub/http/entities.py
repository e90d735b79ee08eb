"""One entity: GS CIM 009 V1.9.1 §5.6.1, §5.6.6, §5.6.17, §5.6.18, §5.7.1 at §6.4 and §6.5."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from onsil.hub.contexts import Context
from onsil.hub.documents import (
    Document,
    live,
    merge_entity,
    parse_entity,
    parse_languages,
    parse_time,
    render,
    replace_entity,
)
from onsil.hub.http.amending import answer_entities
from onsil.hub.http.asking import Asked, answer
from onsil.hub.http.criteria import from_parameters
from onsil.hub.http.door import PREFIX, Door
from onsil.hub.http.entity_maps import asks_for_map, origins, refer
from onsil.hub.http.gate import Problem, bad_data, not_found
from onsil.hub.http.gathering import retrieve_spread
from onsil.hub.http.providing import Here, provide
from onsil.hub.http.querying import feature_of, geometry_of, show
from onsil.hub.http.rendered import Rendered, is_whole, rendered_entity
from onsil.hub.query.finding import Found, retrieve
from onsil.hub.query.joining import linked_entities
from onsil.hub.query.type_selection import parse_type_selection, types_match
from onsil.hub.writing import Decision, Intent, Unfit, creating, deleting, existing

_SIMPLE = frozenset({"simplified", "keyValues"})


def routes(door: Door) -> list[Route]:
    """The routes of single entities."""
    own = _Entities(door)
    entity = f"{PREFIX}/entities/{{id}}"
    return [
        Route(f"{PREFIX}/entities", own.create, methods=["POST"]),
        Route(entity, own.retrieve, methods=["GET"]),
        Route(entity, own.merge, methods=["PATCH"]),
        Route(entity, own.replace, methods=["PUT"]),
        Route(entity, own.delete, methods=["DELETE"]),
    ]


def location(uri: str) -> str:
    """The path of an entity."""
    return f"{PREFIX}/entities/{quote(uri, safe=':@!$()*,;=')}"


def of_type(request: Request, context: Context) -> Callable[[Document], bool]:
    """Whether an entity has the types that the request's selection asks for (§4.17)."""
    selection = request.query_params.get("type")
    if not selection:
        return lambda _: True
    tree = parse_type_selection(selection, context)
    return lambda document: types_match(tree, document.types)


def gated(request: Request, context: Context, decide: Callable[..., Any]) -> Decision:
    """A decision about an entity that is there and of the types asked for; Absent otherwise."""
    fits, uri = of_type(request, context), request.path_params["id"]

    def checked(before: Document, now: Any) -> Any:
        if not fits(before):
            raise Unfit(uri)
        return decide(before, now)

    return existing(checked, uri)


def left_of(document: Document, gone: frozenset[str]) -> Document:
    """A document without these attributes."""
    if gone.isdisjoint(document.attrs):
        return document
    attrs = {iri: held for iri, held in document.attrs.items() if iri not in gone}
    return replace(document, attrs=attrs)


async def types_of(door: Door, city: str, uri: str) -> list[str]:
    """The types of an entity held here; none where it is not."""
    found = await door.db.read(city, retrieve(city, uri, known=door.terms, now=door.clock.now()))
    return found.document.types if found is not None else []


class _Entities:
    def __init__(self, door: Door) -> None:
        self.door = door
        self._rendered = Rendered()

    async def create(self, request: Request) -> Response:
        """POST /entities: 201 with Location, 409 when the id is in use."""
        writer = await self.door.writer(request)
        body, context = await self.door.body(request)
        document = parse_entity(body, context)
        self.door.allow(writer, document.uri)
        place = location(document.uri)

        async def here(gone: frozenset[str]) -> Response:
            await self.door.committer.commit(writer.city, creating(left_of(document, gone)))
            return Response(status_code=201, headers={"Location": place})

        spread = await self.door.sources.of(
            request, writer.city, "createEntity", context=context, writing=True
        )
        if spread is None:
            return await here(frozenset())
        return await provide(
            spread, "createEntity", document.uri, document.types, frozenset(document.attrs), body,
            here, result="batch", created=place,
        )  # fmt: skip

    async def retrieve(self, request: Request) -> Response:
        """GET /entities/{id}: the entity as it is now."""
        form = self.door.asked(request, geo=True)
        city, uri = self.door.tenant(request), request.path_params["id"]
        if ":" not in uri:
            raise bad_data(f"an entity's id is a URI, not {uri[:80]!r}")
        fits, clock = of_type(request, form.context), self.door.clock
        spread = await self.door.sources.of(request, city, "retrieveEntity")
        plain = not request.scope["query_string"] and not asks_for_map(request)
        if spread is None and plain and is_whole(form):
            text = await self.door.db.read(city, rendered_entity(
                self._rendered, city, uri, form, self.door.terms, clock.now()
            ))  # fmt: skip
            if text is None:
                raise not_found(uri)
            return answer(orjson.Fragment(text), form)
        found = await self.door.db.read(
            city, retrieve(city, uri, known=self.door.terms, now=clock.now())
        )
        if spread is not None:
            named = frozenset(from_parameters(request.query_params, form.context).filter.attrs)
            found = await retrieve_spread(spread, uri, found, named or None)
        try:
            if found is None or not fits(found.document):
                raise not_found(uri)
            document = live(found.document, clock.now())
            if not request.query_params and not form.geo_json:
                shown = answer_entities(render(document, form.context), form)
            else:
                content = await self._shown(request, found, document, form)
                shown = answer_entities(content, form)
            if asks_for_map(request):
                shown = await refer(self.door, request, city, origins([found], spread), shown)
        except Problem as problem:
            raise spread.missing(problem) if spread else problem from None
        return spread.warned(shown) if spread else shown

    async def _shown(self, request: Request, found: Found, document: Document, form: Asked) -> Any:
        """The entity with what the request's parameters narrow it to or join to it (§5.7.1)."""
        criteria = from_parameters(request.query_params, form.context)
        named = criteria.attrs or criteria.selection.attrs
        if named and not named & document.attrs.keys():
            raise not_found(f"{document.uri} has none of the attributes asked for")
        geometry = geometry_of(request, form)
        languages = parse_languages(criteria.lang)
        if geometry is not None:
            return feature_of(document, criteria, form, languages, geometry)
        linked: dict[str, Found] = {}
        if criteria.join:
            city = self.door.tenant(request)
            linked = await self.door.db.read(city, linked_entities(
                city, [document], criteria.selection, criteria.level,
                without=criteria.contained_by, known=self.door.terms,
            ))  # fmt: skip
        shown = show([replace(found, document=document)], linked, criteria, form, languages, None)
        return shown if criteria.join == "flat" and len(shown) > 1 else shown[0]

    async def merge(self, request: Request) -> Response:
        """PATCH /entities/{id}: a patch merged in; `urn:ngsi-ld:null` removes."""
        writer = await self.door.writer(request)
        uri, query = request.path_params["id"], request.query_params
        self.door.allow(writer, uri)
        body, context = await self.door.body(request)
        simple = bool(_SIMPLE & {query.get("format", ""), *query.get("options", "").split(",")})
        patch = parse_entity(body, context, partial=True, merging=True, simplified=simple)
        _same_id(patch, uri)
        observed_at = query.get("observedAt")
        if observed_at is not None:
            parse_time(observed_at)
        lang = query.get("lang")

        async def here(gone: frozenset[str]) -> Response:
            part = left_of(patch, gone)
            decide = gated(
                request,
                context,
                lambda old, now: merge_entity(old, part, now, observed_at=observed_at, lang=lang),
            )
            await self.door.committer.commit(writer.city, Intent(uri, decide))
            return Response(status_code=204)

        names = frozenset(patch.attrs)
        return await self._provide(request, writer.city, "mergeEntity", names, body, context, here)

    async def replace(self, request: Request) -> Response:
        """PUT /entities/{id}: the entity made anew."""
        writer = await self.door.writer(request)
        uri = request.path_params["id"]
        self.door.allow(writer, uri)
        body, context = await self.door.body(request)
        new = parse_entity(body, context, partial=True)
        _same_id(new, uri)

        async def here(gone: frozenset[str]) -> Response:
            part = left_of(new, gone)
            decide = gated(request, context, lambda old, now: replace_entity(old, part, now))
            await self.door.committer.commit(writer.city, Intent(uri, decide))
            return Response(status_code=204)

        names = frozenset(new.attrs)
        return await self._provide(
            request, writer.city, "replaceEntity", names, body, context, here
        )

    async def delete(self, request: Request) -> Response:
        """DELETE /entities/{id}: refused (422) for an entity that has measured series."""
        writer = await self.door.writer(request)
        uri = request.path_params["id"]
        self.door.allow(writer, uri)
        fits = of_type(request, request.scope["visit"].context)

        async def here(_: frozenset[str]) -> Response:
            await self.door.committer.commit(writer.city, deleting(uri, fits))
            return Response(status_code=204)

        context = request.scope["visit"].context
        return await self._provide(request, writer.city, "deleteEntity", None, None, context, here)

    async def _provide(
        self, request: Request, city: str, operation: str, attrs: frozenset[str] | None, body: Any,
        context: Context, here: Here,
    ) -> Response:  # fmt: skip
        """The write of an entity here, and at the context sources it concerns."""
        spread = await self.door.sources.of(request, city, operation, context=context, writing=True)
        if spread is None:
            return await here(frozenset())
        uri = request.path_params["id"]
        types = await types_of(self.door, city, uri)
        return await provide(spread, operation, uri, types, attrs, body, here, result="batch")


def _same_id(document: Document, uri: str) -> None:
    if document.uri and document.uri != uri:
        raise bad_data("the body's id is not the path's")
