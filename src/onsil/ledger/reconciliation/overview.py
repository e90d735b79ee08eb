"""What the screens ask: sums by state, exceptions, files, what waits, a line's whole history."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from onsil.core.database import Connection
from onsil.ledger.reconciliation import store
from onsil.ledger.reconciliation.findings import findings
from onsil.ledger.reconciliation.terms import BankAccount, Finding, Line


@dataclass(frozen=True)
class Sums:
    """Counts and signed sums of an account's lines up to a day."""

    matched: int = 0
    matched_sum: int = 0
    open_bank: int = 0
    open_bank_sum: int = 0
    open_book: int = 0
    open_book_sum: int = 0
    tolerated: int = 0
    """What rules let pass as fees: the bank's sum of matched lines less the books'."""


@dataclass(frozen=True)
class ImportedFile:
    """A file that was brought in."""

    id: UUID
    account: str
    format: str
    name: str
    sha256: str
    lines: int
    fresh: int
    first_day: date | None
    last_day: date | None
    simulated: bool
    imported_by: str
    imported_at: datetime


@dataclass(frozen=True)
class Event:
    """Something that happened to a line: kind, when, by whom, in words and figures."""

    kind: str
    at: datetime
    actor: str
    text_ko: str
    text_en: str
    match_id: UUID | None = None
    undoable: bool = False
    lines: tuple[Line, ...] = field(default_factory=tuple)


def sums(conn: Connection, city: str, account: str, until: date | None = None) -> Sums:
    """How an account stands; with `until`, as of the end of that day: a line whose partner was
    booked later is still open then."""
    row = store.rows(
        conn,
        """WITH held AS (SELECT x.line_id FROM reconciliation_match m
            JOIN reconciliation_matched x ON x.city = m.city AND x.match_id = m.id AND x.live
            WHERE m.city = %(city)s AND m.account = %(account)s AND NOT EXISTS (
              SELECT FROM reconciliation_matched y
              JOIN reconciliation_line z ON z.city = y.city AND z.id = y.line_id
              WHERE y.city = m.city AND y.match_id = m.id AND z.day > %(until)s::date)),
          l AS (SELECT l.side, l.amount, h.line_id IS NOT NULL AS held
            FROM reconciliation_line l LEFT JOIN held h ON h.line_id = l.id
            WHERE l.city = %(city)s AND l.account = %(account)s
              AND (%(until)s::date IS NULL OR l.day <= %(until)s::date))
        SELECT count(*) FILTER (WHERE held AND side = 'bank') AS matched,
          coalesce(sum(amount) FILTER (WHERE held AND side = 'bank'), 0)::bigint AS matched_sum,
          count(*) FILTER (WHERE NOT held AND side = 'bank') AS open_bank,
          coalesce(sum(amount) FILTER (WHERE NOT held AND side = 'bank'), 0)::bigint
            AS open_bank_sum,
          count(*) FILTER (WHERE NOT held AND side = 'book') AS open_book,
          coalesce(sum(amount) FILTER (WHERE NOT held AND side = 'book'), 0)::bigint
            AS open_book_sum,
          coalesce(sum(CASE side WHEN 'bank' THEN amount ELSE -amount END) FILTER (WHERE held),
            0)::bigint AS tolerated
        FROM l""",
        {"city": city, "account": account, "until": until},
    )[0]
    return Sums(**row)


def exceptions(
    conn: Connection, city: str, account: BankAccount, today: date, until: date | None = None
) -> list[Finding]:
    """The account's exceptions among lines up to a day, the oldest first."""
    bank = store.open_lines(conn, city, account.code, "bank", until)
    book = store.open_lines(conn, city, account.code, "book", until)
    since = min((line.day for line in bank), default=today) - timedelta(days=7)
    settled = store.settled_since(conn, city, account.code, since) if bank else []
    return findings(bank, book, settled, today, account.grace_days)


_FILE = """id, account, format, name, sha256, lines, fresh, first_day, last_day, simulated,
  imported_by, imported_at"""


