"""What every resource of the door stands on: tenant, writer, context, body, database, clock.

A resource module has `routes(door)`; its endpoints take a Starlette request and ask the door for
what they need. Refusals are raised as `Problem` and leave as ProblemDetails (GS CIM 009 V1.9.1
§5.5.2, §6.3.2).
"""

import hmac
import re
from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from starlette.requests import Request

from onsil.core.clock import Clock
from onsil.core.database import ALL_CITIES
from onsil.hub.contexts import CORE, CORE_CONTEXT, Context
from onsil.hub.contexts.fetching import Fetcher
from onsil.hub.contexts.resolving import Contexts
from onsil.hub.datasets.access import EVERYTHING
from onsil.hub.documents import is_uri
from onsil.hub.http.asking import (
    JSON,
    JSON_LD,
    MERGE_PATCH,
    Asked,
    content_type,
    how_wanted,
    link_context,
)
from onsil.hub.http.committing import Committer
from onsil.hub.http.database import Database
from onsil.hub.http.distributing import Sources
from onsil.hub.http.gate import (
    Problem,
    another_city,
    bad_data,
    bearer,
    parse_json,
    read_body,
    unauthorised,
)
from onsil.hub.http.offered import Offered
from onsil.hub.http.tenancy import Tenants
from onsil.hub.steps import Steps
from onsil.hub.subscriptions.addresses import LOCAL, PUBLIC, Reach
from onsil.hub.terms import Writer, uri_city
from onsil.hub.vocabulary import Dictionary

