"""Distributed operations: what of a request goes to which context source (§4.3.6, §5.5.13).

`door.sources` is the seam: `of(request, …)` is None where a request is for this broker alone, which
is known without asking the database as long as a tenant has no registrations.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from typing import Any
from urllib.parse import quote

import orjson
from starlette.requests import Request
from starlette.responses import Response

from onsil.core.clock import Clock
from onsil.hub.contexts import Context, ContextError
from onsil.hub.contexts.resolving import Contexts
from onsil.hub.http.asking import JSON, JSON_LD, link_context
from onsil.hub.http.database import Database, DatabaseAway
from onsil.hub.http.gate import Problem
from onsil.hub.query.q import Tree
from onsil.hub.sources.calling import Answered, Call, Caller, Unanswered
from onsil.hub.sources.index import SourceIndex
from onsil.hub.sources.matching import Sought, considered, pseudonyms
from onsil.hub.sources.store import note_outcomes
from onsil.hub.sources.terms import FROM_REQUEST, Registration
from onsil.hub.steps import Ask, Steps
from onsil.hub.subscriptions.addresses import Reach

SETTLE_S = 1.0
_LINK = '<{}>; rel="http://www.w3.org/ns/json-ld#context"; type="application/ld+json"'
# Of contextSourceInfo, what is not sent as a header, or not by it (§4.3.6.5, §4.3.6.6).
_KEPT_BACK = frozenset((
    "accept", "contenttype", "jsonldcontext", "ngsildconformance", "ngsild-tenant", "via", "host",
    "content-length", "content-type", "connection", "keep-alive", "transfer-encoding", "te",
    "trailer", "upgrade", "expect", "link", "prefer", "proxy-authorization", "proxy-connection",
))  # fmt: skip


def _identity() -> Steps[str]:
    """What tells this broker's database from every other."""
    rows = yield Ask(
        "SELECT c.system_identifier::text, d.oid::text FROM pg_control_system() c, pg_database d"
        " WHERE d.datname = current_database()"
    )
    return f"onsil-{int(rows[0][0]):x}-{rows[0][1]}"


class Sources:
    """The context sources of every tenant, for the resources of one door."""

    def __init__(
        self, db: Database, clock: Clock, contexts: Contexts, reach: Reach, alias: str,
        default_city: str,
    ) -> None:  # fmt: skip
        self.db, self.clock, self.contexts = db, clock, contexts
        self.index = SourceIndex(db)
        self.caller = Caller(reach, clock)
        self._alias, self._default_city = alias, default_city

    async def alias(self, city: str) -> str:
        """The pseudonym of one tenant of this broker (§5.2.40). Raises DatabaseAway."""
        if not self._alias:
            self._alias = await self.db.read(city, _identity())
        return self._alias if city == self._default_city else f"{self._alias}.{city}"

    async def of(
        self,
        request: Request,
        city: str,
        operations: str | Sequence[str] = (),
        *,
        csf: Tree | None = None,
        datasets: frozenset[str] = frozenset(),
        temporal: Mapping[str, str] | None = None,
        context: Context | None = None,
        writing: bool = False,
    ) -> "Spread | None":
        """The sources that a request may concern; None when it is for this broker alone.

        They offer one of the operations; for `writing` also those count that do not. `context`: the
        request's, where it is not that of its Link header. Raises Problem 508 for a write that has
        been here before (§6.3.17).
        """
        registrations = await self.index.of(city)
        if not registrations or request.query_params.get("local") == "true":
            return None
        via = pseudonyms(request.headers.getlist("via"))
        alias = await self.alias(city)
        if alias in via:
            if writing:
                title = "The request has been here before"
                raise Problem(508, "LoopDetected", title, f"Via names {alias}")
            return None
        offering = (operations,) if isinstance(operations, str) else tuple(operations)
        sought = Sought(
            () if writing else offering, csf=csf, datasets=datasets, via=via, temporal=temporal
        )
        now = self.clock.now()
        found = [one for one in registrations if considered(one, sought, now)]
        return Spread(self, request, city, alias, found, context) if found else None

    async def settle(self, city: str) -> None:
        """Write down what came of requests to a city's sources. Raises DatabaseAway."""
        outcomes = self.caller.outcomes(city)
        if outcomes:
            await self.db.write(city, lambda: note_outcomes(city, outcomes))

    @asynccontextmanager
    async def running(self):
        """At work for as long as the door is open."""
        task = asyncio.create_task(self._settle_now_and_then())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            await self.caller.close()

    async def _settle_now_and_then(self) -> None:
        while True:
            await asyncio.sleep(SETTLE_S)
            for city in self.caller.cities:
                with suppress(DatabaseAway):
                    await self.settle(city)


