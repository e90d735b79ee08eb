"""The posting writer's SQL: load a batch's book under lock, write what was decided.

Locks are taken in a statement of their own and in the order of the accounts' ids; every row count
is asserted. Rows go in by `unnest` of array literals, the cheapest way to hand many rows over.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

import orjson
import psycopg

from onsil.core.database import Connection, cursor
from onsil.ledger.lots import LotState, Purse, spending_order
from onsil.ledger.machine import (
    AccountState,
    AppliedTransfer,
    Book,
    Decided,
    Decision,
    touched_lots,
)
from onsil.ledger.refusals import from_row
from onsil.ledger.terms import LotTerms, TransferRequest


def array(values: Iterable[object]) -> str:
    """An array literal of numbers or booleans, with None as NULL."""
    return "{" + ",".join(["NULL" if v is None else str(v) for v in values]) + "}"


def uuids(values: Iterable[UUID | None]) -> str:
    """An array literal of ids, with None as NULL."""
    return "{" + ",".join(["NULL" if v is None else f"{v.int:032x}" for v in values]) + "}"


def texts(values: Iterable[str]) -> str:
    """An array literal of any texts."""
    quoted = [v.replace("\\", "\\\\").replace('"', '\\"') for v in values]
    return '{"' + '","'.join(quoted) + '"}' if quoted else "{}"


def hexes(values: Iterable[bytes]) -> str:
    """An array literal of bytes."""
    return "{" + ",".join(['"\\\\x' + v.hex() + '"' for v in values]) + "}"


_terms = lru_cache(maxsize=4096)(LotTerms)
_moment = lru_cache(maxsize=4096)(datetime.isoformat)


def moments(values: Iterable[datetime | None]) -> str:
    """An array literal of instants, with None as NULL."""
    return "{" + ",".join(["NULL" if v is None else f'"{_moment(v)}"' for v in values]) + "}"


def lock_city(conn: Connection, city: str) -> None:
    """Become the city's only posting writer until the end of the transaction."""
    with cursor(conn) as run:
        run.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended('onsil.ledger.' || %s, 0))", (city,)
        )


def last_decided(conn: Connection, city: str) -> tuple[UUID | None, datetime | None]:
    """Id and recording time of the city's newest transfer."""
    with cursor(conn) as run:
        row = run.execute(
            """SELECT id, recorded_at FROM ledger_transfer WHERE city = %s
            ORDER BY id DESC LIMIT 1""",
            (city,),
        ).fetchone()
    return (row[0], row[1]) if row else (None, None)


def load_book(conn: Connection, city: str, requests: Sequence[TransferRequest]) -> Book:
    """Lock the accounts that the requests name and read all that deciding them needs.

    The keys are looked up after the locks, so that no decision of another writer is missed.
    """
    wanted = {
        (code, leg.asset)
        for request in requests
        for leg in request.legs
        for code in (leg.source, leg.destination)
    }
    codes = sorted({code for code, _ in wanted if "\x00" not in code})
    with cursor(conn) as run:
        found = run.execute(
            """SELECT id, code, asset FROM ledger_account
            WHERE city = %s AND code = ANY(%s::text[])""",
            (city, texts(codes)),
        ).fetchall()
        ids = sorted(row[0] for row in found if (row[1], row[2]) in wanted)
        rows = run.execute(
            """SELECT id, code, asset, minimum, maximum, keeps_lots, balance, closed_at IS NOT NULL
            FROM ledger_account WHERE city = %s AND id = ANY(%s::bigint[])
            ORDER BY id FOR NO KEY UPDATE""",
            (city, array(ids)),
        ).fetchall()
    assert len(rows) == len(ids), "every account is locked"
    accounts = {(row[1], row[2]): AccountState(*row) for row in rows}
    book = Book(accounts, codes=frozenset(row[1] for row in found))
    book.keys = load_keys(conn, city, [r.key for r in requests if "\x00" not in r.key])
    _load_lots(conn, city, requests, book)
    reversing = [r.reverses for r in requests if r.reverses is not None]
    if reversing:
        with cursor(conn) as run:
            rows = run.execute(
                "SELECT reverses FROM ledger_transfer WHERE city = %s AND reverses = ANY(%s)",
                (city, reversing),
            ).fetchall()
        book.reversed = {row[0] for row in rows}
    return book


