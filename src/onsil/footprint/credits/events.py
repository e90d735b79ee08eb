"""The registry's journal: every move of units and every statement about them, once, in the log."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb
from psycopg.types.range import Range

from onsil import proof
from onsil.core.canonical import plain
from onsil.core.clock import Clock
from onsil.core.database import Connection
from onsil.core.ids import new_id
from onsil.core.refusal import Refusal
from onsil.footprint.credits.batches import key_reused
from onsil.footprint.credits.spans import Span
from onsil.footprint.credits.terms import UnitEvent
from onsil.footprint.store import Row, execute, lock, rows

_EVENT = """SELECT id, kind, batch_id, project_id, parent_id, tonnes, units, source, destination,
  facts, key, action_id, transfer_id, actor, created_at FROM footprint_unit_event"""


def as_spans(value: Any) -> tuple[Span, ...]:
    """A multirange of the database as spans."""
    return tuple((one.lower, one.upper) for one in value or ())


def as_ranges(spans: tuple[Span, ...]) -> str:
    """Spans as a multirange's literal."""
    return "{" + ",".join(f"[{first},{end})" for first, end in spans) + "}"


def as_range(span: Span) -> Range[int]:
    return Range[int](*span)


def _event(row: Row) -> UnitEvent:
    return UnitEvent(spans=as_spans(row.pop("units")), **row)


def event(conn: Connection, city: str, event_id: UUID) -> UnitEvent | None:
    found = rows(conn, f"{_EVENT} WHERE city = %s AND id = %s", (city, event_id))
    return _event(found[0]) if found else None


def event_by_key(conn: Connection, city: str, kind: str, key: str) -> UnitEvent | None:
    """The event of this kind that a request's key made."""
    found = rows(conn, f"{_EVENT} WHERE city = %s AND key = %s", (city, f"{kind}:{key}"))
    return _event(found[0]) if found else None


def events(
    conn: Connection,
    city: str,
    *,
    batch_id: UUID | None = None,
    project_id: UUID | None = None,
    kinds: tuple[str, ...] = (),
    serials: Span | None = None,
) -> list[UnitEvent]:
    """The journal in its order, optionally of one batch, project, some kinds, or touching some
    serials."""
    found = rows(
        conn,
        f"""{_EVENT} WHERE city = %(city)s
          AND (%(batch)s::uuid IS NULL OR batch_id = %(batch)s::uuid)
          AND (%(project)s::uuid IS NULL OR project_id = %(project)s::uuid)
          AND (%(kinds)s::text[] = '{{}}' OR kind = ANY(%(kinds)s::text[]))
          AND (%(serials)s::int8range IS NULL OR units && %(serials)s::int8range)
        ORDER BY (kind = 'opening') DESC, id""",
        {
            "city": city, "batch": batch_id, "project": project_id, "kinds": list(kinds),
            "serials": None if serials is None else as_range(serials),
        },
    )  # fmt: skip
    return [_event(row) for row in found]


def draft(
    kind: str,
    key: str,
    actor: str,
    clock: Clock,
    *,
    facts: Mapping[str, Any] | None = None,
    spans: tuple[Span, ...] = (),
    tonnes: int = 0,
    **others: Any,
) -> UnitEvent:
    """An event that is not written yet; `key` is the request's, made unique for its kind."""
    empty: dict[str, Any] = {
        "batch_id": None, "project_id": None, "parent_id": None, "source": "", "destination": "",
        "action_id": None, "transfer_id": None,
    }  # fmt: skip
    return UnitEvent(
        id=new_id(), kind=kind, key=f"{kind}:{key}", actor=actor, created_at=clock.now(),
        facts=plain(dict(facts or {})), spans=spans, tonnes=tonnes, **{**empty, **others},
    )  # fmt: skip


def write(conn: Connection, city: str, made: UnitEvent) -> UnitEvent:
    """Write an event with its leaf and its audit record."""
    execute(
        conn,
        """INSERT INTO footprint_unit_event (city, id, kind, batch_id, project_id, parent_id,
          tonnes, units, source, destination, facts, key, action_id, transfer_id, actor, created_at)
        VALUES (%s,%s,%s,%s,%s,%s,%s,%s::int8multirange,%s,%s,%s,%s,%s,%s,%s,%s)""",
        (
            city, made.id, made.kind, made.batch_id, made.project_id, made.parent_id, made.tonnes,
            as_ranges(made.spans) if made.spans else None, made.source, made.destination,
            Jsonb(made.facts), made.key, made.action_id, made.transfer_id, made.actor,
            made.created_at,
        ),
    )  # fmt: skip
    proof.append(conn, city, "unit-event", made.id, event_entry(made))
    proof.audit(
        conn, city, made.actor, f"units.{made.kind}", "unit-event", str(made.id), None,
        {
            "batch": made.batch_id, "project": made.project_id, "tonnes": made.tonnes,
            "source": made.source, "destination": made.destination, "facts": made.facts,
        },
    )  # fmt: skip
    return made


def state(
    conn: Connection, city: str, kind: str, key: str, actor: str, clock: Clock,
    facts: Mapping[str, Any], **others: Any,
) -> UnitEvent | Refusal:  # fmt: skip
    """Write a statement that moves nothing, once for a key. Refused: key-reused."""
    lock(conn, city, [f"unit-event {kind}:{key}"])
    made = draft(kind, key, actor, clock, facts=facts, **others)
    there = event_by_key(conn, city, kind, key)
    if there is not None:
        return there if same(there, made) else key_reused(key)
    return write(conn, city, made)


def repeated(
    conn: Connection, city: str, kind: str, key: str, facts: Mapping[str, Any],
    batch_id: UUID | None = None,
) -> UnitEvent | Refusal | None:  # fmt: skip
    """What a request's key made before: the event, `key-reused` for other facts, or None."""
    lock(conn, city, [f"unit-event {kind}:{key}"])
    there = event_by_key(conn, city, kind, key)
    if there is None:
        return None
    same_facts = there.facts == plain(dict(facts)) and there.batch_id == batch_id
    return there if same_facts else key_reused(key)


def same(there: UnitEvent, asked: UnitEvent) -> bool:
    """Whether a request says what the event under its key already says."""
    return replace(
        asked, id=there.id, actor=there.actor, created_at=there.created_at,
        transfer_id=there.transfer_id,
    ) == there  # fmt: skip


def event_entry(made: UnitEvent) -> dict[str, Any]:
    """What the log holds of an event."""
    return {
        "event": made.kind,
        "batch": made.batch_id,
        "project": made.project_id,
        "parent": made.parent_id,
        "tonnes": made.tonnes,
        "serials": [[first, end - 1] for first, end in made.spans],
        "source": made.source,
        "destination": made.destination,
        "facts": made.facts,
        "key": made.key,
        "action": made.action_id,
        "transfer": made.transfer_id,
        "actor": made.actor,
        "created_at": made.created_at,
    }
