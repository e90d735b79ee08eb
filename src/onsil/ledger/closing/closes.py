"""Closing days: in their order, once, never changed again, each a leaf of the transparency log."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from psycopg.types.json import Jsonb

from onsil import proof
from onsil.core.canonical import digest, plain
from onsil.core.clock import Clock
from onsil.core.database import Connection, cursor
from onsil.core.ids import new_id
from onsil.core.periods import local_day
from onsil.core.refusal import Refusal
from onsil.ledger.closing import refusals
from onsil.ledger.closing.figures import figures
from onsil.ledger.closing.terms import Close, CloseRequest, Figures
from onsil.ledger.reconciliation import Setup, reconcile
from onsil.proof import PagedSource

LEAF = "daily-close"
_CLOSE = "id, day, figures, digest, override_reason, closed_by, approved_by, closed_at"


@dataclass(frozen=True)
class Ground:
    """Where a close is worked on: a transaction, a city, its bank accounts, a clock."""

    conn: Connection
    city: str
    setup: Setup
    zone: ZoneInfo
    clock: Clock


def preview(ground: Ground, day: date) -> Figures:
    """A day's figures as known now, the rules run over what is open first."""
    for account in ground.setup.accounts.values():
        reconcile(ground.conn, ground.city, account, ground.clock, ground.zone)
    last = last_closed(ground.conn, ground.city)
    return figures(
        ground.conn, ground.city, ground.setup, day, ground.zone, ground.clock, last
    )  # fmt: skip


def close_day(ground: Ground, day: date, actor: str) -> Close | Refusal:
    """Close a day that is in order.

    Refusals: `day-not-over`, `day-closed`, `close-out-of-turn`, `close-not-in-order` with reasons.
    """
    no = _turn(ground, day)
    if no is not None:
        return no
    found = preview(ground, day)
    if not found.clean:
        return refusals.not_in_order(day, found.reasons)
    return _record(ground, found, actor)


def request_close(ground: Ground, day: date, reason: str, actor: str) -> CloseRequest | Refusal:
    """Ask that a day be closed although not everything is in order; a second person decides.

    Refusals: those of `close_day` about the day, `reason-missing`, `close-asked`.
    """
    no = _turn(ground, day)
    if no is not None:
        return no
    if not reason.strip():
        return refusals.reason_missing()
    if open_request(ground.conn, ground.city, day) is not None:
        return refusals.asked_already()
    made = CloseRequest(new_id(), day, reason.strip()[:500], actor, ground.clock.now())
    with cursor(ground.conn) as run:
        run.execute(
            """INSERT INTO daily_close_request (city, id, day, reason, made_by, made_at, state)
            VALUES (%s, %s, %s, %s, %s, %s, 'waiting')""",
            (ground.city, made.id, day, made.reason, actor, made.made_at),
        )
    proof.audit(ground.conn, ground.city, actor, "close.requested", "daily-close", day.isoformat(),
                None, {"reason": made.reason})  # fmt: skip
    return made


def decide_request(ground: Ground, day: date, approve: bool, actor: str) -> Close | Refusal | None:
    """Approve (the day is closed with the reasons on record) or decline (None).

    Refusals: `close-not-asked`, `maker-is-checker`, and those about the day.
    """
    _lock(ground)
    asked = open_request(ground.conn, ground.city, day)
    if asked is None:
        return refusals.nothing_asked()
    if asked.made_by == actor:
        return refusals.maker_is_checker()
    closed: Close | None = None
    if approve:
        no = _turn(ground, day)
        if no is not None:
            return no
        closed = _record(ground, preview(ground, day), asked.made_by, asked.reason, actor)
    with cursor(ground.conn) as run:
        run.execute(
            """UPDATE daily_close_request SET state = %s, decided_by = %s, decided_at = %s
            WHERE city = %s AND id = %s""",
            ("done" if approve else "declined", actor, ground.clock.now(), ground.city, asked.id),
        )
    proof.audit(
        ground.conn, ground.city, actor, "close.approved" if approve else "close.declined",
        "daily-close", day.isoformat(), None, {"reason": asked.reason},
    )  # fmt: skip
    return closed


