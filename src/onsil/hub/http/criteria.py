"""What is looked for: from a request's parameters (§6.4.3.2) or a Query in a body (§5.2.23)."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import orjson

from onsil.hub.contexts import Context
from onsil.hub.documents import ALL, Selection, check_name, is_uri, parse_selection
from onsil.hub.http.gate import bad_data
from onsil.hub.query.filters import Filter, Selector
from onsil.hub.query.geo import GeoQuery, read_geo
from onsil.hub.query.ordering import Ordering, read_ordering
from onsil.hub.query.patterns import checked_pattern
from onsil.hub.query.q import SYSTEM, Tree, attributes_of, parse_q
from onsil.hub.query.scopes import parse_scope_q
from onsil.hub.query.type_selection import parse_type_selection

JOINS = ("flat", "inline", "@none")
JOIN_LEVEL_MAX = 10
_TEXTS = ("q", "csf", "scopeQ", "lang", "join", "collation")
_LISTS = ("entities", "attrs", "pick", "omit", "datasetId", "expandValues", "jsonKeys",
          "containedBy")  # fmt: skip


class Criteria(NamedTuple):
    """What is looked for, and what of it is shown.

    `attrs` (IRIs), `selection`, `datasets` and `lang` narrow what is shown; `join` adds linked
    entities up to `level` relationships away, but for those in `contained_by`.
    """

    filter: Filter
    attrs: frozenset[str] | None = None
    selection: Selection = ALL
    datasets: frozenset[str] | None = None
    lang: str | None = None
    join: str = ""
    level: int = 0
    contained_by: frozenset[str] = frozenset()
    every_type: bool = False

    @property
    def narrow(self) -> bool:
        """Whether types, attributes, a query or a place narrow it down (§5.7.2.4)."""
        wanted = self.filter
        return bool(
            any(one.types is not None for one in wanted.selectors)
            or self.every_type
            or wanted.attrs
            or (wanted.q is not None and attributes_of(wanted.q))
            or wanted.geo
        )


def from_parameters(given: Mapping[str, str], context: Context) -> Criteria:
    """Criteria of a request's parameters. Raises Problem, QueryError or DocumentError."""
    types = given.get("type", "")
    ids = tuple(_listed(given.get("id")))
    pattern = given.get("idPattern", "")
    selectors: tuple[Selector, ...] = ()
    if types or ids or pattern:
        tree = parse_type_selection(types, context) if types else None
        selectors = (Selector(tree, _uris(ids), "" if ids else _pattern(pattern)),)
    query: dict[str, Any] = {name: given[name] for name in _TEXTS if name in given}
    query |= {
        name: _listed(given[name])
        for name in _LISTS if name in given and name not in ("pick", "omit", "entities")
    }  # fmt: skip
    if "joinLevel" in given:
        level = given["joinLevel"]
        query["joinLevel"] = int(level) if level.isascii() and level.isdigit() else level
    return _criteria(
        query, context, selectors, types.strip() == "*",
        (given.get("pick"), given.get("omit")), geo_of(given, context),
        _ordering_of(given, context),
    )  # fmt: skip


def from_query(body: Any, context: Context) -> Criteria:
    """Criteria of a Query. Raises Problem, QueryError or DocumentError."""
    if not isinstance(body, dict) or body.get("type") != "Query":
        raise bad_data("the body is an object of type Query")
    if "temporalQ" in body:
        raise bad_data("temporalQ goes with temporal queries only")
    _check_members(body)
    entities = body.get("entities", [])
    every = any(isinstance(e, dict) and e.get("type") == "*" for e in entities)
    selectors = tuple(_selector(one, context) for one in entities)
    if every:
        selectors = tuple(s for s in selectors if s.ids or s.id_pattern)
    geo = body.get("geoQ")
    if geo is not None and not isinstance(geo, dict):
        raise bad_data("geoQ is an object")
    order = body.get("ordering")
    if order is not None and (not isinstance(order, dict) or not _texts(order.get("orderBy"))):
        raise bad_data("ordering is an object with orderBy, a list of texts")
    ordering = None
    if order:
        ordering = read_ordering(
            order["orderBy"], context, collation=order.get("collation", ""),
            coordinates=order.get("coordinates"), geometry=order.get("geometry"),
        )  # fmt: skip
    shown = tuple(",".join(body[n]) if n in body else None for n in ("pick", "omit"))
    return _criteria(
        body, context, selectors, every, (shown[0], shown[1]), _geo(geo, context), ordering
    )


def _criteria(
    query: Mapping[str, Any], context: Context, selectors: tuple[Selector, ...], every: bool,
    shown: tuple[str | None, str | None], geo: GeoQuery | None, ordering: Ordering | None,
) -> Criteria:  # fmt: skip
    names = query.get("attrs", ())
    if names and (shown[0] is not None or shown[1] is not None):
        raise bad_data("attrs does not go with pick or omit")
    attrs = [check_name(n, context) for n in names if n not in SYSTEM]
    selection = parse_selection(*shown, context)
    _apart(selection)
    q: Tree | None = None
    if "q" in query:
        q = parse_q(query["q"], context, query.get("expandValues", ()))
    if query.get("csf"):
        parse_q(query["csf"], context)
    datasets = query.get("datasetId")
    if datasets is not None and not all(d == "@none" or is_uri(d) for d in datasets):
        raise bad_data("datasetId is a list of URIs or @none")
    join, level = _join(query)
    scope_q = query.get("scopeQ")
    criteria = Criteria(
        Filter(
            selectors, q, tuple(attrs) or tuple(sorted(selection.attrs or ())), geo,
            parse_scope_q(scope_q) if scope_q is not None else None, ordering,
        ),
        frozenset(attrs) if names else None, selection,
        frozenset(datasets) if datasets else None, query.get("lang"), join, level,
        frozenset(query.get("containedBy", ())), every,
    )  # fmt: skip
    deepest = max(criteria.filter.hops, _depth(selection))
    if deepest > level:
        raise bad_data(
            f"linked entities are asked for {deepest} relationships away, which takes join and"
            f" joinLevel={deepest}"
        )
    return criteria


