"""Batch operations: GS CIM 009 V1.9.1 §5.6.7-10, §5.6.20 at §6.14-17, §6.31."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from onsil.hub.batch import appending, merging, upserting
from onsil.hub.contexts import Context, ContextError
from onsil.hub.documents import is_uri, parse_entity
from onsil.hub.http.asking import JSON
from onsil.hub.http.batch_sources import Batch
from onsil.hub.http.door import PREFIX, Door
from onsil.hub.http.gate import Problem, bad_data, problem_of
from onsil.hub.terms import Writer
from onsil.hub.writing import Done, Intent, creating, deleting, write

BATCH_MAX = 1000
_MAKING = frozenset({"create"})  # what is done at a source is told as created

# From an item and its context to what is wanted of an entity. Raises DocumentError.
Read = Callable[[Any, Context], Intent]


def routes(door: Door) -> list[Route]:
    """The routes of batch operations."""
    own = _Batches(door)
    operations = {
        "create": own.create,
        "upsert": own.upsert,
        "update": own.update,
        "merge": own.merge,
        "delete": own.delete,
    }
    return [
        Route(f"{PREFIX}/entityOperations/{name}", operation, methods=["POST"])
        for name, operation in operations.items()
    ]


class _Batches:
    def __init__(self, door: Door) -> None:
        self.door = door

    async def create(self, request: Request) -> Response:
        """POST /entityOperations/create: 201 with the ids, or 207 with each item's fate."""
        done, errors = await self._carry_out(
            request, lambda raw, context: creating(parse_entity(raw, context))
        )
        if errors:
            return _result([one.uri for one in done], errors)
        return _json([one.uri for one in done], 201)

    async def upsert(self, request: Request) -> Response:
        """POST /entityOperations/upsert: 201 with the new ids, 204, or 207. `options=update`
        updates what is there; otherwise it is replaced."""
        replace = "update" not in request.query_params.get("options", "").split(",")
        done, errors = await self._carry_out(
            request,
            lambda raw, context: upserting(
                parse_entity(raw, context, nulls=not replace), replace=replace
            ),
        )
        if errors:
            return _result([one.uri for one in done], errors)
        created = list(dict.fromkeys(one.uri for one in done if one.created))
        return _json(created, 201) if created else Response(status_code=204)

    async def update(self, request: Request) -> Response:
        """POST /entityOperations/update: 204, or 207; `options=noOverwrite` only adds."""
        overwrite = "noOverwrite" not in request.query_params.get("options", "").split(",")
        done, errors = await self._carry_out(
            request,
            lambda raw, context: appending(
                parse_entity(raw, context, partial=True), overwrite=overwrite
            ),
        )
        left = {one.uri: one.changed.not_updated for one in done
                if one.changed is not None and one.changed.not_updated}  # fmt: skip
        errors += [_error(uri, _there_already(iris)) for uri, iris in left.items()]
        return _told([one.uri for one in done if one.uri not in left], errors)

    async def merge(self, request: Request) -> Response:
        """POST /entityOperations/merge: 204, or 207; `urn:ngsi-ld:null` removes."""
        return await self._of_existing(
            request,
            lambda raw, context: merging(parse_entity(raw, context, partial=True, merging=True)),
        )

    async def delete(self, request: Request) -> Response:
        """POST /entityOperations/delete: 204, or 207."""

        def read(raw: Any, _: Context) -> Intent:
            if not is_uri(raw):
                raise bad_data(f"an entity's id is a URI, not {str(raw)[:80]!r}")
            return deleting(raw)

        return await self._of_existing(request, read)

    async def _of_existing(self, request: Request, read: Read) -> Response:
        done, errors = await self._carry_out(request, read)
        return _told([one.uri for one in done], errors)

    async def _carry_out(
        self, request: Request, read: Read
    ) -> tuple[list[Done], list[dict[str, Any]]]:
        """All items in one transaction: what was done, and an error for each of the others."""
        creates = request.url.path.rstrip("/").endswith(("create", "upsert"))
        writer = await self.door.writer(request, creates=creates)
        body, _ = await self.door.body(request)
        if not isinstance(body, list) or not body or None in body:
            raise bad_data("a list of items is wanted, none of them null")
        if len(body) > BATCH_MAX:
            raise Problem(
                413, "BadRequestData", "Too many items", f"At most {BATCH_MAX} in a batch"
            )
        name = request.url.path.rstrip("/").rsplit("/", 1)[1]
        spread = await self.door.sources.of(request, writer.city, f"{name}Batch", writing=True)
        sources = Batch(spread, f"{name}Batch") if spread else None
        intents, errors = await self._read(request, body, read, writer, sources)
        sending = asyncio.ensure_future(sources.send()) if sources else None
        done = await self._commit(writer.city, intents, errors)
        if sending is not None:
            there, failed = await sending
            known = {one.uri for one in done}
            done += [Done(uri, name in _MAKING, None) for uri in there if uri not in known]
            errors += failed
        return done, errors

    async def _context(self, request: Request, raw: Any, lost: dict[str, ContextError]) -> Context:
        """An item's context, sought once in a batch where it is not to be had."""
        named = str(raw.get("@context")) if isinstance(raw, dict) else ""
        if named in lost:
            raise lost[named]
        try:
            return await self.door.context_of(request, raw)
        except ContextError as error:
            lost[named] = error
            raise

    async def _commit(
        self, city: str, intents: Sequence[Intent], errors: list[dict[str, Any]]
    ) -> list[Done]:
        """What was done here; the others' errors are added."""
        done: list[Done] = []
        if not intents:
            return done
        clock, terms = self.door.clock, self.door.terms
        outcomes = await self.door.db.write(city, lambda: write(city, intents, clock.now(), terms))
        for intent, outcome in zip(intents, outcomes, strict=True):
            if isinstance(outcome, Done):
                done.append(outcome)
            else:
                errors.append(_error(intent.uri, outcome))
        return done

    async def _read(
        self,
        request: Request,
        body: Sequence[Any],
        read: Read,
        writer: Writer,
        sources: Batch | None,
    ) -> tuple[list[Intent], list[dict[str, Any]]]:
        intents: list[Intent] = []
        errors: list[dict[str, Any]] = []
        lost: dict[str, ContextError] = {}  # contexts that were looked for in vain
        for raw in body:
            try:
                context = await self._context(request, raw, lost)
                intent = read(raw, context)
                self.door.allow(writer, intent.uri)
                if sources is not None:
                    left = sources.take(raw, context)
                    if left is None:
                        continue
                    intent = intent if left is raw else read(left, context)
                intents.append(intent)
            except Exception as error:
                problem = problem_of(error)
                if problem is None or (problem.status >= 500 and problem.status != 504):
                    raise
                uri = raw.get("id", "") if isinstance(raw, dict) else raw
                errors.append(_error(uri, error))
        return intents, errors


def _error(uri: Any, error: Exception) -> dict[str, Any]:
    """A BatchEntityError (§5.2.17)."""
    problem = problem_of(error)
    assert problem is not None
    return {"entityId": uri if isinstance(uri, str) else str(uri), "error": problem.body()}


def _there_already(iris: Sequence[str]) -> Problem:
    """Why attributes were not appended (§5.6.9.4 by way of §5.6.3)."""
    title = "Some attributes are there already, and were to be left"
    return Problem(409, "AlreadyExists", title, ", ".join(iris))


def _told(success: list[str], errors: list[dict[str, Any]]) -> Response:
    return _result(success, errors) if errors else Response(status_code=204)


def _result(success: list[str], errors: list[dict[str, Any]]) -> Response:
    """A BatchOperationResult (§5.2.16)."""
    return _json({"success": list(dict.fromkeys(success)), "errors": errors}, 207)


def _json(content: Any, status: int) -> Response:
    return Response(orjson.dumps(content), status, media_type=JSON)
