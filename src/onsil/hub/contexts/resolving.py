"""The door's contexts: hosted here, bundled, fetched before, or fetched now (§5.13)."""

import asyncio
import re
import time
from collections import OrderedDict
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import NAMESPACE_URL, uuid5

from onsil.core.clock import Clock
from onsil.core.database import ALL_CITIES
from onsil.hub.contexts import store
from onsil.hub.contexts.compiled import Context, ContextError, local_parts
from onsil.hub.contexts.core import IS_CORE
from onsil.hub.contexts.fetching import Fetcher
from onsil.hub.contexts.library import Library, context_of, is_absolute, library
from onsil.hub.contexts.store import Stored

PATH = "/ngsi-ld/v1/jsonldContexts/"
_OURS = re.compile(r"/jsonldContexts/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$")
_FORGET_FAILURE_S = 15.0
_FORGET_HOSTED_S = 30.0
_REMEMBERED = 512
_ROUNDS_MAX = 8
_PARTS_MAX = 256


class Usage:
    """How a context was used since this process began."""

    __slots__ = ("hits", "last", "since")

    def __init__(self, since: datetime) -> None:
        self.since, self.hits = since, 0
        self.last: datetime | None = None


class Entry(NamedTuple):
    """A context's metadata (§5.13.3.5)."""

    id: str
    kind: str
    url: str | None
    created_at: datetime
    expires_at: datetime | None
    usage: Usage