def load_keys(conn: Connection, city: str, keys: Sequence[str]) -> dict[str, Decided]:
    """The keys among `keys` that have been decided, and how."""
    with cursor(conn) as run:
        rows = run.execute(
            """SELECT key, fingerprint, id, NULL, NULL, NULL, NULL FROM ledger_transfer
            WHERE city = %(city)s AND key = ANY(%(keys)s::text[])
            UNION ALL
            SELECT key, fingerprint, NULL, code, ko, en, facts FROM ledger_refusal
            WHERE city = %(city)s AND key = ANY(%(keys)s::text[])""",
            {"city": city, "keys": texts(sorted(set(keys)))},
        ).fetchall()
    return {
        row[0]: Decided(bytes(row[1]), row[2], None if row[2] else from_row(*row[3:]))
        for row in rows
    }


def _load_lots(
    conn: Connection, city: str, requests: Sequence[TransferRequest], book: Book
) -> None:
    """Live lots of every account that pays, and the lots that a request names."""
    paying: set[int] = set()
    named: set[UUID] = set()
    for request in requests:
        for leg in request.legs:
            source = book.accounts.get((leg.source, leg.asset))
            if source is not None and source.keeps_lots:
                paying.add(source.id)
            for piece in leg.pieces or ():
                named |= {key for key in (piece.taken, piece.made) if key is not None}
    if not paying and not named:
        return
    with cursor(conn) as run:
        rows = run.execute(
            """SELECT id, account_id, remaining, initial, transfer_id, parent_id, fund, expires_at,
              merchant_rule, refundable, origin_kind, origin_id
            FROM ledger_lot 
            WHERE city = %s AND account_id = ANY(%s::bigint[]) AND live""",
            (city, array(sorted(paying))),
        ).fetchall()
        if named:
            rows += run.execute(
                """SELECT id, account_id, remaining, initial, transfer_id, parent_id, fund,
                  expires_at, merchant_rule, refundable, origin_kind, origin_id
                FROM ledger_lot WHERE city = %s AND id = ANY(%s)""",
                (city, sorted(named)),
            ).fetchall()
    purses: dict[int, list[LotState]] = {}
    for row in rows:
        if row[0] not in book.lots:
            lot = LotState(*row[:6], terms=_terms(*row[6:]))
            book.lots[lot.id] = lot
            purses.setdefault(lot.account_id, []).append(lot)
    for account in book.accounts.values():
        found = purses.get(account.id)
        if found:
            account.purse = Purse(sorted(found, key=spending_order))


