"""Bringing a file in: whole or not at all, once however often it is tried, its bytes kept."""

from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from onsil import proof
from onsil.core.clock import Clock
from onsil.core.database import Connection
from onsil.core.ids import new_id
from onsil.core.refusal import Refusal
from onsil.ledger.reconciliation import files, refusals, store
from onsil.ledger.reconciliation.setup import Setup
from onsil.ledger.reconciliation.terms import BankLine, Line, RawFile, RawLine, Taken


@dataclass(frozen=True)
class ImportReport:
    """What came of a file: `fresh` of its `lines` were new. `repeated`: it had been taken before,
    and nothing has changed."""

    file_id: UUID
    lines: int
    fresh: int
    repeated: bool


def import_file(
    conn: Connection, city: str, setup: Setup, account: str, form: str, name: str, content: bytes,
    actor: str, clock: Clock, zone: ZoneInfo, covers: tuple[date, date] | None = None,
    *, simulated: bool = False,
) -> ImportReport | Refusal:  # fmt: skip
    """Take a bank's or card network's file in, in the caller's transaction.

    `covers`: first and last day that the sender says it covers, for a file that cannot say so of
    itself. Refusals: `bank-account-unknown`, `file-format-unknown`, `file-too-large`,
    `file-unreadable` (with every bad place).
    """
    known = setup.accounts.get(account)
    if known is None:
        return refusals.unknown_account(account)
    if form not in known.formats:
        return refusals.unknown_format(form)
    if len(content) > files.BYTES_MAX:
        return refusals.file_too_large(len(content), files.BYTES_MAX)
    store.lock(conn, city, account)
    sha256 = files.file_digest(content)
    before = store.rows(
        conn,
        """SELECT id, lines FROM reconciliation_file
        WHERE city = %s AND account = %s AND sha256 = %s""",
        (city, account, sha256),
    )
    if before:
        return ImportReport(before[0]["id"], before[0]["lines"], 0, repeated=True)
    layout = setup.formats[form]
    raw, problems = files.read_file(content, layout, zone)
    if problems:
        return refusals.file_unreadable(problems.found, problems.more)
    made, file_id, simulated = clock.now(), new_id(), simulated or layout.simulated
    new = [
        (key, _line(account, file_id, key, one, simulated)) for key, one in files.keys(raw.lines)
    ]
    days = sorted(raw.days | _days(covers))
    fresh = store.add_lines(conn, city, new, made)
    store.run(
        conn,
        """INSERT INTO reconciliation_file (city, id, account, format, name, sha256, content, lines,
          fresh, first_day, last_day, simulated, imported_by, imported_at)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)""",
        (
            city, file_id, account, form, name[:200], sha256, content, len(raw.lines), fresh,
            days[0] if days else None, days[-1] if days else None, simulated, actor, made,
        ),
    )  # fmt: skip
    _note_days(conn, city, account, file_id, raw, days)
    proof.audit(
        conn, city, actor, "reconciliation.imported", "bank-file", str(file_id), None,
        {"account": account, "name": name[:200], "sha256": sha256, "lines": len(raw.lines),
         "fresh": fresh},
    )  # fmt: skip
    return ImportReport(file_id, len(raw.lines), fresh, repeated=False)


def _days(covers: tuple[date, date] | None) -> frozenset[date]:
    if covers is None or covers[1] < covers[0]:
        return frozenset()
    return frozenset(covers[0] + timedelta(days=n) for n in range((covers[1] - covers[0]).days + 1))


def _note_days(
    conn: Connection, city: str, account: str, file_id: UUID, raw: RawFile, days: list[date]
) -> None:
    store.run(
        conn,
        """INSERT INTO reconciliation_day (city, account, day, file_id)
        SELECT %s, %s, unnest(%s::date[]), %s""",
        (city, account, days, file_id),
    )
    for day, balance in sorted(raw.balances.items()):
        store.run(
            conn,
            """INSERT INTO reconciliation_balance (city, account, day, file_id, balance)
            VALUES (%s, %s, %s, %s, %s)""",
            (city, account, day, file_id, balance),
        )


def _line(account: str, file_id: UUID, key: str, raw: RawLine, simulated: bool) -> Line:
    return Line(
        new_id(), "bank", account, raw.day, raw.at, raw.amount, raw.reference, raw.text, raw.party,
        balance=raw.balance, file_id=file_id, number=raw.number, bank_id=key, simulated=simulated,
    )  # fmt: skip


def lines_for(conn: Connection, city: str, setup: Setup, receiver: str) -> list[BankLine]:
    """Money that came in on collecting accounts and was not yet shown to a receiver."""
    collecting = sorted(code for code, one in setup.accounts.items() if one.collects)
    found = store.lines(
        conn, city,
        """l.account = ANY(%s) AND l.side = 'bank' AND l.amount > 0 AND NOT EXISTS (
          SELECT FROM reconciliation_taken t
          WHERE t.city = l.city AND t.line_id = l.id AND t.receiver = %s)""",
        (collecting, receiver),
    )  # fmt: skip
    return [
        BankLine(
            one.id, one.account, one.file_id, one.number, one.bank_id, one.day, one.at, one.amount,
            one.balance, one.reference, one.text, one.party, one.simulated,
        )
        for one in found if one.file_id is not None
    ]  # fmt: skip


def note_taken(conn: Connection, city: str, receiver: str, taken: Taken, clock: Clock) -> None:
    """Remember what a receiver made of a line; the first word counts."""
    store.run(
        conn,
        """INSERT INTO reconciliation_taken VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
        ON CONFLICT DO NOTHING""",
        (
            city, taken.line_id, receiver, taken.outcome, taken.note_ko, taken.note_en,
            taken.subject_kind, taken.subject_id, clock.now(),
        ),
    )  # fmt: skip
