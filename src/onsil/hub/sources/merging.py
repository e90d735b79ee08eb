"""Putting together what several brokers hold of one entity (§4.3.6.2, §4.5.5). Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, NamedTuple

from onsil.hub.documents import Document, DocumentError, Instance, parse_time
from onsil.hub.query.filters import Filter, Selector
from onsil.hub.query.geo import place_matches
from onsil.hub.query.matching import matches
from onsil.hub.query.patterns import compiled_pattern
from onsil.hub.query.scopes import scope_matches
from onsil.hub.query.type_selection import types_match
from onsil.hub.sources.terms import PROXIED, Mode

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


class Part(NamedTuple):
    """What one source says of an entity, as far as it is registered (`attrs` None: for all)."""

    mode: Mode
    document: Document
    attrs: frozenset[str] | None = None


def merge_entity_parts(local: Document | None, parts: Sequence[Part]) -> Document | None:
    """One entity of what is held here and what sources say of it; None when nobody has it.

    What proxied sources are registered for is theirs alone; of equals the newest instance counts;
    auxiliary ones fill gaps.
    """
    proxied = [one for one in parts if one.mode in PROXIED]
    inclusive = [one for one in parts if one.mode == "inclusive"]
    auxiliary = [one for one in parts if one.mode == "auxiliary"]
    own = local
    if local is not None and proxied:
        own = replace(local, attrs=_without(local.attrs, proxied))
    holders = [own] if own is not None else []
    holders += [_narrowed(one) for one in (*proxied, *inclusive)]
    made = _together(holders)
    for one in auxiliary:
        extra = _narrowed(one)
        if made is None:
            made = extra
            continue
        attrs = {**extra.attrs, **made.attrs}
        for iri in made.attrs.keys() & extra.attrs.keys():
            attrs[iri] = _filled(made.attrs[iri], extra.attrs[iri])
        made = replace(made, attrs=attrs)
    return made


def _without(attrs: Mapping[str, list[Instance]], proxied: Iterable[Part]) -> dict[str, Any]:
    gone: set[str] = set()
    for one in proxied:
        if one.attrs is None:
            return {}
        gone |= one.attrs
    return {iri: instances for iri, instances in attrs.items() if iri not in gone}


def _narrowed(part: Part) -> Document:
    if part.attrs is None:
        return part.document
    attrs = {iri: some for iri, some in part.document.attrs.items() if iri in part.attrs}
    return replace(part.document, attrs=attrs)


def _together(holders: Sequence[Document]) -> Document | None:
    if not holders:
        return None
    if len(holders) == 1:
        return holders[0]
    attrs: dict[str, list[Instance]] = {}
    for one in holders:
        for iri, instances in one.attrs.items():
            there = attrs.get(iri)
            attrs[iri] = _newest(there, instances) if there else list(instances)
    first = holders[0]
    return Document(
        first.uri,
        sorted({name for one in holders for name in one.types}),
        list(dict.fromkeys(scope for one in holders for scope in one.scopes)),
        attrs,
        _expiry([one.expires_at for one in holders]),
        next((one.created_at for one in holders if one.created_at), None),
        max((one.modified_at for one in holders if one.modified_at), default=None),
    )


def _expiry(times: Sequence[str | None]) -> str | None:
    """The latest, if every version has one (§4.5.5.3)."""
    known = [one for one in times if one]
    return max(known, key=parse_time) if known and len(known) == len(times) else None


def _newest(there: Sequence[Instance], others: Sequence[Instance]) -> list[Instance]:
    made = {one.get("datasetId", ""): one for one in there}
    for one in others:
        key = one.get("datasetId", "")
        if key not in made or _age(one) > _age(made[key]):
            made[key] = one
    return list(made.values())


def _filled(there: Sequence[Instance], others: Sequence[Instance]) -> list[Instance]:
    known = {one.get("datasetId", "") for one in there}
    return [*there, *(one for one in others if one.get("datasetId", "") not in known)]


def _age(instance: Instance) -> tuple[datetime, datetime]:
    return _time(instance.get("observedAt")), _time(instance.get("modifiedAt"))


def _time(text: str | None) -> datetime:
    try:
        return parse_time(text) if text else _LONG_AGO
    except DocumentError:
        return _LONG_AGO


def fits(wanted: Filter, document: Document) -> bool:
    """Whether an entity is among those looked for (§5.7.2)."""
    if wanted.selectors and not any(_selected(one, document) for one in wanted.selectors):
        return False
    if wanted.attrs and document.attrs.keys().isdisjoint(wanted.attrs):
        return False
    if wanted.q is not None and not matches(wanted.q, document):
        return False
    if wanted.geo is not None and not place_matches(wanted.geo, document):
        return False
    return wanted.scopes is None or scope_matches(wanted.scopes, document.scopes)


def _selected(selector: Selector, document: Document) -> bool:
    if not types_match(selector.types, document.types):
        return False
    if selector.ids:
        return document.uri in selector.ids
    if selector.id_pattern:
        return compiled_pattern(selector.id_pattern).search(document.uri) is not None
    return True


def merge_evolutions(bodies: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Temporal representations of one entity, in the same names and form, as one (§5.7.3)."""
    made = dict(bodies[0])
    for body in bodies[1:]:
        for name, value in body.items():
            if name in ("id", "@context"):
                continue
            made[name] = _joined(name, made[name], value) if name in made else value
    return made


def _joined(name: str, one: Any, other: Any) -> Any:
    if name == "type":
        types = dict.fromkeys([*_listed(one), *_listed(other)])
        return next(iter(types)) if len(types) == 1 else list(types)
    if _is_pairs(one) and _is_pairs(other):
        key = "values" if "values" in one else "objects"
        if key in one and key in other:
            pairs = [*one[key], *(pair for pair in other[key] if pair not in one[key])]
            return {**one, key: sorted(pairs, key=lambda pair: str(pair[-1]))}
        return one
    instances = _listed(one)
    instances = [*instances, *(i for i in _listed(other) if not _has(instances, i))]
    return sorted(instances, key=_observed)


def _has(instances: Sequence[Any], instance: Any) -> bool:
    def bare(one: Any) -> Any:
        return {k: v for k, v in one.items() if k != "instanceId"} if isinstance(one, dict) else one

    return any(bare(one) == bare(instance) for one in instances)


def _observed(instance: Any) -> str:
    return str(instance.get("observedAt", "")) if isinstance(instance, dict) else ""


def _is_pairs(value: Any) -> bool:
    return isinstance(value, dict) and ("values" in value or "objects" in value)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
