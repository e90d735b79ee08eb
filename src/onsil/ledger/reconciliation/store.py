"""The room's SQL: files, lines of both sides, matches, proposals, comments."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from onsil.core.database import Connection, cursor
from onsil.ledger.reconciliation.terms import Line, Match, Side

_LINE = """l.id, l.side, l.account, l.day, l.at, l.amount, l.reference, l.text, l.party, l.kind,
  l.origin_kind, l.origin_id, l.transfer_id, l.reverses, l.balance, l.file_id, l.number, l.key,
  l.simulated"""
_OPEN = """NOT EXISTS (SELECT FROM reconciliation_matched m
  WHERE m.city = l.city AND m.line_id = l.id AND m.live)"""
Row = dict[str, Any]


def lock(conn: Connection, city: str, account: str) -> None:
    """One at a time works on an account's lines; others wait until this transaction ends."""
    run(conn, "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))",
        (f"onsil.reconciliation {city} {account}",))  # fmt: skip


def run(conn: Connection, statement: str, values: Sequence[Any]) -> int:
    """Execute; how many rows it touched."""
    with cursor(conn) as cur:
        cur.execute(statement, values)  # pyright: ignore[reportArgumentType]
        return cur.rowcount


def rows(conn: Connection, statement: str, values: Sequence[Any] | dict[str, Any]) -> list[Row]:
    with cursor(conn, named=True) as cur:
        return cur.execute(statement, values).fetchall()  # pyright: ignore[reportArgumentType]


def lines(
    conn: Connection, city: str, where: str, values: Sequence[Any], limit: int | None = None
) -> list[Line]:
    """Lines under a condition of this module's own, oldest first."""
    statement = f"""SELECT {_LINE} FROM reconciliation_line l WHERE l.city = %s AND {where}
      ORDER BY l.day, l.at, l.id LIMIT %s"""  # noqa: S608 - conditions are constants of this room
    with cursor(conn) as cur:
        found = cur.execute(statement, (city, *values, limit)).fetchall()  # pyright: ignore
    return [Line(*row) for row in found]


def open_lines(
    conn: Connection, city: str, account: str, side: Side, until: date | None = None
) -> list[Line]:
    """Lines that no living match holds, up to a day."""
    return lines(
        conn, city,
        f"l.account = %s AND l.side = %s AND (%s::date IS NULL OR l.day <= %s) AND {_OPEN}",
        (account, side, until, until),
    )  # fmt: skip


def open_among(conn: Connection, city: str, ids: Iterable[UUID]) -> list[Line]:
    """Those of the named lines that are still open."""
    return lines(conn, city, f"l.id = ANY(%s) AND {_OPEN}", (sorted(set(ids)),))


def settled_since(conn: Connection, city: str, account: str, since: date) -> list[Line]:
    """Matched bank lines from a day on."""
    return lines(
        conn, city, f"l.account = %s AND l.side = 'bank' AND l.day >= %s AND NOT {_OPEN}",
        (account, since),
    )  # fmt: skip


def of_file(conn: Connection, city: str, file_id: UUID, limit: int) -> list[Line]:
    return lines(conn, city, "l.file_id = %s", (file_id,), limit)


def of_transfers(conn: Connection, city: str, account: str, ids: Iterable[UUID]) -> list[Line]:
    return lines(
        conn, city, f"l.account = %s AND l.transfer_id = ANY(%s) AND {_OPEN}",
        (account, sorted(set(ids))),
    )  # fmt: skip


def line(conn: Connection, city: str, line_id: UUID) -> Line | None:
    found = lines(conn, city, "l.id = %s", (line_id,), 1)
    return found[0] if found else None


def add_lines(conn: Connection, city: str, new: Sequence[tuple[str, Line]], at: datetime) -> int:
    """Add lines by their keys; how many were not there yet."""
    added = 0
    with cursor(conn) as cur:
        for key, one in new:
            cur.execute(
                """INSERT INTO reconciliation_line (city, id, side, account, key, file_id, number,
                  day, at, amount, balance, reference, text, party, kind, origin_kind, origin_id,
                  transfer_id, reverses, simulated, recorded_at)
                VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s,
                  %s, %s) ON CONFLICT (city, side, account, key) DO NOTHING""",
                (
                    city, one.id, one.side, one.account, key, one.file_id, one.number, one.day,
                    one.at, one.amount, one.balance, one.reference, one.text, one.party, one.kind,
                    one.origin_kind, one.origin_id, one.transfer_id, one.reverses, one.simulated,
                    at,
                ),
            )  # fmt: skip
            added += cur.rowcount
    return added


def last_transfer(conn: Connection, city: str, account: str, book: str) -> UUID | None:
    """The newest transfer of a book account that has been taken in."""
    found = rows(
        conn,
        """SELECT transfer_id FROM reconciliation_line
        WHERE city = %s AND account = %s AND side = 'book' AND text = %s
        ORDER BY transfer_id DESC LIMIT 1""",
        (city, account, book),
    )
    return found[0]["transfer_id"] if found else None


