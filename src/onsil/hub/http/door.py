"""What every resource of the door stands on: tenant, writer, context, body, database, clock.

A resource module has `routes(door)`; its endpoints take a Starlette request and ask the door for
what they need. Refusals are raised as `Problem` and leave as ProblemDetails (GS CIM 009 V1.9.1
§5.5.2, §6.3.2).
"""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from onsil.core.clock import Clock
from onsil.hub.contexts import CORE, CORE_CONTEXT, Context
from onsil.hub.contexts.resolving import Contexts
from onsil.hub.http.asking import JSON, JSON_LD, Asked, content_type, how_wanted
from onsil.hub.http.database import Database
from onsil.hub.http.gate import Gate, Problem, bad_request, parse_json, read_body
from onsil.hub.terms import Writer
from onsil.hub.vocabulary import Dictionary

PREFIX = "/ngsi-ld/v1"
JSON_BODIES = (JSON, JSON_LD, "application/merge-patch+json")


@dataclass(slots=True)
class Visit:
    """What the headers of one request say: its tenant, and the context of its Link header."""

    tenant: str
    known: bool = True
    context: Context = CORE
    context_url: str | None = None


class Door:
    """One door to one database: `db` runs steps, `clock` tells the time, `contexts` resolves."""

    def __init__(
        self,
        db: Database,
        gate: Gate,
        clock: Clock,
        *,
        contexts: Contexts | None = None,
        open_writing: bool = False,
    ) -> None:
        self.db, self.gate, self.clock = db, gate, clock
        self.contexts = contexts or Contexts(db, clock)
        self.open_writing = open_writing
        self.terms = Dictionary()
        self.beside: list[AbstractAsyncContextManager[Any]] = []

    def alongside(self, work: AbstractAsyncContextManager[Any]) -> None:
        """Enter this context when the door opens and leave it when it closes."""
        self.beside.append(work)

    def tenant(self, request: Request) -> str:
        """The city asked for (§4.14). Raises Problem NonexistentTenant."""
        visit: Visit = request.scope["visit"]
        if not visit.known:
            raise no_tenant(visit.tenant)
        return visit.tenant

    async def writer(self, request: Request, *, creates: bool | None = None) -> Writer:
        """Who writes. Raises Problem: 401, 403, or 404 for a tenant that is not there.

        `creates` (a POST, when not said): the write may bring its tenant into being (§4.14).
        """
        creates = request.method == "POST" if creates is None else creates
        tenant = request.scope["visit"].tenant if creates else self.tenant(request)
        if self.open_writing:
            return Writer(tenant, "", frozenset("*"))
        return await run_in_threadpool(self.gate.writer, request)

    def asked(self, request: Request) -> Asked:
        """How the answer is wanted. Raises Problem."""
        visit: Visit = request.scope["visit"]
        return how_wanted(request, visit.context, visit.context_url or CORE_CONTEXT)

    async def body(self, request: Request) -> tuple[Any, Context]:
        """The request's JSON and its context. Raises Problem or ContextError.

        The members of a list have contexts of their own: see `context_of`.
        """
        content_type(request, JSON_BODIES)
        body = parse_json(await read_body(request))
        if isinstance(body, list):
            return body, request.scope["visit"].context
        return body, await self.context_of(request, body)

    async def context_of(self, request: Request, item: Any) -> Context:
        """The context of a body, or of a batch's item: in it for JSON-LD, else of the Link header,
        never both (§6.3.5). Raises Problem or ContextError."""
        visit: Visit = request.scope["visit"]
        inside = item.get("@context") if isinstance(item, dict) else None
        if content_type(request, JSON_BODIES) == JSON_LD:
            if visit.context_url:
                raise bad_request("an application/ld+json body goes without a Link header")
            if isinstance(item, dict) and inside is None:
                raise bad_request("an application/ld+json body has an @context")
            return await self.contexts.resolve(inside, visit.tenant)
        if inside is not None:
            raise bad_request("an @context in the body needs Content-Type: application/ld+json")
        return visit.context


def no_tenant(name: str) -> Problem:
    return Problem(404, "NonexistentTenant", "There is no such tenant", name[:40])
