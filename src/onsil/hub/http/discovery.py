"""Types and attributes in use: GS CIM 009 V1.9.1 §5.7.5-5.7.10, §6.25-6.28."""

import hashlib
from collections.abc import Callable, Collection, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from onsil.hub.contexts import Context
from onsil.hub.http.asking import answer
from onsil.hub.http.distributing import Spread
from onsil.hub.http.door import PREFIX, Door
from onsil.hub.http.gate import Problem, bad_data, bad_request, not_found
from onsil.hub.http.surveying import discover_spread
from onsil.hub.query.discovery import (
    AttributeInfo,
    attributes,
    type_count,
    types_with_attributes,
    types_with_counts,
)

_LISTING = frozenset(("details", "local", "count"))


def routes(door: Door) -> list[Route]:
    """The routes of discovery."""
    own = _Discovery(door)
    return [
        Route(f"{PREFIX}/types", own.types, methods=["GET"]),
        Route(f"{PREFIX}/types/{{type}}", own.type, methods=["GET"]),
        Route(f"{PREFIX}/attributes", own.attributes, methods=["GET"]),
        Route(f"{PREFIX}/attributes/{{attribute}}", own.attribute, methods=["GET"]),
    ]


class _Discovery:
    """What there is, told in the short names of the request's context."""

    def __init__(self, door: Door) -> None:
        self.door = door

    async def types(self, request: Request) -> Response:
        """GET /types: an EntityTypeList, or with details=true a list of EntityType."""
        detailed = _detailed(request)
        form, city = self.door.asked(request), self.door.tenant(request)
        term, now = form.context.term, self.door.clock.now()
        if detailed:
            rows = await self.door.db.read(city, types_with_attributes(city, now))
            spread = await self._spread(request, city, "retrieveEntityTypeDetails")
            known = {iri: set(names) for iri, names in rows}
            await _add(spread, "/types", known, "typeName", "attributeNames")
            body = [
                {
                    "id": iri, "type": "EntityType", "typeName": term(iri),
                    "attributeNames": sorted(term(a) for a in names),
                }
                for iri, names in known.items()
            ]  # fmt: skip
            return _warned(spread, answer(body, form, headers=_counted(request, len(body))))
        found = await self.door.db.read(city, types_with_counts(city, now))
        spread = await self._spread(request, city, "retrieveEntityTypes")
        iris = {iri: set() for iri, _ in found}
        await _add(spread, "/types", iris, "typeList")
        names = sorted(term(iri) for iri in iris)
        listed = {"id": _list_id("EntityTypeList", city), "type": "EntityTypeList",
                  "typeList": names}  # fmt: skip
        return _warned(spread, answer(listed, form, headers=_counted(request, len(names))))

    async def type(self, request: Request) -> Response:
        """GET /types/{type}: its EntityTypeInfo."""
        _only(request, ("local",))
        form, city = self.door.asked(request), self.door.tenant(request)
        name, now = request.path_params["type"], self.door.clock.now()
        iri, term = form.context.iri(name), form.context.term
        number = await self.door.db.read(city, type_count(city, iri, now))
        infos = await self.door.db.read(city, attributes(city, type_iri=iri, now=now))
        kinds = {one.iri: set(one.kinds) for one in infos}
        spread = await self._spread(request, city, "retrieveEntityTypeInfo")
        number += await _add_one(
            spread, "/types", iri, "entityCount",
            lambda body, context: _held(body, context, kinds),
        )  # fmt: skip
        if not number:
            raise _missing(spread, not_found(f"no entity has the type {name}"))
        return _warned(spread, answer({
            "id": iri, "type": "EntityTypeInfo", "typeName": term(iri), "entityCount": number,
            "attributeDetails": [
                {"id": one, "type": "Attribute", "attributeName": term(one),
                 "attributeTypes": sorted(some)}
                for one, some in kinds.items()
            ],
        }, form))  # fmt: skip

    async def attributes(self, request: Request) -> Response:
        """GET /attributes: an AttributeList, or with details=true a list of Attribute."""
        detailed = _detailed(request)
        form, city = self.door.asked(request), self.door.tenant(request)
        term = form.context.term
        infos = await self.door.db.read(city, attributes(city, now=self.door.clock.now()))
        known = {one.iri: set(one.types) for one in infos}
        if detailed:
            spread = await self._spread(request, city, "retrieveAttrTypeDetails")
            await _add(spread, "/attributes", known, "attributeName", "typeNames")
            body = [
                {
                    "id": iri, "type": "Attribute", "attributeName": term(iri),
                    "typeNames": sorted(term(t) for t in types),
                }
                for iri, types in known.items()
            ]  # fmt: skip
            return _warned(spread, answer(body, form, headers=_counted(request, len(body))))
        spread = await self._spread(request, city, "retrieveAttrTypes")
        await _add(spread, "/attributes", known, "attributeList")
        names = sorted(term(iri) for iri in known)
        listed = {"id": _list_id("AttributeList", city), "type": "AttributeList",
                  "attributeList": names}  # fmt: skip
        return _warned(spread, answer(listed, form, headers=_counted(request, len(names))))

    async def attribute(self, request: Request) -> Response:
        """GET /attributes/{attribute}: how it is used."""
        _only(request, ("local",))
        form, city = self.door.asked(request), self.door.tenant(request)
        name = request.path_params["attribute"]
        found: list[AttributeInfo] = await self.door.db.read(
            city,
            attributes(city, attribute_iri=form.context.iri(name), now=self.door.clock.now()),
        )
        one, term = form.context.iri(name), form.context.term
        kinds = {kind for info in found for kind in info.kinds}
        types = {iri for info in found for iri in info.types}

        def add(body: Mapping[str, Any], context: Context) -> None:
            kinds.update(_texts(body.get("attributeTypes")))
            types.update(context.iri(t) for t in _texts(body.get("typeNames")))

        spread = await self._spread(request, city, "retrieveAttrTypeInfo")
        number = sum(info.count for info in found)
        number += await _add_one(spread, "/attributes", one, "attributeCount", add)
        if not number:
            raise _missing(spread, not_found(f"no entity has the attribute {name}"))
        return _warned(spread, answer({
            "id": one, "type": "Attribute", "attributeName": term(one),
            "attributeTypes": sorted(kinds), "typeNames": sorted(term(t) for t in types),
            "attributeCount": number,
        }, form))  # fmt: skip

    async def _spread(self, request: Request, city: str, operation: str) -> Spread | None:
        return await self.door.sources.of(request, city, operation)


