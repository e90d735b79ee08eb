"""Reading what a batch's decisions depend on into a book, and locking the city for posting.

What the book holds already is not read again: whoever keeps one between batches has to know, by
the head, that nobody else has posted meanwhile.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

import orjson

from onsil.core.database import Connection, cursor
from onsil.ledger.arrays import moments, numbers, texts
from onsil.ledger.book import AccountState, Book, Decision, HeldLeg, Reserved
from onsil.ledger.lots import TERMS
from onsil.ledger.refusals import from_row
from onsil.ledger.terms import Leg, LotTerms, TransferRequest

_ACCOUNT: LiteralString = """SELECT a.id, a.code, a.asset, a.minimum, a.maximum, a.keeps_lots,
  a.balance, a.held, a.coming, a.received, a.purse, a.closed_at IS NOT NULL """
_BY_CODE = (
    _ACCOUNT
    + """FROM unnest(%s::text[], %s::text[]) AS wanted (code, asset)
  JOIN ledger_account a ON a.city = %s AND a.code = wanted.code AND a.asset = wanted.asset"""
)
_BY_ID = _ACCOUNT + "FROM ledger_account a WHERE a.city = %s AND a.id = ANY(%s)"


@dataclass(frozen=True)
class Head:
    """Where a city's journal ends. `sequence` grows with everything that changes accounts."""

    sequence: int = 0
    last_id: UUID | None = None
    recorded_at: datetime | None = None


def lock_head(conn: Connection, city: str) -> Head:
    """Become the city's only poster until the end of the transaction; where its journal ends."""
    select = """SELECT sequence, last_id, recorded_at FROM ledger_head WHERE city = %s
        FOR UPDATE"""
    with cursor(conn) as run:
        row = run.execute(select, (city,)).fetchone()
        if row is None:
            run.execute(
                "INSERT INTO ledger_head (city) VALUES (%s) ON CONFLICT DO NOTHING", (city,)
            )
            row = run.execute(select, (city,)).fetchone()
    assert row is not None, "the head is locked"
    return Head(*row)


def read_head(conn: Connection, city: str) -> Head:
    """Where the city's journal ends at this moment, without keeping anybody from going on."""
    with cursor(conn) as run:
        row = run.execute(
            "SELECT sequence, last_id, recorded_at FROM ledger_head WHERE city = %s", (city,)
        ).fetchone()
    return Head(*row) if row else Head()


def mark_head(conn: Connection, city: str) -> None:
    """Tell writers that accounts were changed otherwise than by posting; the head is locked."""
    with cursor(conn) as run:
        run.execute("UPDATE ledger_head SET sequence = sequence + 1 WHERE city = %s", (city,))
        assert run.rowcount == 1, "the head is marked"


def fill(conn: Connection, city: str, book: Book, requests: Sequence[TransferRequest]) -> None:
    """Read what deciding the requests needs and the book does not hold yet."""
    legs = [leg for request in requests for leg in request.legs]
    there = book.accounts
    missing = {(leg[0], leg[2]) for leg in legs if (leg[0], leg[2]) not in there}
    missing |= {(leg[1], leg[2]) for leg in legs if (leg[1], leg[2]) not in there}
    held: set[int] = set()
    if missing:
        held |= _load_accounts(conn, city, book, missing)
    settling = {r.pending for r in requests if r.pending is not None} - book.reserved.keys()
    if settling:
        held |= _load_reserved(conn, city, book, settling)
    _load_terms(conn, city, book, held, _terms_of(legs))
    keys = [r.key for r in requests if r.key not in book.keys and "\x00" not in r.key]
    if keys:
        book.keys.update(load_keys(conn, city, keys))
    reversing = [r.reverses for r in requests if r.reverses is not None]
    if reversing:
        with cursor(conn) as run:
            book.reversed |= {
                row[0]
                for row in run.execute(
                    "SELECT reverses FROM ledger_leg WHERE city = %s AND reverses = ANY(%s)",
                    (city, reversing),
                )
            }


def _terms_of(legs: Iterable[Leg]) -> set[tuple[Any, ...]]:
    """The terms that value may be issued with, without their origins."""
    found: set[tuple[Any, ...]] = {leg.lot[:4] for leg in legs if leg.lot is not None}
    found |= {piece.terms[:4] for leg in legs if leg.pieces for piece in leg.pieces}
    return found | {LotTerms()[:4]}


def _take_in(book: Book, rows: Iterable[tuple[Any, ...]]) -> set[int]:
    """Accounts that are new to the book; the numbers of the terms in their purses."""
    held: set[int] = set()
    for row in rows:
        if (row[1], row[2]) not in book.accounts:
            account = AccountState(*row)
            account.purse = orjson.loads(row[10])
            held.update([layer[TERMS] for layer in account.purse])
            book.accounts[account.code, account.asset] = account
    return held