class Spread:
    """One request and the sources it may concern; `warnings` are told of in the answer."""

    def __init__(
        self, sources: Sources, request: Request, city: str, alias: str,
        registrations: Sequence[Registration],
        context: Context | None = None,
    ) -> None:  # fmt: skip
        self.sources, self.request, self.city = sources, request, city
        self.registrations = registrations
        self.warnings: list[str] = []
        self.origins: dict[str, list[str]] = {}
        self._via = ", ".join([*request.headers.getlist("via"), f"1.1 {alias}"])
        visit = request.scope["visit"]
        self.context: Context = context or visit.context
        self.context_url: str | None = visit.context_url

    @property
    def now(self) -> datetime:
        return self.sources.clock.now()

    async def context_for(self, registration: Registration) -> tuple[Context, str | None]:
        """The context a source is spoken to in, and its URL (§4.3.6.6). Raises ContextError."""
        url = registration.told("jsonldContext")
        if url:
            return await self.sources.contexts.resolve(url, self.city), url
        return self.context, self.context_url

    def headers(
        self, registration: Registration, context_url: str | None, media: str = ""
    ) -> dict[str, str]:
        """The headers of a request to a source (§4.3.6.4 to §4.3.6.6)."""
        made: dict[str, str] = {}
        for key, value in registration.info:
            if key.lower() in _KEPT_BACK:
                continue
            if value == FROM_REQUEST:
                value = self.request.headers.get(key, "")
            if value:
                made[key] = value
        made["Accept"] = registration.told("accept") or JSON
        made["Via"] = self._via
        if registration.tenant:
            made["NGSILD-Tenant"] = registration.tenant
        version = registration.told("ngsildConformance")
        if version:
            made["Prefer"] = f"ngsi-ld={version}"
        if media:
            made["Content-Type"] = media
        if context_url and media != JSON_LD:
            made["Link"] = _LINK.format(context_url)
        return made

    async def ask(
        self, registration: Registration, call: Call, *, empty: Iterable[int] = (404,)
    ) -> tuple[Any, Answered] | None:
        """The JSON that a source answers; None, with a warning where due, without one (§6.3.17)."""
        try:
            answered = await self.sources.caller.call(registration, call)
        except Unanswered as error:
            self.warn(111 if error.useless else 199, registration, str(error))
            return None
        if answered.status in empty or answered.status == 508:
            return None
        if not 200 <= answered.status < 300:
            self.warn(299, registration, f"it answered {answered.status}")
            return None
        try:
            return orjson.loads(answered.body or b"[]"), answered
        except orjson.JSONDecodeError:
            self.warn(111, registration, "its answer is no JSON")
            return None

    async def answer_context(self, answered: Answered, body: Any, sent: Context) -> Context:
        """The context an answer is in: its own, or that of the request. Raises ContextError."""
        if isinstance(body, dict) and "@context" in body:
            return await self.sources.contexts.resolve(body["@context"], self.city)
        url = link_context(answered.headers.get("link", ""))
        if not url or url == self.context_url:
            return sent
        with suppress(ContextError):
            return await self.sources.contexts.resolve(url, self.city)
        return sent

    def warn(self, code: int, registration: Registration, text: str) -> None:
        """Tell the client of abnormal behaviour of a source (Table 6.3.17-1)."""
        plain = text.replace('"', "'").encode("ascii", "replace").decode()
        self.warnings.append(f'{code} {registration.uri} "{plain[:200]}"')

    def came(self, uri: str, registration: Registration) -> None:
        """Note that a source told of an entity."""
        known = self.origins.setdefault(uri, [])
        if registration.uri not in known:
            known.append(registration.uri)

    def warned(self, response: Response) -> Response:
        """The answer with its warnings."""
        if self.warnings:
            response.headers["NGSILD-Warning"] = ", ".join(self.warnings)
        return response

    def missing(self, problem: Problem) -> Problem:
        """A refusal with its warnings."""
        if self.warnings:
            problem.headers["NGSILD-Warning"] = ", ".join(self.warnings)
        return problem


def entity_path(uri: str) -> str:
    """The path of an entity behind an endpoint."""
    return "/entities/" + quote(uri, safe=":@!$()*,;=")


def query_text(pairs: Iterable[tuple[str, str]]) -> str:
    """A query string that leaves readable what may be."""
    return "&".join(f"{name}={quote(value, safe=':/,;@!$()*[]~|=<>')}" for name, value in pairs)
