"""/subscriptions and /csourceSubscriptions (GS CIM 009 V1.9.1 §5.8, §5.11, §6.10, §6.11, §6.12).

Where writing takes a token, reading subscriptions takes one, too: they hold what receivers are
shown as credentials.
"""

import asyncio
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from onsil.core.ids import new_id
from onsil.hub.contexts import CORE_CONTEXT
from onsil.hub.datasets.access import NOTHING
from onsil.hub.documents import is_uri, time_text
from onsil.hub.http.asking import JSON_LD, LIMIT_MAX, Asked, answer, number
from onsil.hub.http.contexts import address_of
from onsil.hub.http.database import Database
from onsil.hub.http.door import PREFIX, Door
from onsil.hub.http.gate import Problem, bad_data, not_found
from onsil.hub.steps import Steps
from onsil.hub.subscriptions.checking import Draft, patch_subscription, read_subscription
from onsil.hub.subscriptions.compiling import compiled
from onsil.hub.subscriptions.registrations import enqueue_initial
from onsil.hub.subscriptions.sender import Sender
from onsil.hub.subscriptions.showing import show_subscription, status_of
from onsil.hub.subscriptions.store import (
    Kept,
    count_subscriptions,
    create_subscription,
    delete_subscription,
    find_subscription,
    list_subscriptions,
    lock_subscription,
    write_subscription,
)
from onsil.hub.subscriptions.terms import Kind
from onsil.hub.subscriptions.words import Words

LIMIT = 20
PATHS: dict[Kind, str] = {"entities": "subscriptions", "sources": "csourceSubscriptions"}


def routes(door: Door) -> list[Route]:
    """The routes of subscriptions; their notifications are sent as long as the door is open."""
    store = Database(door.db.dsn, size=4, view=NOTHING)
    sender = Sender(
        store, door.clock, Words(door.contexts), door.notify_reach, door.house.default_city
    )
    door.db.after_write = sender.look
    door.alongside(_at_work(sender, store))
    made: list[Route] = []
    for kind, path in PATHS.items():
        resource = _Resource(door, sender, kind)
        one = f"{PREFIX}/{path}/{{id}}"
        made += [
            Route(f"{PREFIX}/{path}", resource.create, methods=["POST"]),
            Route(f"{PREFIX}/{path}", resource.query, methods=["GET"]),
            Route(one, resource.retrieve, methods=["GET"]),
            Route(one, resource.update, methods=["PATCH"]),
            Route(one, resource.delete, methods=["DELETE"]),
        ]
    return made