def _apart(selection: Selection) -> None:
    """Nothing may be picked and left out at once (§4.21)."""
    for key, inner in selection.omit.items():
        if selection.pick is not None and key in selection.pick and not inner.omit:
            raise bad_data(f"{key} is both in pick and in omit")


def _depth(selection: Selection) -> int:
    """How many relationships away a selection reaches."""
    inner = (*(selection.pick or {}).values(), *selection.omit.values())
    return max((1 + _depth(one) for one in inner if one.pick or one.omit), default=0)


def _join(query: Mapping[str, Any]) -> tuple[str, int]:
    """Which linked entities are shown, and how many relationships away."""
    join, level = query.get("join", "@none"), query.get("joinLevel", 1)
    if join not in JOINS:
        raise bad_data(f"join is one of {', '.join(JOINS)}")
    if isinstance(level, bool) or not isinstance(level, int) or not 1 <= level <= JOIN_LEVEL_MAX:
        raise bad_data(f"joinLevel is a whole number from 1 to {JOIN_LEVEL_MAX}")
    return ("", 0) if join == "@none" else (join, level)


def _check_members(body: Mapping[str, Any]) -> None:
    for name in _TEXTS:
        if name in body and not isinstance(body[name], str):
            raise bad_data(f"{name} is a text")
    for name in _LISTS:
        if name == "entities" or name not in body:
            continue
        if not _texts(body[name]):
            raise bad_data(f"{name} is a list of texts, not an empty one")
    entities = body.get("entities")
    if "entities" in body and (not isinstance(entities, list) or not entities):
        raise bad_data("entities is a list of selectors, not an empty one")


def _texts(given: Any) -> bool:
    return isinstance(given, list) and bool(given) and all(isinstance(g, str) for g in given)


def _selector(one: Any, context: Context) -> Selector:
    """An EntitySelector (§5.2.33); its id goes before its idPattern."""
    if not isinstance(one, dict) or not isinstance(one.get("type"), str) or not one["type"]:
        raise bad_data("an entity selector has a type")
    ids = one.get("id", [])
    ids = [ids] if isinstance(ids, str) else ids
    pattern = one.get("idPattern", "")
    if not isinstance(ids, list) or not isinstance(pattern, str):
        raise bad_data("a selector's id is a URI or a list of these, idPattern a text")
    return Selector(
        parse_type_selection(one["type"], context), _uris(ids), "" if ids else _pattern(pattern)
    )


def _uris(ids: Iterable[Any]) -> tuple[str, ...]:
    found = tuple(ids)
    for uri in found:
        if not is_uri(uri):
            raise bad_data(f"an id is a URI, not {str(uri)[:80]!r}")
    return found


def _pattern(pattern: str) -> str:
    return checked_pattern(pattern) if pattern else ""


def _listed(text: str | None) -> list[str]:
    return [part.strip() for part in (text or "").split(",") if part.strip()]


def geo_of(given: Mapping[str, str], context: Context) -> GeoQuery | None:
    """The geo-query of a request's parameters, if it has one. Raises Problem or QueryError."""
    if "georel" not in given:
        if "geometry" in given or "coordinates" in given:
            raise bad_data("geometry and coordinates go with georel")
        return None
    try:
        coordinates = orjson.loads(given.get("coordinates", ""))
    except orjson.JSONDecodeError as error:
        raise bad_data(f"coordinates are a JSON list: {error}") from None
    names = ("georel", "geometry", "geoproperty")
    found: dict[str, Any] = {name: given[name] for name in names if given.get(name)}
    return _geo(found | {"coordinates": coordinates}, context)


def _geo(geo: Mapping[str, Any] | None, context: Context) -> GeoQuery | None:
    if geo is None:
        return None
    relation, attribute = geo.get("georel"), geo.get("geoproperty", "location")
    if not isinstance(relation, str) or not isinstance(attribute, str):
        raise bad_data("georel and geoproperty are texts")
    geometry = {"type": geo.get("geometry"), "coordinates": geo.get("coordinates")}
    return read_geo(relation, geometry, check_name(attribute, context))


def _ordering_of(given: Mapping[str, str], context: Context) -> Ordering | None:
    if not given.get("orderBy"):
        if given.get("collation"):
            raise bad_data("collation goes with orderBy")
        return None
    coordinates = None
    if given.get("orderFrom"):
        try:
            coordinates = orjson.loads(given["orderFrom"])
        except orjson.JSONDecodeError as error:
            raise bad_data(f"orderFrom is a JSON list: {error}") from None
    return read_ordering(
        _listed(given["orderBy"]), context, collation=given.get("collation", ""),
        coordinates=coordinates, geometry=given.get("orderGeometry"),
    )  # fmt: skip
