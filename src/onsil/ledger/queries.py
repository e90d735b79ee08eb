"""Reading the ledger: balances now and then, lots, statements, transfers."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from onsil.core.database import Connection, cursor
from onsil.ledger.evidence import transfer_entry_of
from onsil.ledger.terms import Entry, Lot, LotTerms, MadeLot, Piece, PostedLeg, Transfer
from onsil.proof import PagedSource

Axis = Literal["recorded", "effective"]

_SIDE = """(SELECT l.transfer_id, l.number, {sign} * l.amount AS amount,
    l.{own}_balance AS balance, l.{other}_id AS counterpart
  FROM ledger_leg l WHERE l.city = %(city)s AND l.{own}_id = account.id
    AND (%(before)s::uuid IS NULL OR l.transfer_id < %(before)s::uuid)
  ORDER BY l.transfer_id DESC FETCH FIRST %(limit)s ROWS WITH TIES)"""

_LINES = """
WITH account AS (SELECT id FROM ledger_account
    WHERE city = %(city)s AND code = %(code)s AND asset = %(asset)s),
  lines AS (SELECT sides.* FROM account, LATERAL ({paid} UNION ALL {received}) sides
    ORDER BY transfer_id DESC FETCH FIRST %(limit)s ROWS WITH TIES)
SELECT e.transfer_id, e.number, t.kind, e.amount, e.balance, t.recorded_at, t.effective_at,
  t.memo, t.origin_kind, t.origin_id, c.code, t.reverses
FROM lines e
JOIN ledger_transfer t ON t.city = %(city)s AND t.id = e.transfer_id
JOIN ledger_account c ON c.city = %(city)s AND c.id = e.counterpart
ORDER BY e.transfer_id DESC, e.number DESC
"""
_STATEMENT = _LINES.format(
    paid=_SIDE.format(sign="-1", own="source", other="destination"),
    received=_SIDE.format(sign="1", own="destination", other="source"),
)


def balances(
    conn: Connection, city: str, wanted: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], int]:
    """Balances by (code, asset); 0 for an account that was never opened."""
    pairs = set(wanted)
    with cursor(conn) as run:
        rows = run.execute(
            """SELECT code, asset, balance FROM ledger_account
            WHERE city = %s AND code = ANY(%s) AND asset = ANY(%s)""",
            (city, sorted({c for c, _ in pairs}), sorted({a for _, a in pairs})),
        ).fetchall()
    found = {(code, asset): value for code, asset, value in rows}
    return {pair: found.get(pair, 0) for pair in pairs}


def balance(conn: Connection, city: str, code: str, asset: str) -> int:
    """One account's balance; 0 when it was never opened."""
    return balances(conn, city, [(code, asset)])[code, asset]


def balance_at(
    conn: Connection, city: str, code: str, asset: str, instant: datetime, *,
    axis: Axis = "recorded",
) -> int:  # fmt: skip
    """The balance that counted at an instant: by what was recorded until then, or by what had
    become effective until then (both inclusive), as known now."""
    with cursor(conn) as run:
        row = run.execute(
            """SELECT coalesce(sum(CASE WHEN l.source_id = a.id THEN -l.amount ELSE l.amount END),
              0)::bigint
            FROM ledger_account a
            JOIN ledger_leg l ON l.city = a.city AND a.id IN (l.source_id, l.destination_id)
            JOIN ledger_transfer t ON t.city = l.city AND t.id = l.transfer_id
            WHERE a.city = %s AND a.code = %s AND a.asset = %s 
              AND CASE %s WHEN 'recorded' THEN t.recorded_at ELSE t.effective_at END <= %s""",
            (city, code, asset, axis, instant),
        ).fetchone()
    assert row is not None
    return row[0]


def lots(conn: Connection, city: str, code: str, asset: str, *, spent: bool = False) -> list[Lot]:
    """The lots of an account in the order in which they will be spent, with `spent` ones too."""
    with cursor(conn) as run:
        rows = run.execute(
            """SELECT l.id, l.remaining, l.initial, l.transfer_id, l.parent_id, t.recorded_at,
              l.fund, l.expires_at, l.merchant_rule, l.refundable, l.origin_kind, l.origin_id
            FROM ledger_account a
            JOIN ledger_lot l ON l.city = a.city AND l.account_id = a.id AND (l.live OR %s)
            JOIN ledger_transfer t ON t.city = l.city AND t.id = l.transfer_id
            WHERE a.city = %s AND a.code = %s AND a.asset = %s
            ORDER BY l.merchant_rule = '', l.expires_at NULLS LAST, l.id""",
            (spent, city, code, asset),
        ).fetchall()
    return [
        Lot(*r[:3], terms=LotTerms(*r[6:]), transfer_id=r[3], parent_id=r[4], made_at=r[5])
        for r in rows
    ]