class Writing:
    """A batch being written: statements go out one after the other without waiting for their
    results (pipeline mode, inside the caller's transaction), and every row count is asserted at
    the end. What the caller computes meanwhile costs the database no time.
    """

    def __init__(self, conn: Connection, city: str) -> None:
        self.conn, self.city = conn, city
        self._sent: list[tuple[psycopg.Cursor[Any], int]] = []

    @contextmanager
    def open(self) -> Iterator["Writing"]:
        with self.conn.pipeline():
            yield self
        for run, rows in self._sent:
            assert run.rowcount == rows, f"{rows} rows were to be written, not {run.rowcount}"
            run.close()

    def send(self, rows: int, statement: str, parameters: dict[str, Any]) -> None:
        run = cursor(self.conn)
        run.execute(statement, {"city": self.city, **parameters})  # pyright: ignore
        self._sent.append((run, rows))

    def batch(self, book: Book, decisions: Sequence[Decision], now: datetime) -> None:
        """A batch's decisions: accounts, transfers, legs, lots, moves, refusals."""
        applied = [d.applied for d in decisions if d.applied is not None]
        if applied:
            _write_transfers(self, applied)
            _write_legs(self, applied)
            _write_lots(self, book, applied)
            _write_balances(self, book)
        refused = [d for d in decisions if d.fresh and d.answer.refusal is not None]
        if refused:
            self.refusals(refused, now)

    def refusals(self, refused: Sequence[Decision], decided_at: datetime) -> None:
        """First refusals, so that their keys stay used."""
        known = [(d, d.answer.refusal) for d in refused if d.answer.refusal is not None]
        self.send(
            len(known),
            """INSERT INTO ledger_refusal (city, key, fingerprint, code, ko, en, facts, decided_at)
            SELECT %(city)s, key, mark, code, ko, en, facts, %(now)s
            FROM unnest(%(keys)s::text[], %(marks)s::bytea[], %(codes)s::text[], %(ko)s::text[],
              %(en)s::text[], %(facts)s::jsonb[]) AS given (key, mark, code, ko, en, facts)""",
            {
                "now": decided_at, "keys": texts(d.answer.key for d, _ in known),
                "marks": hexes(d.fingerprint for d, _ in known),
                "codes": texts(no.code for _, no in known), "ko": texts(no.ko for _, no in known),
                "en": texts(no.en for _, no in known),
                "facts": texts(orjson.dumps(dict(no.facts)).decode() for _, no in known),
            },
        )  # fmt: skip

    def remove(self, intake_ids: Sequence[int]) -> None:
        """Decided requests leave the intake."""
        self.send(
            len(intake_ids),
            "DELETE FROM ledger_intake WHERE city = %(city)s AND id = ANY(%(ids)s::bigint[])",
            {"ids": array(intake_ids)},
        )


def _write_balances(writing: Writing, book: Book) -> None:
    changed = [a for a in book.accounts.values() if a.balance != a.before]
    writing.send(
        len(changed),
        """UPDATE ledger_account a SET balance = given.balance
        FROM unnest(%(ids)s::bigint[], %(balances)s::bigint[]) AS given (id, balance)
        WHERE a.city = %(city)s AND a.id = given.id""",
        {
            "ids": array(a.id for a in changed),
            "balances": array(a.balance for a in changed),
        },
    )  # fmt: skip


def _write_transfers(writing: Writing, applied: Sequence[AppliedTransfer]) -> None:
    requests = [t.request for t in applied]
    writing.send(
        len(applied),
        """INSERT INTO ledger_transfer (city, id, key, fingerprint, kind, effective_at,
          recorded_at, memo, origin_kind, origin_id, reverses)
        SELECT %(city)s, id, key, mark, kind, effective_at, %(now)s, memo, origin_kind,
          origin_id, reverses
        FROM unnest(%(ids)s::uuid[], %(keys)s::text[], %(marks)s::bytea[], %(kinds)s::text[],
          %(effective)s::timestamptz[], %(memos)s::text[], %(origin_kinds)s::text[],
          %(origin_ids)s::text[], %(reverses)s::uuid[])
          AS given (id, key, mark, kind, effective_at, memo, origin_kind, origin_id, reverses)""",
        {
            "now": applied[0].recorded_at, "ids": uuids(t.id for t in applied),
            "keys": texts(r.key for r in requests),
            "marks": hexes(t.fingerprint for t in applied),
            "kinds": texts(r.kind for r in requests),
            "effective": moments(t.effective_at for t in applied),
            "memos": texts(r.memo for r in requests),
            "origin_kinds": texts(r.origin_kind for r in requests),
            "origin_ids": texts(r.origin_id for r in requests),
            "reverses": uuids(r.reverses for r in requests),
        },
    )  # fmt: skip


