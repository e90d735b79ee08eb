"""Writing entities as NGSI-LD asks for it: create, patch, delete attributes; points on the way.

A numeric Property with an `observedAt` is a reading as well: it goes through the hub's rules and
into its series, which is made if it is not there. What the rules refuse is quarantined; the
document shows what was written, the series only what passed.
"""

from collections.abc import Iterator, Sequence

from onsil.core.clock import Clock
from onsil.core.database import Connection
from onsil.core.quantities import UnitError, same_dimension
from onsil.hub.contexts import CORE
from onsil.hub.documents import Document, Instance, default_instances, merge, parse_time
from onsil.hub.entities import insert_new, locked, update_documents
from onsil.hub.record import record
from onsil.hub.registering import ensure_series
from onsil.hub.series import series_of
from onsil.hub.terms import Reading, RecordReport, SeriesSpec

DEFAULT_INTERVAL_S = 900


def create(conn: Connection, city: str, document: Document, clock: Clock) -> bool:
    """Make an entity. False: its id is taken, and nothing was done."""
    created = insert_new(conn, city, [document], clock.now())
    if not created:
        return False
    record_attributes(conn, city, [document], clock)
    return True


def patch(
    conn: Connection,
    city: str,
    change: Document,
    clock: Clock,
    *,
    overwrite: bool = True,
    only_existing: bool = False,
) -> tuple[list[str], list[str]] | None:
    """Lay attributes over an entity's; (updated, left alone) IRIs, or None without such an entity.

    `overwrite=False` leaves attributes that are there as they are; `only_existing` adds none.
    """
    rows = locked(conn, city, [change.uri])
    if not rows:
        return None
    eid, old = rows[0]
    left = [
        iri
        for iri in change.attrs
        if (iri in old.attrs and not overwrite) or (iri not in old.attrs and only_existing)
    ]
    taken = {iri: v for iri, v in change.attrs.items() if iri not in left}
    old.attrs = merge(old.attrs, taken, clock.now())
    old.types = sorted({*old.types, *change.types})
    old.scopes = change.scopes or old.scopes
    update_documents(conn, city, [(eid, old)], clock.now())
    record_attributes(conn, city, [Document(old.uri, old.types, [], taken)], clock)
    return list(taken), left


def delete_attribute(conn: Connection, city: str, uri: str, iri: str, clock: Clock) -> bool:
    """Remove an attribute with all its instances. Returns whether it was there."""
    rows = locked(conn, city, [uri])
    if not rows or iri not in rows[0][1].attrs:
        return False
    eid, document = rows[0]
    del document.attrs[iri]
    update_documents(conn, city, [(eid, document)], clock.now())
    return True


def record_attributes(
    conn: Connection, city: str, documents: Sequence[Document], clock: Clock
) -> RecordReport:
    """Record the timed numbers of documents; series that are not there yet are made as gauges."""
    timed = [(d, iri, i) for d in documents for iri, i in _timed(d)]
    if not timed:
        return RecordReport()
    known = series_of(conn, city, {(d.uri, CORE.term(iri)) for d, iri, _ in timed})
    new = [
        SeriesSpec(d.uri, CORE.term(iri), _known_unit(i), DEFAULT_INTERVAL_S)
        for d, iri, i in timed
        if (d.uri, CORE.term(iri)) not in known
    ]
    if new:
        ensure_series(conn, city, new, clock)
    readings = [
        Reading(d.uri, CORE.term(iri), parse_time(i["observedAt"]), i["value"],
                str(i.get("unitCode", "")), clock.now())
        for d, iri, i in timed
    ]  # fmt: skip
    return record(conn, city, readings, clock, "ngsi-ld")


def _timed(document: Document) -> Iterator[tuple[str, Instance]]:
    for iri, instance in default_instances(document):
        value = instance.get("value")
        if (
            instance["type"] == "Property" and "observedAt" in instance
            and isinstance(value, int | float) and not isinstance(value, bool)
        ):  # fmt: skip
            yield iri, instance


def _known_unit(instance: Instance) -> str:
    unit = str(instance.get("unitCode", "")) or "dimensionless"
    try:
        same_dimension(unit, "Wh")
    except UnitError:
        return "dimensionless"
    return unit
