"""Walking value back through its lots, from a payment to where it was issued."""

from uuid import UUID

from onsil.core.database import Connection, cursor
from onsil.ledger.terms import TraceStep

_DEPTH_MAX = 64

_WALK = """
WITH RECURSIVE walk (depth, lot, transfer_id, leg, taken, amount) AS (
  {first}
  UNION ALL
  SELECT w.depth + 1, m.made, m.transfer_id, m.leg, m.taken, m.amount
  FROM walk w
  JOIN ledger_lot l ON l.city = %(city)s AND l.id = w.taken
  JOIN ledger_lot_move m ON m.city = l.city AND m.transfer_id = l.transfer_id AND m.made = l.id
  WHERE w.depth < %(depth)s
),
hops AS (
  SELECT min(depth) AS depth, lot, transfer_id, leg, min(amount) AS amount,
    bool_and(taken IS NULL) AS issued
  FROM walk GROUP BY lot, transfer_id, leg
)
SELECT h.depth, h.transfer_id, t.kind, t.recorded_at, s.asset, h.amount, h.lot, s.code, d.code,
  coalesce(nullif(o.origin_kind, ''), t.origin_kind),
  coalesce(nullif(o.origin_id, ''), t.origin_id), h.issued
FROM hops h
JOIN ledger_transfer t ON t.city = %(city)s AND t.id = h.transfer_id
JOIN ledger_leg g ON g.city = t.city AND g.transfer_id = t.id AND g.number = h.leg
JOIN ledger_account s ON s.city = t.city AND s.id = g.source_id
JOIN ledger_account d ON d.city = t.city AND d.id = g.destination_id
LEFT JOIN ledger_lot o ON o.city = t.city AND o.id = h.lot
ORDER BY h.depth, h.transfer_id, h.leg, h.lot
"""

_OF_TRANSFER = """SELECT 0, m.made, m.transfer_id, m.leg, m.taken, m.amount
  FROM ledger_lot_move m WHERE m.city = %(city)s AND m.transfer_id = %(id)s"""

_OF_LOT = """SELECT 0, m.made, m.transfer_id, m.leg, m.taken, m.amount
  FROM ledger_lot l JOIN ledger_lot_move m
    ON m.city = l.city AND m.transfer_id = l.transfer_id AND m.made = l.id
  WHERE l.city = %(city)s AND l.id = %(id)s"""


def _walk(conn: Connection, city: str, first: str, key: UUID) -> list[TraceStep]:
    with cursor(conn) as run:
        rows = run.execute(
            _WALK.format(first=first),  # pyright: ignore[reportArgumentType]
            {"city": city, "id": key, "depth": _DEPTH_MAX},
        ).fetchall()
    return [TraceStep(*row) for row in rows]


def trace_back(conn: Connection, city: str, transfer_id: UUID) -> list[TraceStep]:
    """The transfers whose lots a transfer spent, hop by hop up to where they were issued.

    Begins with the transfer itself (depth 0). Steps with `issued` are where the value came into
    being; their origin says from what (an award, a conversion …). Value that passed through an
    account without lots cannot be followed further.
    """
    return _walk(conn, city, _OF_TRANSFER, transfer_id)


def trace_lot(conn: Connection, city: str, lot_id: UUID) -> list[TraceStep]:
    """The same, from one lot."""
    return _walk(conn, city, _OF_LOT, lot_id)
