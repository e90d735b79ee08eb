"""What context sources tell of types, attributes and the temporal evolution (§5.7.3 to §5.7.10)."""

import asyncio
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import orjson

from onsil.hub.contexts import Context, ContextError
from onsil.hub.http.asking import JSON
from onsil.hub.http.distributing import Spread, query_text
from onsil.hub.sources.calling import Call
from onsil.hub.sources.matching import entity_share
from onsil.hub.sources.merging import merge_evolutions


async def discover_spread(spread: Spread, path: str, name: str = "") -> list[tuple[Any, Context]]:
    """What every source answers at a path of discovery, with the context it is in (§5.7.5 ff.).

    `name`: the IRI of the one type or attribute below the path that is asked about.
    """
    details = spread.request.query_params.get("details")
    pairs = [("details", details)] if details else []

    async def one(registration: Any) -> tuple[Any, Context] | None:
        try:
            context, url = await spread.context_for(registration)
        except ContextError as error:
            spread.warn(199, registration, str(error))
            return None
        asked = [*pairs, *([("local", "true")] if registration.local_only else [])]
        one_of = f"/{quote(context.term(name), safe=':')}" if name else ""
        target = path + one_of + (f"?{query_text(asked)}" if asked else "")
        found = await spread.ask(
            registration, Call("GET", target, spread.headers(registration, url))
        )
        if found is None:
            return None
        try:
            return found[0], await spread.answer_context(found[1], found[0], context)
        except ContextError as error:
            spread.warn(111, registration, str(error))
            return None

    answers = await asyncio.gather(*(one(r) for r in spread.registrations))
    return [answered for answered in answers if answered is not None]


async def evolutions_spread(
    spread: Spread, path: str, local: list[dict[str, Any]], uri: str = "",
    query: Mapping[str, Any] | None = None,
) -> list[dict[str, Any]]:  # fmt: skip
    """Temporal representations from here and from sources, by id (§5.7.3, §5.7.4).

    Sources are asked with the request's own parameters, in its own names; with a `query` in a body
    by the same.
    """
    left = ("local", "csf", "count", "offset")
    pairs = [(n, v) for n, v in spread.request.query_params.multi_items() if n not in left]

    async def one(registration: Any) -> list[dict[str, Any]]:
        if uri and entity_share(registration, uri, ()) is None:
            return []
        asked = [*pairs, *([("local", "true")] if registration.local_only else [])]
        target = path + (f"?{query_text(asked)}" if asked else "")
        if query is None:
            headers = spread.headers(registration, spread.context_url) | {"Accept": JSON}
            call = Call("GET", target, headers)
        else:
            media = spread.request.headers.get("content-type", JSON).split(";")[0].strip()
            headers = spread.headers(registration, spread.context_url, media) | {"Accept": JSON}
            call = Call("POST", target, headers, orjson.dumps(query))
        found = await spread.ask(registration, call)
        if found is None:
            return []
        bodies = found[0] if isinstance(found[0], list) else [found[0]]
        if not all(isinstance(body, dict) and "id" in body for body in bodies):
            spread.warn(111, registration, "its answer is no temporal evolution")
            return []
        return bodies

    answers = await asyncio.gather(*(one(r) for r in spread.registrations))
    together: dict[str, list[dict[str, Any]]] = {body["id"]: [body] for body in local}
    for bodies in answers:
        for body in bodies:
            together.setdefault(body["id"], []).append(body)
    return [merge_evolutions(bodies) for bodies in together.values()]