PREFIX = "/ngsi-ld/v1"
# Who a token lets write at an instant, as steps for a connection that sees all cities.
Authenticate = Callable[[str, datetime], Steps[Writer | None]]
_TENANT = re.compile(r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$")


@dataclass(frozen=True)
class House:
    """Where the door stands.

    `authenticate` turns a bearer token into a Writer; without it nobody has one. `cities`: the
    platform's, when it is one; without them tenants come into being as they are written to.
    `open_writing`: nobody needs a token. `operator_token` opens every tenant. Contexts may be
    fetched from `context_hosts`. Context sources may be at public addresses and at `source_hosts`,
    receivers of notifications at these and at `notify_hosts`; where writing is open, at private
    addresses, too. `alias` is the broker's pseudonym in Via headers (its own without one).
    """

    default_city: str = "pyeongtaek"
    authenticate: Authenticate | None = None
    cities: Callable[[], Collection[str]] | None = None
    open_writing: bool = False
    operator_token: str = ""
    context_hosts: Sequence[str] = ()
    source_hosts: Sequence[str] = ()
    notify_hosts: Sequence[str] = ()
    alias: str = ""


@dataclass(slots=True)
class Visit:
    """What the headers of one request say: its tenant, and the context of its Link header."""

    tenant: str
    known: bool = True
    context: Context = CORE
    context_url: str | None = None


class Door:
    """One door to one database: `db` runs steps, `clock` tells the time, `commit` writes."""

    def __init__(self, db: Database, clock: Clock, house: House) -> None:
        self.db, self.clock, self.house = db, clock, house
        self.open_writing = house.open_writing
        self.terms = Dictionary()
        self.contexts = Contexts(db, clock, Fetcher(house.context_hosts))
        self.tenants = Tenants(db)
        if house.cities is None:
            db.bear = self.tenants.bear
        self.committer = Committer(db, clock, self.terms)
        self.beside: list[AbstractAsyncContextManager[Any]] = []
        reach = _reach(house, house.source_hosts)
        self.notify_reach = _reach(house, house.notify_hosts)
        self.sources = Sources(db, clock, self.contexts, reach, house.alias, house.default_city)
        self.alongside(self.sources.running())
        self.offered = Offered(db, clock)
        self.alongside(self.offered.running())

    def alongside(self, work: AbstractAsyncContextManager[Any]) -> None:
        """Enter this context when the door opens and leave it when it closes."""
        self.beside.append(work)

    async def visit(self, tenant: str | None) -> Visit:
        """The visit of a request for this tenant; the default one always is (§5.5.10)."""
        if tenant is None or tenant == self.house.default_city:
            return Visit(self.house.default_city)
        if not _TENANT.match(tenant):
            raise no_tenant(tenant)
        if self.house.cities is not None:
            return Visit(tenant, tenant in self.house.cities())
        return Visit(tenant, await self.tenants.known(tenant))

    async def follow(self, visit: Visit, link: str) -> None:
        """Take the context of a Link header into the visit. Raises ContextError."""
        url = link_context(link)
        if url:
            visit.context = await self.contexts.resolve(url, visit.tenant)
            visit.context_url = url

    def tenant(self, request: Request) -> str:
        """The city asked for (§4.14). Raises Problem NonexistentTenant."""
        visit: Visit = request.scope["visit"]
        if not visit.known:
            raise no_tenant(visit.tenant)
        return visit.tenant

    async def writer(self, request: Request, *, creates: bool | None = None) -> Writer:
        """Who writes. Raises Problem: 401, 403, or 404 for a tenant that is not there.

        `creates` (a POST, when not said): the write may bring its tenant into being (§5.5.10).
        """
        creates = request.method == "POST" if creates is None else creates
        may_create = creates and self.house.cities is None
        tenant = request.scope["visit"].tenant if may_create else self.tenant(request)
        if self.house.open_writing or self.operator(request):
            return Writer(tenant, "", frozenset("*"))
        return await self._sender(request)

    async def manager(self, request: Request, *, creates: bool | None = None) -> Writer:
        """Who sees to what concerns a whole tenant: sources, subscriptions, contexts. A device that
        writes for its own entities only does not. Raises Problem."""
        writer = await self.writer(request, creates=creates)
        if "*" not in writer.entities:
            raise Problem(
                403, "OperationNotSupported", "The token is for some entities only",
                f"기기 {writer.device_id}의 토큰은 도시 전체에 대한 것이 아닙니다. /"
                f" The device {writer.device_id} is not registered for the whole city.",
            )  # fmt: skip
        return writer

    async def _sender(self, request: Request) -> Writer:
        """Who sends the request's token. Raises Problem."""
        token = bearer(request)
        if not token or self.house.authenticate is None:
            raise unauthorised()
        steps = self.house.authenticate(token, self.clock.now())
        found = await self.db.read(ALL_CITIES, steps)
        if found is None:
            raise unauthorised()
        asked = request.headers.get("NGSILD-Tenant")
        if asked is not None and asked != found.city:
            raise another_city(found.city)
        return found

    def operator(self, request: Request) -> bool:
        """Whether the request carries the operator's token."""
        wanted = self.house.operator_token
        return bool(wanted) and hmac.compare_digest(bearer(request).encode(), wanted.encode())

    async def view(self, request: Request) -> str:
        """What a reading request sees of closed entities. Raises Problem."""
        visit: Visit = request.scope["visit"]
        if not visit.known or self.operator(request):
            return EVERYTHING
        return await self.offered.view(visit.tenant, request)

    def allow(self, writer: Writer, uri: str) -> None:
        """Whether this writer may write this entity here. Raises Problem."""
        if not is_uri(uri):
            raise bad_data(f"an entity's id is a URI, not {uri[:80]!r}")
        if "*" not in writer.entities and uri not in writer.entities:
            raise Problem(
                403, "OperationNotSupported", "The token does not cover this entity",
                f"기기 {writer.device_id}은(는) 이 개체에 쓸 수 없습니다. /"
                f" The device {writer.device_id} may not write for {uri}.",
            )  # fmt: skip
        named = uri_city(uri)
        if named and named != writer.city and self.house.cities and named in self.house.cities():
            raise bad_data(f"{uri} is an entity of {named}, not of {writer.city}")

    def asked(self, request: Request, *, geo: bool = False) -> Asked:
        """How the answer is wanted; `geo`: GeoJSON is offered, too. Raises Problem."""
        visit: Visit = request.scope["visit"]
        return how_wanted(request, visit.context, visit.context_url or CORE_CONTEXT, geo=geo)

    async def body(self, request: Request) -> tuple[Any, Context]:
        """The request's JSON and its context. Raises Problem or ContextError.

        The members of a list have contexts of their own: see `context_of`.
        """
        _content(request)
        body = parse_json(await read_body(request))
        if isinstance(body, list):
            return body, request.scope["visit"].context
        return body, await self.context_of(request, body)

    async def context_of(self, request: Request, item: Any) -> Context:
        """The context of a body, or of a batch's item: in it for JSON-LD, else of the Link header,
        never both (§6.3.5). Raises Problem or ContextError."""
        visit: Visit = request.scope["visit"]
        inside = item.get("@context") if isinstance(item, dict) else None
        if _content(request) == JSON_LD:
            if visit.context_url:
                raise bad_data("an application/ld+json body goes without a Link header")
            if isinstance(item, dict) and inside is None:
                raise bad_data("an application/ld+json body has an @context")
            return await self.contexts.resolve(inside, visit.tenant)
        if inside is not None:
            raise bad_data("an @context in the body needs Content-Type: application/ld+json")
        return visit.context


def _reach(house: House, hosts: Sequence[str]) -> Reach:
    """Where a door may send to: public addresses and these hosts; an open one to private ones."""
    named = frozenset(host.strip().lower() for host in hosts if host.strip())
    return replace(LOCAL if house.open_writing else PUBLIC, hosts=named)


def _content(request: Request) -> str:
    patch = (MERGE_PATCH,) if request.method == "PATCH" else ()
    return content_type(request, (JSON, JSON_LD, *patch))


def no_tenant(name: str) -> Problem:
    return Problem(404, "NonexistentTenant", "There is no such tenant", name[:40])
