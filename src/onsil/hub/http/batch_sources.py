"""A batch divided among context sources: at once, or one by one where a source takes no batches."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from onsil.hub.contexts import Context, ContextError
from onsil.hub.documents import DocumentError
from onsil.hub.http.distributing import Spread, entity_path, query_text
from onsil.hub.http.door import PREFIX
from onsil.hub.http.gate import Problem
from onsil.hub.http.providing import (
    ENTITY_MEMBERS,
    Partly,
    error_item,
    plan_write,
    reduced,
    sent,
    told_in,
    without,
)
from onsil.hub.sources.calling import Call
from onsil.hub.sources.terms import Registration


@dataclass
class Batch:
    """A batch divided among sources, item by item; `send` sends each source its items at once."""

    spread: Spread
    operation: str
    items: dict[int, tuple[Registration, list[Any], list[str]]] = field(default_factory=dict)
    refused: list[dict[str, Any]] = field(default_factory=list)

    def take(self, raw: Any, context: Context) -> Any:
        """Plan one item (an entity, or an id to delete): what is left to do here, None nothing."""
        entity = raw if isinstance(raw, dict) else {"id": raw}
        uri = str(entity.get("id", entity.get("@id", "")))
        types = entity.get("type", entity.get("@type", ()))
        names = [types] if isinstance(types, str) else types
        iris = [context.iri(n) for n in names if isinstance(n, str)]
        attrs = None
        if isinstance(raw, dict):
            attrs = frozenset(context.iri(n) for n in raw if n not in ENTITY_MEMBERS)
        plan = plan_write(self.spread, self.operation, uri, iris, attrs)
        for share in plan.shares:
            whole = share.attrs is None or not isinstance(raw, dict)
            part = raw if whole else reduced(raw, context, share.attrs or frozenset())
            one = share.registration
            _, parts, uris = self.items.setdefault(one.number, (one, [], []))
            parts.append(part)
            uris.append(uri)
        self.refused += [error_item(uri, one.problem, one.registration.uri) for one in plan.refused]
        if plan.all_covered:
            return None
        if plan.covered and isinstance(raw, dict):
            return without(raw, context, plan.covered)
        return raw

    async def send(self) -> tuple[list[str], list[dict[str, Any]]]:
        """The ids that sources did, and errors for what they did not."""
        outcomes = await asyncio.gather(*(self._send(*one) for one in self.items.values()))
        done = [uri for good, _ in outcomes for uri in good]
        return done, [*self.refused, *(error for _, bad in outcomes for error in bad)]

    async def _send(
        self, registration: Registration, parts: list[Any], uris: list[str]
    ) -> tuple[list[str], list[dict[str, Any]]]:
        spread = self.spread
        if self.operation not in registration.operations:
            return await self._send_singly(registration, parts, uris)
        try:
            context, url = await spread.context_for(registration)
            content, media, url = told_in(spread, registration, parts, context, url)
        except (ContextError, DocumentError) as error:
            problem = Problem(502, "InternalError", "Not sent", str(error))
            return [], [error_item(uri, problem, registration.uri) for uri in uris]
        path = spread.request.url.path.removeprefix(PREFIX).rstrip("/")
        headers = spread.headers(registration, url, media)
        call = Call("POST", self._target(registration, path), headers, content)
        problem = await sent(spread, registration, call)
        if problem is None:
            return uris, []
        if isinstance(problem, Partly):
            return _parted(problem, uris, registration)
        return [], [error_item(uri, problem, registration.uri) for uri in uris]

    def _target(self, registration: Registration, path: str) -> str:
        pairs = list(self.spread.request.query_params.multi_items())
        pairs += [("local", "true")] if registration.local_only else []
        return path + (f"?{query_text(pairs)}" if pairs else "")

    async def _send_singly(
        self, registration: Registration, parts: list[Any], uris: list[str]
    ) -> tuple[list[str], list[dict[str, Any]]]:
        """The items one after the other, each as a write of one entity."""
        done: list[str] = []
        errors: list[dict[str, Any]] = []
        for part, uri in zip(parts, uris, strict=True):
            problem = await self._single(registration, part, uri)
            if problem is None:
                done.append(uri)
            else:
                errors.append(error_item(uri, problem, registration.uri))
        return done, errors

    async def _single(self, registration: Registration, part: Any, uri: str) -> Problem | None:
        one, options = entity_path(uri), self.spread.request.query_params.get("options", "")
        if self.operation == "deleteBatch":
            return await self._call(registration, "DELETE", one, None)
        if self.operation == "mergeBatch":
            return await self._call(registration, "PATCH", one, part)
        if self.operation == "updateBatch":
            how = "?options=noOverwrite" if "noOverwrite" in options else ""
            return await self._call(registration, "POST", f"{one}/attrs{how}", part)
        problem = await self._call(registration, "POST", "/entities", part)
        if self.operation == "createBatch" or problem is None or problem.status != 409:
            return problem
        if "update" in options.split(","):
            return await self._call(registration, "POST", f"{one}/attrs", part)
        return await self._call(registration, "PUT", one, part)

    async def _call(
        self, registration: Registration, method: str, target: str, part: Any
    ) -> Problem | None:
        spread = self.spread
        content, media = b"", ""
        try:
            context, url = await spread.context_for(registration)
            if part is not None:
                content, media, url = told_in(spread, registration, part, context, url)
        except (ContextError, DocumentError) as error:
            return Problem(502, "InternalError", "Not sent", str(error))
        if registration.local_only:
            target += ("&" if "?" in target else "?") + "local=true"
        headers = spread.headers(registration, url, media)
        return await sent(spread, registration, Call(method, target, headers, content))


def _parted(
    problem: Partly, uris: list[str], registration: Registration
) -> tuple[list[str], list[dict[str, Any]]]:
    """What a source did of a batch, by its BatchOperationResult; all failed if it says nothing."""
    told = problem.told.get("errors")
    if not isinstance(told, list) or not told:
        return [], [error_item(uri, problem, registration.uri) for uri in uris]
    errors = {
        one["entityId"]: one | {"registrationId": registration.uri}
        for one in told if isinstance(one, dict) and isinstance(one.get("entityId"), str)
    }  # fmt: skip
    return [uri for uri in uris if uri not in errors], list(errors.values())