def close_due(ground: Ground, actor: str) -> tuple[list[Close], Refusal | None]:
    """Close every day up to yesterday that is in order, and stop at the first that is not."""
    yesterday = local_day(ground.clock.now(), ground.zone) - timedelta(days=1)
    last = last_closed(ground.conn, ground.city)
    day = yesterday if last is None else last + timedelta(days=1)
    made: list[Close] = []
    while day <= yesterday:
        done = close_day(ground, day, actor)
        if isinstance(done, Refusal):
            return made, done
        made.append(done)
        day += timedelta(days=1)
    return made, None


def _lock(ground: Ground) -> None:
    with cursor(ground.conn) as run:
        run.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))",
                    (f"onsil.close {ground.city}",))  # fmt: skip


def _turn(ground: Ground, day: date) -> Refusal | None:
    """Why this is not the day to be closed, if it is not. Others wait until we have closed."""
    _lock(ground)
    if day >= local_day(ground.clock.now(), ground.zone):
        return refusals.not_over(day)
    last = last_closed(ground.conn, ground.city)
    if last is None or day == last + timedelta(days=1):
        return None
    if day > last:
        return refusals.out_of_turn(day, last + timedelta(days=1))
    return refusals.already_closed(day)


def _record(
    ground: Ground, found: Figures, actor: str, reason: str = "", approver: str = ""
) -> Close:
    content = plain(figures_record(found))
    made = Close(
        new_id(), found.day, content, digest(content), reason, actor, approver, ground.clock.now()
    )
    with cursor(ground.conn) as run:
        run.execute(
            """INSERT INTO daily_close (city, day, id, figures, digest, override_reason, closed_by,
              approved_by, closed_at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)""",
            (
                ground.city, made.day, made.id, Jsonb(content), made.digest, reason, actor,
                approver, made.closed_at,
            ),
        )  # fmt: skip
    proof.append(ground.conn, ground.city, LEAF, made.id, _leaf(made))
    proof.audit(
        ground.conn, ground.city, approver or actor, "close.closed", "daily-close",
        made.day.isoformat(), None, {"digest": made.digest, "override_reason": reason},
    )  # fmt: skip
    return made


def figures_record(found: Figures) -> dict[str, Any]:
    """A day's figures as plain values, in the shape that is kept and hashed."""
    record = asdict(found)
    for one, raw in zip(found.accounts, record["accounts"], strict=True):
        raw["unexplained"] = one.unexplained
    return record


def _leaf(made: Close) -> dict[str, Any]:
    return {
        "day": made.day, "figures": digest(made.figures), "override_reason": made.override_reason,
        "closed_by": made.closed_by, "approved_by": made.approved_by, "closed_at": made.closed_at,
    }  # fmt: skip


def last_closed(conn: Connection, city: str) -> date | None:
    """The newest closed day."""
    with cursor(conn) as run:
        row = run.execute("SELECT max(day) FROM daily_close WHERE city = %s", (city,)).fetchone()
    return row[0] if row else None


def closes(conn: Connection, city: str, first: date, last: date) -> dict[date, Close]:
    """The closed days of a span, both ends included, by day."""
    with cursor(conn) as run:
        rows = run.execute(
            f"""SELECT {_CLOSE} FROM daily_close
            WHERE city = %s AND day BETWEEN %s AND %s ORDER BY day""",  # noqa: S608 - constant columns
            (city, first, last),
        ).fetchall()
    return {row[1]: Close(*row) for row in rows}


def closed_day(conn: Connection, city: str, day: date) -> Close | None:
    """A day's close; None while it is open."""
    return closes(conn, city, day, day).get(day)


def open_request(conn: Connection, city: str, day: date) -> CloseRequest | None:
    """The request to close a day that waits for a second person."""
    with cursor(conn) as run:
        row = run.execute(
            """SELECT id, day, reason, made_by, made_at FROM daily_close_request
            WHERE city = %s AND day = %s AND state = 'waiting'""",
            (city, day),
        ).fetchone()
    return CloseRequest(*row) if row else None


def _page(
    conn: Connection, city: str, after: UUID | None, limit: int
) -> list[tuple[UUID, Mapping[str, Any]]]:
    with cursor(conn) as run:
        rows = run.execute(
            f"""SELECT {_CLOSE} FROM daily_close
            WHERE city = %s AND (%s::uuid IS NULL OR id > %s::uuid) ORDER BY id LIMIT %s""",  # noqa: S608
            (city, after, after, limit),
        ).fetchall()
    return [(row[0], _leaf(Close(*row))) for row in rows]


entry_source = PagedSource(_page)
"""The live rows behind leaves of kind `daily-close`."""
