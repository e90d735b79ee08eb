"""Writing across context sources: what of a write is whose, and what came of it (§5.6, §6.3.3).

What proxied registrations cover goes to their sources and is not done here; inclusive sources get
what is left as well as this broker; auxiliary ones nothing.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import orjson
from starlette.responses import Response

from onsil.hub.contexts import CORE_CONTEXT, Context, ContextError
from onsil.hub.documents import DocumentError, parse_entity, render
from onsil.hub.http.asking import JSON, JSON_LD
from onsil.hub.http.distributing import Spread, query_text
from onsil.hub.http.door import PREFIX
from onsil.hub.http.gate import ERRORS, Problem, problem_of
from onsil.hub.query.filters import Selector
from onsil.hub.sources.calling import Call, Unanswered
from onsil.hub.sources.matching import entity_share, query_share
from onsil.hub.sources.terms import Registration, Share

Names = frozenset[str]
# What is done here of the write, without what is covered: these attributes.
Here = Callable[[Names], Awaitable[Response]]
ENTITY_MEMBERS = frozenset(("id", "@id", "type", "@type", "@context", "scope", "expiresAt"))
_KINDS = {
    400: "BadRequestData", 404: "ResourceNotFound", 409: "AlreadyExists",
    422: "OperationNotSupported", 508: "LoopDetected",
}  # fmt: skip


class Partly(Problem):
    """A source's 207: `told` is its BatchOperationResult or UpdateResult, as far as it is one."""

    def __init__(self, told: Mapping[str, Any]) -> None:
        super().__init__(207, "InternalError", "The context source did a part of it")
        self.told = told


class Failure(NamedTuple):
    """What a source did not do, and why; `left` are the attributes it was about (None: all)."""

    registration: Registration
    problem: Problem
    left: Names | None = None


class Plan(NamedTuple):
    """Whose a write is: sources to be sent it, and what is left to do here."""

    shares: list[Share]
    refused: list[Failure]
    covered: Names
    all_covered: bool


# What stands for a batch where a source takes single operations only.
SINGLES = {
    "createBatch": frozenset(("createEntity",)),
    "upsertBatch": frozenset(("createEntity", "replaceEntity", "appendAttrs")),
    "updateBatch": frozenset(("appendAttrs",)),
    "mergeBatch": frozenset(("mergeEntity",)),
    "deleteBatch": frozenset(("deleteEntity",)),
}


def offers(registration: Registration, operation: str) -> bool:
    """Whether a source takes a write, if it is a batch by single operations."""
    singles = SINGLES.get(operation)
    return operation in registration.operations or bool(
        singles and singles <= registration.operations
    )


def plan_write(
    spread: Spread, operation: str, uri: str, types: Collection[str], attrs: Names | None
) -> Plan:
    """Divide a write of these attributes (None: of the entity as a whole) of one entity."""
    shares: list[Share] = []
    refused: list[Failure] = []
    covered: set[str] = set()
    everything = False
    for mode in ("exclusive", "redirect", "inclusive"):
        before = frozenset(covered)
        if everything:
            break
        for one in spread.registrations:
            if one.mode != mode:
                continue
            left = attrs - before if attrs is not None else None
            share = entity_share(one, uri, types, left)
            if share is None or (attrs and not left):
                continue
            offered = offers(one, operation)
            if offered:
                shares.append(share)
            if mode == "inclusive":
                continue
            if not offered:
                refused.append(Failure(one, _not_offered(one, operation), share.attrs))
            if share.whole:
                everything = True
            elif share.attrs is not None:
                covered |= share.attrs
    done = everything or bool(attrs and attrs <= covered)
    return Plan(shares, refused, frozenset(covered), done)


async def provide(
    spread: Spread, operation: str, uri: str, types: Collection[str], attrs: Names | None,
    body: Any, here: Here, *, result: Literal["batch", "update"], created: str = "",
) -> Response:  # fmt: skip
    """Carry out a write here and at sources: its answer, 207 where only some of it was done.

    `attrs` (IRIs) are those the write is about; `result` is the form of the 207. Raises what `here`
    raises, or a Problem, where nothing was done.
    """
    plan = plan_write(spread, operation, uri, types, attrs)
    if not plan.shares and not plan.refused:
        return await here(frozenset())
    sending = asyncio.gather(*(_send(spread, share, body, attrs) for share in plan.shares))
    local: Response | None = None
    error: Exception | None = None
    if not plan.all_covered:
        try:
            local = await here(plan.covered)
        except Exception as raised:
            if problem_of(raised) is None:
                sending.cancel()
                raise
            error = raised
    outcomes = await sending
    failures = [*plan.refused, *(one for one in outcomes if one is not None)]
    done = local is not None or any(one is None or one.problem.status == 207 for one in outcomes)
    if done:  # where it has been before, it is done
        failures = [one for one in failures if one.problem.status != 508]
    if not done:
        raise error if error is not None else failures[0].problem
    if error is None and not failures:
        if local is not None:
            return local
        headers = {"Location": created} if created else None
        return Response(status_code=201 if created else 204, headers=headers)
    if result == "batch":
        return _batch_result(uri, error, failures)
    return _update_result(spread.context, attrs or frozenset(), local, error, failures)