@asynccontextmanager
async def _at_work(sender: Sender, store: Database):
    task = asyncio.create_task(sender.run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await store.close()


class _Resource:
    """The operations on subscriptions of one kind."""

    def __init__(self, door: Door, sender: Sender, kind: Kind) -> None:
        self.door, self.sender = door, sender
        self.kind: Kind = kind
        self.path = f"{PREFIX}/{PATHS[kind]}"

    async def create(self, request: Request) -> Response:
        """POST: 201 with the subscription's place (§5.8.1, §5.11.2)."""
        writer = await self.door.manager(request)
        raw, context = await self.door.body(request)
        now = self.door.clock.now()
        draft = read_subscription(raw, context, self.kind, now)
        draft = draft._replace(uri=draft.uri or f"urn:ngsi-ld:Subscription:{new_id()}")
        used = await self._context(request, raw, writer.city)
        await self._check_context(draft, writer.city)

        def steps() -> Steps[bool]:
            made = yield from create_subscription(writer.city, self.kind, draft, used, now)
            if made is not None:
                yield from self._tell_first(writer.city, made, draft, used, now)
            return made is not None

        if not await self.door.db.write(writer.city, steps):
            raise Problem(409, "AlreadyExists", "There is a subscription with this id", draft.uri)
        return Response(status_code=201, headers={"Location": f"{self.path}/{draft.uri}"})

    async def query(self, request: Request) -> Response:
        """GET: a page of subscriptions (§5.8.4, §5.11.5)."""
        city, form = await self._reader(request), self.door.asked(request)
        limit = number(request, "limit", LIMIT, 0, LIMIT_MAX)
        offset = number(request, "offset", 0, 0, 10_000_000)
        counted = request.query_params.get("count") == "true"
        if limit == 0 and not counted:
            raise bad_data("limit=0 goes with count=true")
        found: list[Kept] = []
        if limit:
            found = await self.door.db.read(
                city, list_subscriptions(city, self.kind, limit + 1, offset)
            )
        headers = self._pages(form, limit, offset, more=len(found) > limit > 0)
        if counted:
            total = await self.door.db.read(city, count_subscriptions(city, self.kind))
            headers["NGSILD-Results-Count"] = str(total)
        return answer([self._shown(one, form) for one in found[:limit]], form, headers=headers)

    async def retrieve(self, request: Request) -> Response:
        """GET one (§5.8.3, §5.11.4)."""
        uri = _id(request)
        city, form = await self._reader(request), self.door.asked(request)
        kept = await self.door.db.read(city, find_subscription(city, self.kind, uri))
        if kept is None:
            raise not_found(uri)
        if self.sender.at_work:
            await self.sender.settle(city, kept.number)
            kept = await self.door.db.read(city, find_subscription(city, self.kind, uri)) or kept
        return answer(self._shown(kept, form), form)

    async def update(self, request: Request) -> Response:
        """PATCH: 204 (§5.8.2, §5.11.3)."""
        uri = _id(request)
        writer = await self.door.manager(request)
        raw, context = await self.door.body(request)
        now = self.door.clock.now()
        kept = await self.door.db.read(writer.city, find_subscription(writer.city, self.kind, uri))
        if kept is None:
            raise not_found(uri)
        self._patched(kept, raw, context, now)  # what is wrong is said before anything is fetched
        if isinstance(raw, dict) and raw.get("jsonldContext"):
            await self.door.contexts.resolve(raw["jsonldContext"], writer.city)

        def steps() -> Steps[bool]:
            there = yield from lock_subscription(writer.city, self.kind, uri)
            if there is None:
                return False
            draft = self._patched(there, raw, context, now)
            yield from write_subscription(writer.city, there.number, draft, there.context, now)
            yield from self._tell_first(writer.city, there.number, draft, there.context, now)
            return True

        if not await self.door.db.write(writer.city, steps):
            raise not_found(uri)
        return Response(status_code=204)

    async def delete(self, request: Request) -> Response:
        """DELETE: 204 (§5.8.5, §5.11.6)."""
        uri = _id(request)
        writer = await self.door.manager(request)

        def steps() -> Steps[bool]:
            return delete_subscription(writer.city, self.kind, uri)

        if not await self.door.db.write(writer.city, steps):
            raise not_found(uri)
        return Response(status_code=204)

    def _patched(self, kept: Kept, raw: Any, context: Any, now: datetime) -> Draft:
        expired = status_of(kept.doc, now) == "expired"
        return patch_subscription(kept.draft, raw, context, self.kind, now, was_expired=expired)

    def _tell_first(
        self, city: str, made: int, draft: Draft, used: Any, now: datetime
    ) -> Steps[None]:
        """Which context sources match a subscription to them is told at once."""
        if self.kind == "sources":
            yield from enqueue_initial(
                compiled(city, made, draft.uri, self.kind, draft.doc, draft.names, used, now), now
            )

    async def _reader(self, request: Request) -> str:
        if not self.door.open_writing:
            await self.door.manager(request, creates=False)
        return self.door.tenant(request)

    async def _context(self, request: Request, raw: Any, city: str) -> dict[str, Any]:
        """The context of notifications, where the subscription names no other."""
        inside = raw.get("@context") if isinstance(raw, dict) else None
        source = inside or request.scope["visit"].context_url or CORE_CONTEXT
        url = await self.door.contexts.hosted(source, city, address_of(request))
        return {"source": source, "url": url}

    async def _check_context(self, draft: Draft, city: str) -> None:
        url = draft.doc.get("jsonldContext")
        if url:
            await self.door.contexts.resolve(url, city)

    def _shown(self, kept: Kept, form: Asked) -> dict[str, Any]:
        shown = show_subscription(
            kept.uri, self.kind, kept.doc, kept.names, kept.state, form.context,
            self.door.clock.now(), system=form.system,
        )  # fmt: skip
        if form.system:
            shown["createdAt"] = time_text(kept.created_at)
            shown["modifiedAt"] = time_text(kept.modified_at)
        return shown

    def _pages(self, form: Asked, limit: int, offset: int, *, more: bool) -> dict[str, str]:
        """The Link header to the pages before and after (§6.3.10)."""
        there = []
        if offset:
            there.append(("prev", max(0, offset - limit)))
        if more:
            there.append(("next", offset + limit))
        links = [
            f'<{self.path}?limit={limit}&offset={at}>;rel="{rel}";type="{JSON_LD}"'
            for rel, at in there
        ]
        return {"Link": ",".join(links)} if links else {}


def _id(request: Request) -> str:
    uri = request.path_params["id"]
    if not is_uri(uri):
        raise bad_data(f"a subscription's id is a URI: {uri[:200]!r}")
    return uri