class Contexts:
    """Turns @context values into compiled contexts for one tenant.

    `db` runs steps; `fetcher` is asked for what is held nowhere. A URL that failed is not asked
    again for some seconds, so that a request with it fails at once.
    """

    def __init__(
        self,
        db: Any,
        clock: Clock,
        fetcher: Fetcher | None = None,
        held: Library = library,
    ) -> None:
        self._db, self._clock, self._library = db, clock, held
        self._fetcher = fetcher or Fetcher()
        self._failures: OrderedDict[str, tuple[float, ContextError]] = OrderedDict()
        self._fetching: dict[str, asyncio.Task[None]] = {}
        self._hosted: OrderedDict[tuple[str, str], tuple[float, Any]] = OrderedDict()
        self._expiry: dict[str, datetime] = {}
        self._used: dict[str, Usage] = {}

    async def resolve(self, source: Any, city: str) -> Context:
        """The compiled context of an @context value or a URL.

        Raises ContextError: BadRequestData, or LdContextNotAvailable when `unavailable`.
        """
        if not source:
            return self._library.compile(source)
        if _mentions_ours(source):
            source = await self._with_hosted(source, city)
        try:
            context = self._library.compile(source)
        except ContextError as error:
            if not error.unavailable:
                raise
            context = await self._fetched(source)
        if context.urls:
            self._count(context.urls)
            if self._expiry:
                await self._renew(context.urls)
        return context

    async def hosted(self, source: Any, city: str, address: str) -> str:
        """A URL at which this broker serves a context (§5.13.1: implicitly created for a list or an
        object); a single URL is its own. `address` is the broker's, as `http://host:port`.

        Raises ContextError.
        """
        parts = local_parts(source)
        if len(parts) == 1 and isinstance(parts[0], str):
            return parts[0]
        now = self._clock.now()
        made = await self._db.write(
            city, lambda: store.create_implicitly(city, {"@context": source}, now)
        )
        if made is None:
            raise ContextError("the tenant keeps too many contexts")
        return address.rstrip("/") + PATH + made

    # What §5.13's resource does.

    async def add(self, document: dict[str, Any], city: str) -> str:
        """Host a checked document; its local id. Raises ContextError."""
        now = self._clock.now()
        made = await self._db.write(
            city, lambda: store.host(city, {"@context": document["@context"]}, now)
        )
        if made is None:
            raise ContextError("the tenant keeps too many contexts")
        return made

    async def entries(self, city: str) -> list[Entry]:
        """The tenant's contexts, and those held for everyone (Cached)."""
        own = await self._db.read(city, store.listed(city))
        common = await self._db.read(ALL_CITIES, store.listed(ALL_CITIES))
        found = [self._entry(one) for one in (*own, *common)]
        known = {entry.url for entry in found}
        found += [
            _bundled(url, usage)
            for url, usage in self._used.items()
            if self._library.bundled(url) and url not in known
        ]
        return found

    async def find(self, key: str, city: str) -> tuple[Entry, Any] | None:
        """A context by its local id, or a Cached one by its URL; its document too."""
        own = await self._db.read(city, store.by_id(city, key))
        found = own or await self._db.read(ALL_CITIES, store.fetched(key))
        if found is not None:
            return self._entry(found), found.document
        for url, usage in self._used.items():
            if self._library.bundled(url) and key in (url, _local_id(url)):
                return _bundled(url, usage), self._library.document(url)
        if IS_CORE(key):
            return _bundled(key, self._usage(key)), None
        return None

    async def remove(self, entry: Entry, city: str) -> None:
        """Forget a context; a bundled file itself stays."""
        if entry.url is None:
            await self._db.write(city, lambda: store.remove(city, entry.id))
            self._hosted.pop((city, entry.id), None)
        else:
            await self._db.write(ALL_CITIES, lambda: store.remove(ALL_CITIES, entry.id))
            self._library.forget(entry.url)
            self._expiry.pop(entry.url, None)
        self._used.pop(entry.url or entry.id, None)

    async def reload(self, entry: Entry) -> None:
        """Fetch a Cached context anew (§5.13.5); what is there stays when that fails.

        Raises ContextError (unavailable).
        """
        assert entry.url is not None
        if self._library.bundled(entry.url) or IS_CORE(entry.url):
            return
        try:
            await self._fetch(entry.url, anew=True)
        except ContextError as error:
            raise ContextError(str(error), unavailable=True) from error

    # How URLs are found.

    async def _with_hosted(self, source: Any, city: str, depth: int = 0) -> list[Any]:
        """An @context value with the tenant's own contexts here in place of their URLs."""
        if depth > _ROUNDS_MAX:
            raise ContextError("contexts are nested too deeply")
        made: list[Any] = []
        for part in local_parts(source):
            ours = _OURS.search(part) if isinstance(part, str) else None
            document = await self._own(ours[1], city) if ours else None
            if document is None:
                made.append(part)
            else:
                made += await self._with_hosted(context_of(document, part), city, depth + 1)
            if len(made) > _PARTS_MAX:
                raise ContextError(f"a context has more than {_PARTS_MAX} parts")
        return made

    async def _own(self, context_id: str, city: str) -> Any:
        now = time.monotonic()
        known = self._hosted.get((city, context_id))
        if known is None or known[0] < now:
            stored = await self._db.read(city, store.by_id(city, context_id))
            if known is None and stored is not None:
                self._usage(context_id)
            known = (now + _FORGET_HOSTED_S, stored.document if stored else None)
            self._hosted[city, context_id] = known
            while len(self._hosted) > _REMEMBERED:
                self._hosted.popitem(last=False)
        else:
            self._count((context_id,))
        return known[1]

    async def _fetched(self, source: Any) -> Context:
        for _ in range(_ROUNDS_MAX):
            missing = self._library.missing(source)
            if not missing:
                return self._library.compile(source)
            for url in missing:
                await self._fetch_once(url)
        raise ContextError("the context leads too far", unavailable=True)

    async def _fetch_once(self, url: str) -> None:
        """Get a URL's document into the library, once for all who wait for it."""
        failed = self._failures.get(url)
        if failed is not None and failed[0] > time.monotonic():
            raise failed[1]
        task = self._fetching.get(url)
        if task is None:
            task = self._fetching[url] = asyncio.ensure_future(self._fetch(url))
            task.add_done_callback(lambda _: self._fetching.pop(url, None))
        try:
            await asyncio.shield(task)
        except ContextError as error:
            self._failures[url] = (time.monotonic() + _FORGET_FAILURE_S, error)
            self._failures.move_to_end(url)
            while len(self._failures) > _REMEMBERED:
                self._failures.popitem(last=False)
            raise

    async def _fetch(self, url: str, *, anew: bool = False) -> None:
        now = self._clock.now()
        if not is_absolute(url):
            raise ContextError(f"{url[:200]!r} is not a URL of a context")
        if not anew:
            known = await self._db.read(ALL_CITIES, store.fetched(url))
            if known is not None and (known.expires_at is None or known.expires_at > now):
                self._hold(url, known.document, known.expires_at)
                return
        document, age_s = await self._fetcher.fetch(url)
        expires_at = now + timedelta(seconds=age_s)
        document = {"@context": document["@context"]}
        await self._db.write(ALL_CITIES, lambda: store.keep_fetched(url, document, now, expires_at))
        self._failures.pop(url, None)
        self._hold(url, document, expires_at)

    def _hold(self, url: str, document: Any, expires_at: datetime | None) -> None:
        self._library.add(url, document)
        if expires_at is not None:
            self._expiry[url] = expires_at

    async def _renew(self, urls: tuple[str, ...]) -> None:
        """Fetch what has expired; while that cannot be done, the old one serves on."""
        now = self._clock.now()
        for url in urls:
            expires_at = self._expiry.get(url)
            if expires_at is not None and expires_at <= now:
                self._expiry[url] = now + timedelta(seconds=60)
                try:
                    await self._fetch(url, anew=True)
                except ContextError:
                    continue

    def _usage(self, key: str) -> Usage:
        usage = self._used.get(key)
        if usage is None:
            if len(self._used) >= 4 * _REMEMBERED:
                self._used.clear()
            usage = self._used[key] = Usage(self._clock.now())
        return usage

    def _count(self, keys: tuple[str, ...]) -> None:
        """Note a use: finding it in the storage is a hit, bringing it there is not (§5.13.3.5)."""
        for key in keys:
            usage = self._used.get(key)
            if usage is None:
                usage = self._usage(key)
            else:
                usage.hits += 1
            usage.last = self._clock.now()

    def served(self, entry: Entry) -> None:
        """Note that a context or its metadata was served."""
        self._count((entry.url or entry.id,))

    def _entry(self, stored: Stored) -> Entry:
        usage = self._usage(stored.url or stored.id)
        return Entry(
            stored.id, stored.kind, stored.url, stored.created_at, stored.expires_at, usage
        )


def _mentions_ours(source: Any) -> bool:
    if isinstance(source, str):
        return "/jsonldContexts/" in source
    return isinstance(source, list) and any(_mentions_ours(part) for part in source)


def _local_id(url: str) -> str:
    return str(uuid5(NAMESPACE_URL, url))


def _bundled(url: str, usage: Usage) -> Entry:
    return Entry(_local_id(url), "Cached", url, usage.since, None, usage)