async def _send(spread: Spread, share: Share, body: Any, attrs: Names | None) -> Failure | None:
    """Send a source its share of a write. None: it is done."""
    registration = share.registration
    try:
        context, url = await spread.context_for(registration)
        content, media, url = _content(spread, share, body, attrs, context, url)
    except (ContextError, DocumentError) as error:
        return Failure(registration, Problem(502, "InternalError", "Not sent", str(error)))
    request = spread.request
    raw = request.scope.get("raw_path") or request.scope["path"].encode()
    target = raw.split(b"?", 1)[0].decode("latin-1").removeprefix(PREFIX)
    pairs = list(request.query_params.multi_items())
    if registration.local_only:
        pairs.append(("local", "true"))
    target += f"?{query_text(pairs)}" if pairs else ""
    headers = spread.headers(registration, url, media)
    problem = await sent(spread, registration, Call(request.method, target, headers, content))
    if isinstance(problem, Partly):
        return _left_over(Failure(registration, problem, share.attrs), attrs, context)
    return None if problem is None else Failure(registration, problem, share.attrs)


def _left_over(failure: Failure, attrs: Names | None, context: Context) -> Failure | None:
    """What is left of a write of which a source did a part: the attributes that it names.

    Without a list of them it is all; None when there is nothing left.
    """
    assert isinstance(failure.problem, Partly)
    left = failure.problem.told.get("notUpdated")
    if attrs is None or not isinstance(left, list):
        return failure
    items = [one for one in left if isinstance(one, dict) and "attributeName" in one]
    named = frozenset(context.iri(str(one["attributeName"])) for one in items)
    if not named:
        return None
    failure.problem.detail = "; ".join(str(one.get("reason", ""))[:200] for one in items)
    return failure._replace(left=named)


async def sent(spread: Spread, registration: Registration, call: Call) -> Problem | None:
    """Send a source a write: what went wrong, `Partly` for a 207, None when it is done."""
    try:
        answered = await spread.sources.caller.call(registration, call)
    except Unanswered as error:
        status = 504 if error.late else 502
        title = "The context source gave no answer"
        return Problem(status, "InternalError", title, str(error))
    if 200 <= answered.status < 300 and answered.status != 207:
        return None
    kind, title, detail = _KINDS.get(answered.status, "InternalError"), "", ""
    try:
        told = orjson.loads(answered.body) if answered.body else {}
    except orjson.JSONDecodeError:
        told = {}
    if answered.status == 207:
        return Partly(told if isinstance(told, dict) else {})
    if isinstance(told, dict):
        named = str(told.get("type", ""))
        kind = named.removeprefix(ERRORS)[:80] if named.startswith(ERRORS) else kind
        title, detail = str(told.get("title", ""))[:200], str(told.get("detail", ""))[:500]
    title = title or f"The context source answered {answered.status}"
    return Problem(answered.status, kind, title, detail)


def _content(
    spread: Spread, share: Share, body: Any, attrs: Names | None, context: Context, url: str | None
) -> tuple[bytes, str, str | None]:
    """The body for a source, its media type, and the URL of its context. Raises DocumentError."""
    if body is None:
        return b"", "", url
    content = body
    if (
        isinstance(body, dict)
        and "attribute" not in spread.request.path_params
        and attrs is not None
        and share.attrs is not None
    ):
        content = reduced(body, spread.context, share.attrs)
    return told_in(spread, share.registration, content, context, url)