def add_match(
    conn: Connection, city: str, match_id: UUID, account: str, made: Match, *,
    rules_from: date | None, correction: UUID | None, actor: str, at: datetime,
) -> None:  # fmt: skip
    """Write a match and its lines. A line that is in a living match raises UniqueViolation."""
    run(
        conn,
        """INSERT INTO reconciliation_match (city, id, account, rule, rules_from, why_ko, why_en,
          bank_sum, book_sum, difference, tolerance, correction, made_by, made_at)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)""",
        (
            city, match_id, account, made.rule, rules_from, made.why.ko, made.why.en, made.bank_sum,
            made.book_sum, made.difference, made.tolerance, correction, actor, at,
        ),
    )  # fmt: skip
    ids = [one.id for one in (*made.bank, *made.book)]
    count = run(
        conn,
        """INSERT INTO reconciliation_matched (city, match_id, line_id)
        SELECT %s, %s, unnest(%s::uuid[])""",
        (city, match_id, ids),
    )
    assert count == len(ids), "every line of the match is held"


def undone_sets(conn: Connection, city: str, account: str) -> set[frozenset[UUID]]:
    """The line sets of matches that people took back; no rule makes the same again."""
    found = rows(
        conn,
        """SELECT array_agg(x.line_id) AS ids FROM reconciliation_match m
        JOIN reconciliation_undone u ON u.city = m.city AND u.match_id = m.id
        JOIN reconciliation_matched x ON x.city = m.city AND x.match_id = m.id
        WHERE m.city = %s AND m.account = %s GROUP BY m.id""",
        (city, account),
    )
    return {frozenset(row["ids"]) for row in found}


def living_match(conn: Connection, city: str, match_id: UUID) -> Row | None:
    """A match that was not undone, with its lines' ids."""
    found = rows(
        conn,
        """SELECT m.*, array_agg(x.line_id) AS ids FROM reconciliation_match m
        JOIN reconciliation_matched x ON x.city = m.city AND x.match_id = m.id AND x.live
        WHERE m.city = %s AND m.id = %s GROUP BY m.city, m.id""",
        (city, match_id),
    )
    return found[0] if found else None


def release(
    conn: Connection, city: str, match_id: UUID, reason: str, actor: str, at: datetime
) -> None:
    """Let a match's lines go and remember who did it and why."""
    run(conn, "INSERT INTO reconciliation_undone VALUES (%s, %s, %s, %s, %s)",
        (city, match_id, reason, actor, at))  # fmt: skip
    run(conn, "UPDATE reconciliation_matched SET live = false WHERE city = %s AND match_id = %s",
        (city, match_id))  # fmt: skip


def matches_of(conn: Connection, city: str, line_id: UUID) -> list[Row]:
    """Every match that ever held a line, the oldest first, with the lines and who undid it."""
    return rows(
        conn,
        """SELECT m.*, u.reason AS undone_reason, u.undone_by, u.undone_at,
          (SELECT array_agg(y.line_id ORDER BY y.line_id) FROM reconciliation_matched y
           WHERE y.city = m.city AND y.match_id = m.id) AS ids
        FROM reconciliation_matched x
        JOIN reconciliation_match m ON m.city = x.city AND m.id = x.match_id
        LEFT JOIN reconciliation_undone u ON u.city = m.city AND u.match_id = m.id
        WHERE x.city = %s AND x.line_id = %s ORDER BY m.made_at, m.id""",
        (city, line_id),
    )


def last_closed_at(conn: Connection, city: str) -> datetime | None:
    found = rows(conn, "SELECT max(closed_at) AS at FROM daily_close WHERE city = %s", (city,))
    return found[0]["at"]


def balance_on(conn: Connection, city: str, account: str, day: date) -> int | None:
    """What the bank says is in the account at the end of a day: its newest word on or before it,
    when a file covers the day."""
    covered = rows(
        conn,
        "SELECT FROM reconciliation_day WHERE city = %s AND account = %s AND day = %s LIMIT 1",
        (city, account, day),
    )
    if not covered:
        return None
    found = rows(
        conn,
        """SELECT balance FROM reconciliation_balance b
        JOIN reconciliation_file f ON f.city = b.city AND f.id = b.file_id
        WHERE b.city = %s AND b.account = %s AND b.day <= %s
        ORDER BY b.day DESC, f.imported_at DESC, f.id DESC LIMIT 1""",
        (city, account, day),
    )
    return found[0]["balance"] if found else None


def is_covered(conn: Connection, city: str, account: str, day: date) -> bool:
    """Whether a file for the day has been brought in."""
    return bool(
        rows(
            conn,
            "SELECT FROM reconciliation_day WHERE city = %s AND account = %s AND day = %s LIMIT 1",
            (city, account, day),
        )
    )