def _write_legs(writing: Writing, applied: Sequence[AppliedTransfer]) -> None:
    legs = [(t.id, n, leg) for t in applied for n, leg in enumerate(t.legs)]
    writing.send(
        len(legs),
        """INSERT INTO ledger_leg (city, transfer_id, number, source_id, destination_id, amount,
          source_balance, destination_balance)
        SELECT %(city)s, * FROM unnest(%(ids)s::uuid[], %(numbers)s::smallint[],
          %(sources)s::bigint[], %(destinations)s::bigint[], %(amounts)s::bigint[],
          %(source_balances)s::bigint[], %(destination_balances)s::bigint[])""",
        {
            "ids": uuids(i for i, _, _ in legs),
            "numbers": array(n for _, n, _ in legs),
            "sources": array(leg.source.id for _, _, leg in legs),
            "destinations": array(leg.destination.id for _, _, leg in legs),
            "amounts": array(leg.amount for _, _, leg in legs),
            "source_balances": array(leg.source_balance for _, _, leg in legs),
            "destination_balances": array(leg.destination_balance for _, _, leg in legs),
        },
    )  # fmt: skip


def _write_lots(writing: Writing, book: Book, applied: Sequence[AppliedTransfer]) -> None:
    made = [lot for t in applied for lot in t.made]
    if made:
        _insert_lots(writing, made)
    touched = touched_lots(book, applied)
    if touched:
        writing.send(
            len(touched),
            """UPDATE ledger_lot l SET remaining = given.remaining, live = given.remaining > 0
            FROM unnest(%(ids)s::uuid[], %(remaining)s::bigint[]) AS given (id, remaining)
            WHERE l.city = %(city)s AND l.id = given.id""",
            {
                "ids": uuids(lot.id for lot in touched),
                "remaining": array(lot.remaining for lot in touched),
            },
        )  # fmt: skip
    moves = [
        (t.id, n, m, piece)
        for t in applied
        for n, leg in enumerate(t.legs)
        for m, piece in enumerate(leg.pieces)
    ]
    if moves:
        writing.send(
            len(moves),
            """INSERT INTO ledger_lot_move (city, transfer_id, leg, piece, taken, made, amount)
            SELECT %(city)s, * FROM unnest(%(ids)s::uuid[], %(legs)s::smallint[],
              %(pieces)s::int[], %(taken)s::uuid[], %(made)s::uuid[], %(amounts)s::bigint[])""",
            {
                "ids": uuids(i for i, _, _, _ in moves),
                "legs": array(n for _, n, _, _ in moves),
                "pieces": array(m for _, _, m, _ in moves),
                "taken": uuids(p.taken for *_, p in moves),
                "made": uuids(p.made for *_, p in moves),
                "amounts": array(p.amount for *_, p in moves),
            },
        )  # fmt: skip


def _insert_lots(writing: Writing, made: Sequence[LotState]) -> None:
    terms = [lot.terms for lot in made]
    writing.send(
        len(made),
        """INSERT INTO ledger_lot (city, id, account_id, transfer_id, parent_id, initial,
          remaining, live, fund, expires_at, merchant_rule, refundable, origin_kind, origin_id)
        SELECT %(city)s, id, account_id, transfer_id, parent_id, initial, remaining,
          remaining > 0, fund, expires_at, merchant_rule, refundable, origin_kind, origin_id
        FROM unnest(%(ids)s::uuid[], %(accounts)s::bigint[], %(transfers)s::uuid[],
          %(parents)s::uuid[], %(initial)s::bigint[], %(remaining)s::bigint[], %(funds)s::text[],
          %(expiries)s::timestamptz[], %(rules)s::text[], %(refundable)s::boolean[],
          %(origin_kinds)s::text[], %(origin_ids)s::text[])
          AS given (id, account_id, transfer_id, parent_id, initial, remaining, fund, expires_at,
            merchant_rule, refundable, origin_kind, origin_id)""",
        {
            "ids": uuids(lot.id for lot in made),
            "accounts": array(lot.account_id for lot in made),
            "transfers": uuids(lot.transfer_id for lot in made),
            "parents": uuids(lot.parent_id for lot in made),
            "initial": array(lot.initial for lot in made),
            "remaining": array(lot.remaining for lot in made),
            "funds": texts(t.fund for t in terms), "expiries": moments(t.expires_at for t in terms),
            "rules": texts(t.merchant_rule for t in terms),
            "refundable": array(t.refundable for t in terms),
            "origin_kinds": texts(t.origin_kind for t in terms),
            "origin_ids": texts(t.origin_id for t in terms),
        },
    )  # fmt: skip