def told_in(
    spread: Spread, registration: Registration, content: Any, context: Context, url: str | None
) -> tuple[bytes, str, str | None]:
    """Content in the context and media type that a source wants (§4.3.6.6), as `_content`."""
    media = spread.request.headers.get("content-type", JSON).split(";")[0].strip()
    many = content if isinstance(content, list) else [content]
    if registration.told("jsonldContext"):
        made = [_translated(one, spread.context, context) for one in many]
        return orjson.dumps(made if isinstance(content, list) else made[0]), JSON, url
    wanted = registration.told("contentType") or media
    if wanted == JSON_LD and media != JSON_LD:
        named = {"@context": url or CORE_CONTEXT}
        made = [{**one, **named} if isinstance(one, dict) else one for one in many]
        content = made if isinstance(content, list) else made[0]
    elif wanted == JSON and media == JSON_LD:
        inside = [one.get("@context") for one in many if isinstance(one, dict)]
        if inside and all(isinstance(one, str) and one == inside[0] for one in inside):
            url = inside[0]
            made = [{k: v for k, v in one.items() if k != "@context"} for one in many]
            content = made if isinstance(content, list) else made[0]
        else:
            wanted = JSON_LD  # an inline context has no address to be named by
    return orjson.dumps(content), wanted, url


def _translated(content: Any, mine: Context, theirs: Context) -> Any:
    if not isinstance(content, dict):
        return content
    document = parse_entity(content, mine, partial=True, merging=True)
    made = render(document, theirs)
    if document.expires_at:
        made["expiresAt"] = document.expires_at
    return {k: v for k, v in made.items() if v not in ("", [])}


def reduced(body: Mapping[str, Any], context: Context, attrs: Names) -> dict[str, Any]:
    """An entity as sent, with no other attributes than these."""
    return {
        name: value for name, value in body.items()
        if name in ENTITY_MEMBERS or context.iri(name) in attrs
    }  # fmt: skip


def without(body: Mapping[str, Any], context: Context, attrs: Names) -> dict[str, Any]:
    """An entity as sent, without these attributes."""
    return {n: v for n, v in body.items() if n in ENTITY_MEMBERS or context.iri(n) not in attrs}


def _not_offered(registration: Registration, operation: str) -> Problem:
    return Problem(
        409, "Conflict", f"The context source does not offer {operation}", registration.uri
    )


def error_item(uri: str, problem: Problem, registration: str = "") -> dict[str, Any]:
    """A BatchEntityError (§5.2.17)."""
    made = {"entityId": uri, "error": problem.body()}
    return made | {"registrationId": registration} if registration else made


def _batch_result(uri: str, error: Exception | None, failures: list[Failure]) -> Response:
    errors = []
    if error is not None and (problem := problem_of(error)) is not None:
        errors.append(error_item(uri, problem))
    errors += [error_item(uri, one.problem, one.registration.uri) for one in failures]
    return Response(orjson.dumps({"success": [uri], "errors": errors}), 207, media_type=JSON)


def _update_result(
    context: Context, attrs: Names, local: Response | None, error: Exception | None,
    failures: list[Failure],
) -> Response:  # fmt: skip
    """An UpdateResult (§5.2.18)."""
    told = orjson.loads(local.body) if local is not None and local.status_code == 207 else {}
    left = list(told.get("notUpdated", ()))
    named = {context.iri(one["attributeName"]) for one in left}
    if error is not None:
        gone = attrs - {iri for one in failures for iri in one.left or ()}
        left += [_left(iri, str(error), "", context) for iri in sorted(gone)]
        named |= gone
    for one in failures:
        of = one.left if one.left is not None else attrs
        reason = one.problem.detail or one.problem.title
        left += [_left(iri, reason, one.registration.uri, context) for iri in sorted(of)]
        named |= of
    updated = sorted(context.term(iri) for iri in attrs - named)
    return Response(orjson.dumps({"updated": updated, "notUpdated": left}), 207, media_type=JSON)


def _left(iri: str, reason: str, registration: str, context: Context) -> dict[str, str]:
    made = {"attributeName": context.term(iri), "reason": reason}
    return made | {"registrationId": registration} if registration else made


async def purge_spread(
    spread: Spread, selectors: Sequence[Selector], attrs: Names
) -> list[dict[str, Any]]:
    """Purge at the sources that offer it, with the request's parameters: what failed (§5.6.21)."""

    async def one(registration: Registration) -> dict[str, Any] | None:
        if query_share(registration, selectors, attrs) is None:
            return None
        _, url = await spread.context_for(registration)
        pairs = list(spread.request.query_params.multi_items())
        pairs += [("local", "true")] if registration.local_only else []
        call = Call("DELETE", f"/entities?{query_text(pairs)}", spread.headers(registration, url))
        problem = await sent(spread, registration, call)
        if problem is None or problem.status in (404, 508):
            return None
        return error_item(registration.uri, problem, registration.uri)

    outcomes = await asyncio.gather(*(one(r) for r in spread.registrations))
    return [error for error in outcomes if error is not None]