def _load_accounts(
    conn: Connection, city: str, book: Book, wanted: set[tuple[str, str]]
) -> set[int]:
    pairs = sorted((c, a) for c, a in wanted if "\x00" not in c and "\x00" not in a)
    with cursor(conn) as run:
        rows = run.execute(
            _BY_CODE,
            (texts([c for c, _ in pairs]), texts([a for _, a in pairs]), city),
        ).fetchall()
        held = _take_in(book, rows)
        missing = {code for code, asset in pairs if (code, asset) not in book.accounts}
        book.codes.clear()
        if missing:
            book.codes |= {
                row[0]
                for row in run.execute(
                    "SELECT code FROM ledger_account WHERE city = %s AND code = ANY(%s::text[])",
                    (city, texts(sorted(missing))),
                )
            }
    return held


def _load_terms(
    conn: Connection, city: str, book: Book, held: set[int], wanted: set[tuple[Any, ...]]
) -> None:
    """Terms that purses name by number, and terms that value is issued with."""
    known = book.terms
    held = {number for number in held if number not in known.terms}
    new = [
        terms for terms in wanted if not known.knows(terms) and "\x00" not in terms[0] + terms[2]
    ]
    if not held and not new:
        return
    with cursor(conn) as run:
        rows = run.execute(
            """SELECT id, fund, expires_at, merchant_rule, refundable FROM ledger_terms
            WHERE city = %s AND id = ANY(%s::bigint[])
            UNION ALL
            SELECT t.id, t.fund, t.expires_at, t.merchant_rule, t.refundable
            FROM unnest(%s::text[], %s::timestamptz[], %s::text[], %s::boolean[])
              AS g (fund, expires_at, merchant_rule, refundable)
            JOIN ledger_terms t ON t.city = %s AND t.fund = g.fund
              AND t.expires_at IS NOT DISTINCT FROM g.expires_at
              AND t.merchant_rule = g.merchant_rule AND t.refundable = g.refundable
            UNION ALL
            SELECT max(id), NULL, NULL, NULL, NULL FROM ledger_terms WHERE city = %s""",
            (
                city, numbers(held), texts([t[0] for t in new]),
                moments([t[1] for t in new]), texts([t[2] for t in new]), [t[3] for t in new],
                city, city,
            ),
        ).fetchall()  # fmt: skip
    *found, (last, *_) = rows
    known.last = max(known.last, last or 0)
    for row in found:
        known.learn(row[0], LotTerms(*row[1:]))
    known.lacks(wanted)


def load_keys(conn: Connection, city: str, keys: Sequence[str]) -> dict[str, Decision]:
    """The keys among `keys` that have been decided, and how.

    Each is looked up by itself: a planner that takes the journal for small, as it does in a new
    city, would rather compare every row with every key.
    """
    with cursor(conn) as run:
        rows = run.execute(
            """SELECT l.key, l.fingerprint, l.transfer_id, NULL, NULL, NULL, NULL
            FROM unnest(%(keys)s::text[]) AS asked (key), LATERAL (
              SELECT key, fingerprint, transfer_id FROM ledger_leg
              WHERE key = asked.key AND city = %(city)s AND number = 0 OFFSET 0) l
            UNION ALL
            SELECT r.key, r.fingerprint, NULL, r.code, r.ko, r.en, r.facts
            FROM unnest(%(keys)s::text[]) AS asked (key), LATERAL (
              SELECT * FROM ledger_refusal
              WHERE city = %(city)s AND key = asked.key OFFSET 0) r""",
            {"city": city, "keys": texts(sorted(set(keys)))},
        ).fetchall()
    return {
        row[0]: Decision(row[0], bytes(row[1]), row[2], None if row[2] else from_row(*row[3:]))
        for row in rows
    }


def _load_reserved(conn: Connection, city: str, book: Book, wanted: set[UUID]) -> set[int]:
    with cursor(conn) as run:
        rows = run.execute(
            """SELECT id, timeout_at, legs, settled_by FROM ledger_pending
            WHERE city = %s AND id = ANY(%s)""",
            (city, sorted(wanted)),
        ).fetchall()
        stored = [(key, timeout, orjson.loads(legs), by) for key, timeout, legs, by in rows]
        ids = {number for _, _, legs, _ in stored for leg in legs for number in leg[:2]}
        accounts = run.execute(
            _BY_ID,
            (city, sorted(ids)),
        ).fetchall()
    held_terms = _take_in(book, accounts)
    by_id = {row[0]: book.accounts[row[1], row[2]] for row in accounts}
    for key, timeout, legs, settled_by in stored:
        held = [
            HeldLeg(
                by_id[source], by_id[destination], amount, [tuple(p) for p in pieces],
                None if origin is None else tuple(origin),
            )
            for source, destination, amount, pieces, origin in legs
        ]  # fmt: skip
        book.reserved[key] = Reserved(key, timeout, held, settled_by)
        held_terms |= {piece[0] for leg in held for piece in leg.pieces}
    return held_terms
