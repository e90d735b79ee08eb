"""/csourceRegistrations (GS CIM 009 V1.9.1 §5.9, §5.10, §6.8, §6.9).

Registering takes whoever may write everything. Where writing takes a token, reading registrations
takes one, too: they may hold what sources are shown as credentials.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from onsil.core.ids import new_id
from onsil.hub.contexts import Context
from onsil.hub.documents import is_uri, time_text
from onsil.hub.http.asking import JSON_LD, LIMIT_MAX, Asked, answer, number
from onsil.hub.http.criteria import Criteria, from_parameters
from onsil.hub.http.door import PREFIX, Door
from onsil.hub.http.gate import Problem, bad_data, not_found
from onsil.hub.query.q import Tree, attributes_of, parse_q
from onsil.hub.sources import registrations
from onsil.hub.sources.checking import STANDARD, patch_registration, read_registration
from onsil.hub.sources.compiling import compiled
from onsil.hub.sources.index import FRESH_S
from onsil.hub.sources.matching import Sought, narrowed
from onsil.hub.sources.registering import Conflict, Known, change, register, unregister
from onsil.hub.sources.store import Kept, find_registration, list_registrations
from onsil.hub.sources.terms import Registration
from onsil.hub.subscriptions.registrations import lend_registrations
from onsil.hub.terms import Writer

LIMIT = 20
PATH = f"{PREFIX}/csourceRegistrations"
_TEMPORAL = ("timerel", "timeAt", "endTimeAt", "timeproperty")
_RELATIONS = ("before", "after", "between")
_NARROWING = frozenset((
    "id", "type", "idPattern", "attrs", "q", "csf", "georel", "geometry", "coordinates",
    "geoproperty", "scopeQ", "datasetId",
))  # fmt: skip


def routes(door: Door) -> list[Route]:
    """The routes of context source registrations."""
    lend_registrations(registrations)
    own = _Registrations(door)
    one = f"{PATH}/{{id}}"
    return [
        Route(PATH, own.create, methods=["POST"]),
        Route(PATH, own.query, methods=["GET"]),
        Route(one, own.retrieve, methods=["GET"]),
        Route(one, own.update, methods=["PATCH"]),
        Route(one, own.delete, methods=["DELETE"]),
    ]


class _Registrations:
    def __init__(self, door: Door) -> None:
        self.door = door

    async def create(self, request: Request) -> Response:
        """POST: 201 with the registration's place (§5.9.2); 409 where it conflicts."""
        writer = await self._registrar(request)
        raw, context = await self.door.body(request)
        now = self.door.clock.now()
        draft = read_registration(raw, context, now)
        draft = draft._replace(uri=draft.uri or f"urn:ngsi-ld:ContextSourceRegistration:{new_id()}")
        index = self.door.sources.index
        first = not await index.of(writer.city)
        try:
            await self.door.db.write(writer.city, lambda: register(writer.city, draft, now))
        except Known:
            title = "There is a registration with this id"
            raise Problem(409, "AlreadyExists", title, draft.uri) from None
        except Conflict as error:
            raise _conflict(error) from None
        index.forget(writer.city)
        if first:  # other processes look for a first one now and then only; then they all know it
            await asyncio.sleep(FRESH_S)
        return Response(status_code=201, headers={"Location": f"{PATH}/{draft.uri}"})

    async def update(self, request: Request) -> Response:
        """PATCH: 204 (§5.9.3)."""
        uri = _id(request)
        writer = await self._registrar(request)
        raw, context = await self.door.body(request)
        now = self.door.clock.now()
        try:
            there = await self.door.db.write(
                writer.city,
                lambda: change(
                    writer.city, uri, lambda old: patch_registration(old, raw, context, now), now
                ),
            )
        except Conflict as error:
            raise _conflict(error) from None
        if not there:
            raise not_found(uri)
        self.door.sources.index.forget(writer.city)
        return Response(status_code=204)

    async def delete(self, request: Request) -> Response:
        """DELETE: 204 (§5.9.4)."""
        uri = _id(request)
        writer = await self._registrar(request)
        now = self.door.clock.now()
        if not await self.door.db.write(writer.city, lambda: unregister(writer.city, uri, now)):
            raise not_found(uri)
        self.door.sources.index.forget(writer.city)
        return Response(status_code=204)

    async def retrieve(self, request: Request) -> Response:
        """GET one (§5.10.1)."""
        uri = _id(request)
        city, form = await self._reader(request), self.door.asked(request)
        await self.door.sources.settle(city)
        kept = await self.door.db.read(city, find_registration(city, uri))
        if kept is None:
            raise not_found(uri)
        return answer(_shown(kept, kept.doc, form), form)

    async def query(self, request: Request) -> Response:
        """GET: a page of the registrations that match (§5.10.2)."""
        city, form = await self._reader(request), self.door.asked(request)
        given = request.query_params
        limit = number(request, "limit", LIMIT, 0, LIMIT_MAX)
        offset = number(request, "offset", 0, 0, 10_000_000)
        counted = given.get("count") == "true"
        if limit == 0 and not counted:
            raise bad_data("limit=0 goes with count=true")
        narrowing = {k: v for k, v in given.items() if k in _NARROWING}
        criteria = from_parameters(narrowing, form.context)
        await self.door.sources.settle(city)
        kept = await self.door.db.read(city, list_registrations(city))
        made = [
            compiled(city, one.number, one.uri, one.doc, one.created_at, one.modified_at)
            for one in kept
        ]
        sought = _sought(given, criteria, form.context, made)
        found = self._matching(kept, made, sought, criteria)
        headers = _pages(given, limit, offset, more=offset + limit < len(found) and limit > 0)
        if counted:
            headers["NGSILD-Results-Count"] = str(len(found))
        page = found[offset : offset + limit]
        return answer([_shown(one, doc, form) for one, doc in page], form, headers=headers)

    def _matching(
        self, kept: list[Kept], made: list[Registration], sought: Sought, criteria: Criteria
    ) -> list[tuple[Kept, dict[str, Any]]]:
        named = {uri for one in criteria.filter.selectors for uri in one.ids}
        if named & {one.uri for one in kept}:  # registrations asked for by their own ids
            return [(one, one.doc) for one in kept if one.uri in named]
        if not criteria.narrow and sought.csf is None and sought.scopes is None:
            raise bad_data("too wide: give type, attrs, q or georel")
        now = self.door.clock.now()
        pairs = ((k, narrowed(m, sought, now)) for k, m in zip(kept, made, strict=True))
        return [(one, doc) for one, doc in pairs if doc is not None]

    async def _registrar(self, request: Request) -> Writer:
        writer = await self.door.manager(request)
        if "*" not in writer.entities:
            title = "The token does not cover registering context sources"
            raise Problem(403, "OperationNotSupported", title)
        return writer

    async def _reader(self, request: Request) -> str:
        if not self.door.open_writing:
            await self.door.manager(request, creates=False)
        return self.door.tenant(request)