def imported_files(
    conn: Connection, city: str, limit: int = 50, account: str | None = None
) -> list[ImportedFile]:
    """The newest first."""
    found = store.rows(
        conn,
        f"""SELECT {_FILE} FROM reconciliation_file
        WHERE city = %s AND (%s::text IS NULL OR account = %s)
        ORDER BY imported_at DESC, id DESC LIMIT %s""",  # noqa: S608 - a constant list of columns
        (city, account, account, limit),
    )
    return [ImportedFile(**row) for row in found]


def imported_file(conn: Connection, city: str, file_id: UUID) -> tuple[ImportedFile, bytes] | None:
    """A file and its bytes as they came."""
    found = store.rows(
        conn,
        f"SELECT {_FILE}, content FROM reconciliation_file WHERE city = %s AND id = %s",  # noqa: S608
        (city, file_id),
    )
    if not found:
        return None
    content = bytes(found[0].pop("content"))
    return ImportedFile(**found[0]), content


def has_simulated(conn: Connection, city: str) -> bool:
    """Whether any file came from a simulator, so that what rests on it can be labelled."""
    return bool(
        store.rows(
            conn, "SELECT FROM reconciliation_file WHERE city = %s AND simulated LIMIT 1", (city,)
        )
    )


def waiting_proposals(conn: Connection, city: str) -> list[dict[str, Any]]:
    """What waits for a second person, the oldest first."""
    return store.rows(
        conn,
        """SELECT * FROM reconciliation_proposal WHERE city = %s AND state = 'waiting'
        ORDER BY made_at, id""",
        (city,),
    )


def proposal(conn: Connection, city: str, proposal_id: UUID) -> dict[str, Any] | None:
    found = store.rows(
        conn, "SELECT * FROM reconciliation_proposal WHERE city = %s AND id = %s",
        (city, proposal_id),
    )  # fmt: skip
    return found[0] if found else None


def lines_by_id(conn: Connection, city: str, ids: Sequence[UUID]) -> list[Line]:
    return store.lines(conn, city, "l.id = ANY(%s)", (sorted(set(ids)),))


def history(conn: Connection, city: str, line: Line) -> list[Event]:
    """Everything that happened to a line, the oldest first."""
    closed = store.last_closed_at(conn, city)
    found: list[Event] = []
    for row in store.matches_of(conn, city, line.id):
        undoable = row["undone_at"] is None and (closed is None or row["made_at"] > closed)
        others = tuple(lines_by_id(conn, city, [i for i in row["ids"] if i != line.id]))
        found.append(Event("match", row["made_at"], row["made_by"], row["why_ko"], row["why_en"],
                           row["id"], undoable, others))  # fmt: skip
        if row["undone_at"] is not None:
            found.append(Event("undo", row["undone_at"], row["undone_by"], row["undone_reason"],
                               row["undone_reason"]))  # fmt: skip
    for row in store.rows(
        conn,
        "SELECT * FROM reconciliation_comment WHERE city = %s AND line_id = %s ORDER BY made_at",
        (city, line.id),
    ):
        found.append(Event("comment", row["made_at"], row["made_by"], row["text"], row["text"]))
    for row in store.rows(
        conn,
        """SELECT * FROM reconciliation_proposal
        WHERE city = %s AND %s = ANY(lines) AND state <> 'done' ORDER BY made_at""",
        (city, line.id),
    ):
        kind = f"proposal-{row['state']}"
        found.append(Event(kind, row["made_at"], row["made_by"], row["reason"], row["reason"]))
    for row in store.rows(
        conn, "SELECT * FROM reconciliation_taken WHERE city = %s AND line_id = %s",
        (city, line.id),
    ):  # fmt: skip
        found.append(Event(f"taken-{row['outcome']}", row["at"], row["receiver"], row["note_ko"],
                           row["note_en"]))  # fmt: skip
    return sorted(found, key=lambda e: e.at)