def statement(
    conn: Connection, city: str, code: str, asset: str, limit: int = 50,
    before: UUID | None = None,
) -> list[Entry]:  # fmt: skip
    """An account's newest entries first; `before` (a transfer id) pages back.

    A transfer's legs stay together, so a page may hold a few more than `limit`.
    """
    with cursor(conn) as run:
        rows = run.execute(
            _STATEMENT,  # pyright: ignore[reportArgumentType]
            {"city": city, "code": code, "asset": asset, "limit": limit, "before": before},
        ).fetchall()
    pieces = _pieces(conn, city, [row[0] for row in rows])
    return [Entry(*row, pieces=tuple(pieces.get((row[0], row[1]), ()))) for row in rows]


def _pieces(
    conn: Connection, city: str, ids: Sequence[UUID]
) -> dict[tuple[UUID, int], list[Piece]]:
    found: dict[tuple[UUID, int], list[Piece]] = {}
    with cursor(conn) as run:
        for transfer_id, leg, taken, made, amount in run.execute(
            """SELECT transfer_id, leg, taken, made, amount FROM ledger_lot_move
            WHERE city = %s AND transfer_id = ANY(%s) ORDER BY transfer_id, leg, piece""",
            (city, sorted(set(ids))),
        ):
            found.setdefault((transfer_id, leg), []).append(Piece(taken, made, amount))
    return found


def transfer(conn: Connection, city: str, transfer_id: UUID) -> Transfer | None:
    """One applied transfer with its legs and lots, or None."""
    found = _transfers(conn, city, [transfer_id])
    return found[0] if found else None


def transfers_of(conn: Connection, city: str, origin_kind: str, origin_id: str) -> list[Transfer]:
    """The transfers that came from one thing (an award, a payment …), oldest first."""
    with cursor(conn) as run:
        rows = run.execute(
            """SELECT id FROM ledger_transfer
            WHERE city = %s AND origin_kind = %s AND origin_id = %s AND origin_id <> ''
            ORDER BY id""",
            (city, origin_kind, origin_id),
        ).fetchall()
    return _transfers(conn, city, [row[0] for row in rows])


def _transfers(conn: Connection, city: str, ids: Sequence[UUID]) -> list[Transfer]:
    ids = list(ids)
    pieces = _pieces(conn, city, ids)
    legs: dict[UUID, list[PostedLeg]] = {}
    made: dict[UUID, list[MadeLot]] = {}
    with cursor(conn) as run:
        for row in run.execute(
            """SELECT l.transfer_id, l.number, s.code, d.code, s.asset, l.amount,
              l.source_balance, l.destination_balance
            FROM ledger_leg l
            LEFT JOIN ledger_account s ON s.city = l.city AND s.id = l.source_id
            LEFT JOIN ledger_account d ON d.city = l.city AND d.id = l.destination_id
            WHERE l.city = %s AND l.transfer_id = ANY(%s) ORDER BY l.transfer_id, l.number""",
            (city, ids),
        ):
            own = tuple(pieces.get((row[0], row[1]), ()))
            legs.setdefault(row[0], []).append(PostedLeg(*row[2:], pieces=own))
        for row in run.execute(
            """SELECT l.transfer_id, l.id, a.code, a.asset, l.parent_id, l.initial, l.fund,
              l.expires_at, l.merchant_rule, l.refundable, l.origin_kind, l.origin_id
            FROM ledger_lot_move m
            JOIN ledger_lot l ON l.city = m.city AND l.id = m.made
              AND l.transfer_id = m.transfer_id
            JOIN ledger_account a ON a.city = l.city AND a.id = l.account_id
            WHERE m.city = %s AND m.transfer_id = ANY(%s) ORDER BY l.transfer_id, l.id""",
            (city, ids),
        ):
            lot = MadeLot(*row[1:6], terms=LotTerms(*row[6:]))
            made.setdefault(row[0], []).append(lot)
        heads = run.execute(
            """SELECT t.id, t.key, t.kind, t.effective_at, t.recorded_at, t.memo, t.origin_kind,
              t.origin_id, t.reverses, r.id
            FROM ledger_transfer t
            LEFT JOIN ledger_transfer r ON r.city = t.city AND r.reverses = t.id
            WHERE t.city = %s AND t.id = ANY(%s) ORDER BY t.id""",
            (city, ids),
        ).fetchall()
    return [
        Transfer(
            *h[:9],
            legs=tuple(legs.get(h[0], ())),
            lots=tuple(made.get(h[0], ())),
            reversed_by=h[9],
        )
        for h in heads
    ]


def transfer_entry(conn: Connection, city: str, transfer_id: UUID) -> Mapping[str, Any] | None:
    """What a transfer committed to in the transparency log, from its live rows."""
    found = transfer(conn, city, transfer_id)
    return transfer_entry_of(found) if found else None


def _entry_page(
    conn: Connection, city: str, after: UUID | None, limit: int
) -> list[tuple[UUID, Mapping[str, Any]]]:
    with cursor(conn) as run:
        rows = run.execute(
            """SELECT id FROM ledger_transfer
            WHERE city = %s AND (%s::uuid IS NULL OR id > %s::uuid) ORDER BY id LIMIT %s""",
            (city, after, after, limit),
        ).fetchall()
    found = _transfers(conn, city, [row[0] for row in rows])
    return [(t.id, transfer_entry_of(t)) for t in found]


entry_source = PagedSource(_entry_page)
"""The live rows behind leaves of kind `transfer`."""