def _sought(
    given: Mapping[str, str], criteria: Criteria, context: Context, made: list[Registration]
) -> Sought:
    """What registrations are asked for. A q over properties that registrations themselves have is
    a context source query (§4.9)."""
    wanted = criteria.filter
    q = attributes_of(wanted.q) if wanted.q is not None else set()
    csf: Tree | None = parse_q(given["csf"], context) if given.get("csf") else None
    if q and csf is None and any(q & one.document.attrs.keys() for one in made):
        csf, q = wanted.q, set()
    return Sought(
        selectors=wanted.selectors, attrs=frozenset((*wanted.attrs, *q)), csf=csf,
        geo=wanted.geo, scopes=wanted.scopes, datasets=criteria.datasets or frozenset(),
        temporal=_temporal(given),
    )  # fmt: skip


def _temporal(given: Mapping[str, str]) -> dict[str, str] | None:
    wanted = {name: given[name] for name in _TEMPORAL if given.get(name)}
    if "timerel" not in wanted:
        if "timeAt" in wanted:
            raise bad_data("timeAt goes with timerel")
        return None
    if wanted["timerel"] not in _RELATIONS or "timeAt" not in wanted:
        raise bad_data("a temporal query has timerel (before, after, between) and timeAt")
    if wanted["timerel"] == "between" and "endTimeAt" not in wanted:
        raise bad_data("between goes with endTimeAt")
    return wanted


def _shown(kept: Kept, doc: Mapping[str, Any], form: Asked) -> dict[str, Any]:
    term = form.context.term
    shown: dict[str, Any] = {"id": kept.uri, "type": "ContextSourceRegistration"}
    for name, value in doc.items():
        if name == "information":
            shown[name] = [_info(one, form.context) for one in value]
        else:
            shown[name if name in STANDARD else term(name)] = value
    if kept.times_sent:
        shown["timesSent"], shown["timesFailed"] = kept.times_sent, kept.times_failed
        success, failure = kept.last_success, kept.last_failure
        if success is not None:
            shown["lastSuccess"] = time_text(success)
        if failure is not None:
            shown["lastFailure"] = time_text(failure)
        good = success is not None and (failure is None or success >= failure)
        shown["status"] = "ok" if good else "failed"
    if form.system:
        shown["createdAt"] = time_text(kept.created_at)
        shown["modifiedAt"] = time_text(kept.modified_at)
    return shown


def _info(raw: Mapping[str, Any], context: Context) -> dict[str, Any]:
    term = context.term
    made: dict[str, Any] = {}
    for name, value in raw.items():
        if name == "entities":
            made[name] = [{**one, "type": _terms(one["type"], context)} for one in value]
        else:
            made[name] = [term(one) for one in value]
    return made


def _terms(types: Any, context: Context) -> Any:
    return context.term(types) if isinstance(types, str) else [context.term(t) for t in types]


def _pages(given: Mapping[str, str], limit: int, offset: int, *, more: bool) -> dict[str, str]:
    """The Link header to the pages before and after (§6.3.10)."""
    held = "".join(f"{k}={v}&" for k, v in given.items() if k not in ("limit", "offset", "count"))
    there = [("prev", max(0, offset - limit))] if offset and limit else []
    there += [("next", offset + limit)] if more else []
    links = [
        f'<{PATH}?{held}limit={limit}&offset={at}>;rel="{rel}";type="{JSON_LD}"'
        for rel, at in there
    ]
    return {"Link": ",".join(links)} if links else {}


def _id(request: Request) -> str:
    uri = request.path_params["id"]
    if not is_uri(uri):
        raise bad_data(f"a registration's id is a URI: {uri[:200]!r}")
    return uri


def _conflict(error: Conflict) -> Problem:
    return Problem(409, "Conflict", "The registration conflicts with what there is", str(error))