async def _add(
    spread: Spread | None, path: str, known: dict[str, set[str]], names: str, inner: str = ""
) -> None:
    """Add what context sources have: a list of `names`, or objects with names of `inner`."""
    if spread is None:
        return
    for body, context in await discover_spread(spread, path):
        items = body if isinstance(body, list) else body.get(names) if names in body else []
        for item in items or ():
            name = item.get(names) if isinstance(item, dict) else item
            if isinstance(name, str):
                held = known.setdefault(context.iri(name), set())
                more = item.get(inner, ()) if isinstance(item, dict) else ()
                held |= {context.iri(one) for one in more if isinstance(one, str)}


async def _add_one(
    spread: Spread | None, path: str, iri: str, counted: str,
    add: Callable[[Mapping[str, Any], Context], None],
) -> int:  # fmt: skip
    """Add what sources have of one type or attribute; how many entities they count with it."""
    total = 0
    for body, context in await discover_spread(spread, path, iri) if spread else ():
        if not isinstance(body, dict):
            continue
        add(body, context)
        number = body.get(counted)
        # A source that does not count has one at least, or would not have answered.
        total += number if isinstance(number, int) and number > 0 else 1
    return total


def _held(body: Mapping[str, Any], context: Context, kinds: dict[str, set[str]]) -> None:
    """Take the attributes of an EntityTypeInfo with their kinds."""
    for item in body.get("attributeDetails") or ():
        name = item.get("attributeName") if isinstance(item, dict) else None
        if isinstance(name, str):
            some = kinds.setdefault(context.iri(name), set())
            some.update(_texts(item.get("attributeTypes")))


def _texts(value: Any) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def _missing(spread: Spread | None, problem: Problem) -> Problem:
    return spread.missing(problem) if spread else problem


def _warned(spread: Spread | None, response: Response) -> Response:
    return spread.warned(response) if spread else response


def _detailed(request: Request) -> bool:
    _only(request, _LISTING)
    details = request.query_params.get("details", "false")
    if details not in ("true", "false"):
        raise bad_data("details is true or false")
    return details == "true"


def _only(request: Request, names: Collection[str]) -> None:
    """Refuse parameters that an operation does not define (§6.3.20)."""
    for name in request.query_params:
        if name not in names:
            raise bad_request(f"there is no parameter {name!r} here")


def _counted(request: Request, number: int) -> dict[str, str]:
    if request.query_params.get("count") == "true":
        return {"NGSILD-Results-Count": str(number)}
    return {}


def _list_id(kind: str, city: str) -> str:
    """A URI for the list of one tenant."""
    return f"urn:ngsi-ld:{kind}:{hashlib.sha256(city.encode()).hexdigest()[:16]}"
