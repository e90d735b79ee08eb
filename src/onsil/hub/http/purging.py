"""Purge Entities: GS CIM 009 V1.9.1 §5.6.21 at §6.4.3.3."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from onsil.hub.contexts import Context
from onsil.hub.documents import AttributeMissing, Changed, Document, check_name, delete_attribute
from onsil.hub.http.asking import JSON, flag, listed
from onsil.hub.http.criteria import Criteria, from_parameters
from onsil.hub.http.door import PREFIX, Door
from onsil.hub.http.gate import bad_data
from onsil.hub.http.providing import purge_spread
from onsil.hub.query.finding import find
from onsil.hub.query.q import attributes_of
from onsil.hub.terms import Writer
from onsil.hub.writing import Done, Intent, deleting, existing, write

PAGE = 500
_PROJECTIONS = ("attrs", "pick", "omit", "drop", "keep")
_SYSTEM = frozenset({"createdAt", "modifiedAt", "deletedAt", "expiresAt", "observedAt"})


def routes(door: Door) -> list[Route]:
    """The route of the purge."""
    return [Route(f"{PREFIX}/entities", _Purge(door).purge, methods=["DELETE"])]


class _Purge:
    def __init__(self, door: Door) -> None:
        self.door = door

    async def purge(self, request: Request) -> Response:
        """DELETE /entities: those that fit, or with `drop` and `keep` some of their attributes.

        Entities with measured series stay, with their attributes where these are to go. It goes in
        pages, each in a transaction of its own.
        """
        writer = await self.door.writer(request)
        context: Context = request.scope["visit"].context
        criteria = from_parameters(request.query_params, context)
        drop, keep = _names(request, "drop", context), _names(request, "keep", context)
        if drop and keep:
            raise bad_data("drop does not go with keep")
        _check_width(request, criteria, drop or keep)
        city = writer.city
        spread = await self.door.sources.of(request, city, "purgeEntity")
        if spread is not None:
            attrs = frozenset(criteria.filter.attrs)
            failed = await purge_spread(spread, criteria.filter.selectors, attrs)
            if failed:
                await self._here(writer, criteria, drop, keep)
                told = {"success": [], "errors": failed}
                return Response(orjson.dumps(told), 207, media_type=JSON)
        return await self._here(writer, criteria, drop, keep)

    async def _here(
        self, writer: Writer, criteria: Criteria, drop: Sequence[str], keep: Sequence[str]
    ) -> Response:
        """The same of the entities held here."""
        city, clock = writer.city, self.door.clock
        skipped = 0
        while True:
            found = await self.door.db.read(
                city, find(city, criteria.filter, PAGE, skipped, known=self.door.terms,
                           now=clock.now())
            )  # fmt: skip
            uris = [one.document.uri for one in found]
            if not uris:
                return Response(status_code=204)
            for uri in uris:
                self.door.allow(writer, uri)
            intents = [_intent(uri, drop, keep) for uri in uris]
            outcomes = await self.door.db.write(
                city, lambda wanted=intents: write(city, wanted, clock.now(), self.door.terms)
            )
            # What is still there would be found again.
            skipped += sum(
                1 for one in outcomes if not (isinstance(one, Done) and one.changed is None)
            )


def _intent(uri: str, drop: Sequence[str], keep: Sequence[str]) -> Intent:
    if not (drop or keep):
        return deleting(uri)

    def decide(old: Document, now: datetime) -> Changed:
        going = [iri for iri in old.attrs if iri in drop or (keep and iri not in keep)]
        changed = Changed(old, {}, [])
        for iri in going:
            step = delete_attribute(changed.document, iri, now, every=True)
            changed = Changed(step.document, {**changed.attributes, **step.attributes}, [])
        if not going:
            raise AttributeMissing(uri)
        return changed

    return Intent(uri, existing(decide, uri))


def _names(request: Request, name: str, context: Context) -> list[str]:
    return [check_name(one, context) for one in listed(request, name)]


def _check_width(request: Request, criteria: Criteria, narrowed: Any) -> None:
    """Refuse what would purge too much (§5.6.21.4). Raises Problem."""
    wanted = criteria.filter
    if wanted.hops or any("{" in request.query_params.get(n, "") for n in _PROJECTIONS):
        raise bad_data("a purge does not follow relationships")
    told = (
        narrowed
        or any(one.types is not None for one in wanted.selectors)
        or criteria.every_type
        or wanted.geo
        or set(listed(request, "attrs")) - _SYSTEM
        or (wanted.q is not None and attributes_of(wanted.q))
    )
    if not told and not flag(request, "local"):
        raise bad_data("too wide: give type, attrs, q or georel, or local=true")
