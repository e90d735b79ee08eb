"""A statement from the ledger's pages: newest entries come first from there, so they are laid on
disk page by page and read back from the end. Memory does not grow with the number of entries."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from tempfile import SpooledTemporaryFile
from typing import IO, Any
from uuid import UUID

import orjson

from onsil.core.clock import Clock
from onsil.core.database import Connection
from onsil.core.ids import uuid7
from onsil.core.periods import Period
from onsil.core.refusal import OperationError, Refusal
from onsil.ledger.accounts import account as find_account
from onsil.ledger.queries import balance_at
from onsil.ledger.queries import statement as entries
from onsil.ledger.statements.refusals import no_account
from onsil.ledger.statements.terms import Counterpart, KindTotal, Statement, StatementLine, Taken
from onsil.ledger.terms import Entry

PAGE = 500
_IN_MEMORY_BYTES = 1 << 20
# Ids follow the clock; a clock set back may let them run ahead of the recorded time by a little.
_MARGIN = timedelta(hours=1)
_INSTANT = timedelta(microseconds=1)
_LAST_RANDOM = b"\xff" * 10


def read_statement(
    conn: Connection, city: str, account: str, asset: str, period: Period, clock: Clock
) -> Statement | Refusal:
    """The movements of one account in a half-open period, by the time they were recorded.

    Refuses with `statement-no-account`. Raises OperationError when the entries do not follow from
    one another, which only a damaged ledger does.
    """
    if find_account(conn, city, account, asset) is None:
        return no_account(account, asset)
    now = clock.now()
    spool = _Spool()
    totals: dict[str, list[int]] = {}
    newer: Entry | None = None
    closing = opening = None
    for entry in _newest_first(conn, city, account, asset, period):
        if closing is None:
            closing = entry.balance
        if newer is not None and newer.balance - newer.amount != entry.balance:
            raise OperationError(
                f"{account} {asset}: the balance after {entry.transfer_id} is {entry.balance}, "
                f"before {newer.transfer_id} it is {newer.balance - newer.amount}",
                retry=False,
            )
        spool.add(entry)
        _count(totals, entry)
        opening, newer = entry.balance - entry.amount, entry
    spool.close_page()
    before = balance_at(conn, city, account, asset, period.start - _INSTANT)
    if opening is None or closing is None:
        opening = closing = before
    if opening != before:
        raise OperationError(
            f"{account} {asset}: opens with {opening}, the ledger says {before}", retry=False
        )
    incoming = sum(t[1] for t in totals.values())
    outgoing = sum(t[2] for t in totals.values())
    assert opening + incoming - outgoing == closing, "movements explain the balance"
    kinds = tuple(KindTotal(kind, *totals[kind]) for kind in sorted(totals))
    return Statement(
        city, account, asset, period, now, opening, closing, incoming, outgoing,
        sum(t[0] for t in totals.values()), kinds, spool.lines,
    )  # fmt: skip


def _newest_first(
    conn: Connection, city: str, account: str, asset: str, period: Period
) -> Iterator[Entry]:
    edge = (period.end + _MARGIN).astimezone(UTC)
    before: UUID | None = uuid7(int(edge.timestamp()) * 1000, _LAST_RANDOM)
    while page := entries(conn, city, account, asset, PAGE, before):
        for entry in page:
            if entry.at < period.start:
                return
            if entry.at < period.end:
                yield entry
        before = page[-1].transfer_id


def _count(totals: dict[str, list[int]], entry: Entry) -> None:
    total = totals.setdefault(entry.kind, [0, 0, 0])
    total[0] += 1
    total[1 if entry.amount > 0 else 2] += abs(entry.amount)


class _Spool:
    """Entries written newest first in pages, read back oldest first."""

    def __init__(self) -> None:
        self._file: IO[bytes] = SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES)  # noqa: SIM115
        self._pages: list[tuple[int, int]] = []
        self._page: list[bytes] = []

    def add(self, entry: Entry) -> None:
        self._page.append(orjson.dumps(_plain(entry)))
        if len(self._page) == PAGE:
            self.close_page()

    def close_page(self) -> None:
        if not self._page:
            return
        text = b"\n".join(self._page)
        self._file.seek(0, 2)
        self._pages.append((self._file.tell(), len(text)))
        self._file.write(text)
        self._page = []

    def lines(self) -> Iterator[StatementLine]:
        for start, length in reversed(self._pages):
            self._file.seek(start)
            for row in reversed(self._file.read(length).split(b"\n")):
                yield _line(orjson.loads(row))


def _plain(entry: Entry) -> list[Any]:
    lots: dict[tuple[Any, ...], int] = {}
    for piece in entry.pieces:
        terms = piece.terms
        key = (terms.fund, terms.expires_at, terms.merchant_rule, terms.refundable)
        lots[key] = lots.get(key, 0) + piece.amount
    return [
        entry.transfer_id, entry.kind, entry.at, entry.effective_at, entry.counterpart, entry.memo,
        entry.origin_kind, entry.origin_id, entry.reverses, entry.amount, entry.balance,
        [[amount, *key] for key, amount in lots.items()],
    ]  # fmt: skip


def _line(raw: list[Any]) -> StatementLine:
    lots = tuple(
        Taken(
            amount, fund, None if expires is None else datetime.fromisoformat(expires), rule, back
        )
        for amount, fund, expires, rule, back in raw[11]
    )
    return StatementLine(
        UUID(raw[0]), raw[1], datetime.fromisoformat(raw[2]), datetime.fromisoformat(raw[3]),
        Counterpart(raw[4]), raw[5], raw[6], raw[7], None if raw[8] is None else UUID(raw[8]),
        raw[9], raw[10], lots,
    )  # fmt: skip
