"""Reading the ledger: balances now and then, lots, statements, transfers."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

import orjson

from onsil.core.database import Connection, cursor
from onsil.core.ids import uuid7
from onsil.ledger.evidence import transfer_entry_of
from onsil.ledger.lots import SPANS, TERMS
from onsil.ledger.reading import TermsReader, read_transfers
from onsil.ledger.terms import Entry, Lot, Transfer
from onsil.proof import PagedSource

Axis = Literal["recorded", "effective"]
DATED = timedelta(minutes=1)
"""What counts further from its recording than this is found by an index of its own."""

_SIDE = """(SELECT l.transfer_id, l.number, {sign} * l.amount AS amount,
    l.{own}_balance AS balance, l.{other}_id AS counterpart, l.pieces, l.issued_kind, l.issued_id
  FROM ledger_leg l WHERE l.{own}_id = account.id AND l.phase IN (0, 2)
    AND (%(before)s::uuid IS NULL OR l.transfer_id < %(before)s::uuid)
  ORDER BY l.transfer_id DESC FETCH FIRST %(limit)s ROWS WITH TIES)"""

_LINES = """
WITH account AS (SELECT id FROM ledger_account
    WHERE city = %(city)s AND code = %(code)s AND asset = %(asset)s),
  lines AS (SELECT sides.* FROM account, LATERAL ({paid} UNION ALL {received}) sides
    ORDER BY transfer_id DESC FETCH FIRST %(limit)s ROWS WITH TIES)
SELECT e.pieces, e.issued_kind, e.issued_id, e.transfer_id, e.number, t.kind, e.amount, e.balance,
  t.recorded_at, t.effective_at, coalesce(t.memo, ''), coalesce(t.origin_kind, ''),
  coalesce(t.origin_id, ''), c.code, t.reverses
FROM lines e
JOIN ledger_leg t ON t.city = %(city)s AND t.transfer_id = e.transfer_id AND t.number = 0
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
    become effective until then (both inclusive), as known now.

    By the recorded time it is the balance after the last leg, found by index however long the
    account's history is; by the effective time that is corrected by the few legs that count at
    another time than when they were recorded.
    """
    with cursor(conn) as run:
        row = run.execute(
            "SELECT id FROM ledger_account WHERE city = %s AND code = %s AND asset = %s",
            (city, code, asset),
        ).fetchone()
        if row is None:
            return 0
        known = {"id": row[0], "at": instant, "after": _first_id_after(instant)}
        total = _recorded_balance(run, known)
        if axis == "effective":
            total += _shifted(run, known)
    return total


def _first_id_after(instant: datetime) -> UUID:
    """An id above every transfer recorded until an instant: ids begin with their millisecond."""
    return uuid7(int(instant.timestamp() * 1000) + 2, bytes(10))


def _recorded_balance(run: Any, known: dict[str, Any]) -> int:
    """The balance after the account's last leg that was recorded until the instant."""
    row = run.execute(
        """SELECT balance FROM (
          (SELECT transfer_id, number, source_balance AS balance FROM ledger_leg
           WHERE source_id = %(id)s AND phase IN (0, 2) AND transfer_id < %(after)s
             AND recorded_at <= %(at)s
           ORDER BY transfer_id DESC FETCH FIRST 1 ROWS WITH TIES)
          UNION ALL
          (SELECT transfer_id, number, destination_balance FROM ledger_leg
           WHERE destination_id = %(id)s AND phase IN (0, 2) AND transfer_id < %(after)s
             AND recorded_at <= %(at)s
           ORDER BY transfer_id DESC FETCH FIRST 1 ROWS WITH TIES)) sides
        ORDER BY transfer_id DESC, number DESC LIMIT 1""",
        known,
    ).fetchone()
    return row[0] if row else 0


def _shifted(run: Any, known: dict[str, Any]) -> int:
    """What was recorded later and counted by the instant, less what was recorded by then and
    counts later. Legs dated less than a minute off are looked for around the instant."""
    instant: datetime = known["at"]
    row = run.execute(
        """SELECT coalesce(sum(
          CASE WHEN recorded_at > %(at)s AND effective_at <= %(at)s THEN amount
               WHEN recorded_at <= %(at)s AND effective_at > %(at)s THEN -amount ELSE 0 END),
          0)::bigint
        FROM (
          SELECT recorded_at, effective_at, -amount AS amount FROM ledger_leg
          WHERE source_id = %(id)s AND phase IN (0, 2)
            AND recorded_at - effective_at
              NOT BETWEEN interval '-1 minute' AND interval '1 minute'
          UNION ALL
          SELECT recorded_at, effective_at, amount FROM ledger_leg
          WHERE destination_id = %(id)s AND phase IN (0, 2)
            AND recorded_at - effective_at
              NOT BETWEEN interval '-1 minute' AND interval '1 minute'
          UNION ALL
          SELECT recorded_at, effective_at, -amount FROM ledger_leg
          WHERE source_id = %(id)s AND phase IN (0, 2)
            AND transfer_id BETWEEN %(from)s AND %(until)s
            AND recorded_at - effective_at BETWEEN interval '-1 minute' AND interval '1 minute'
          UNION ALL
          SELECT recorded_at, effective_at, amount FROM ledger_leg
          WHERE destination_id = %(id)s AND phase IN (0, 2)
            AND transfer_id BETWEEN %(from)s AND %(until)s
            AND recorded_at - effective_at BETWEEN interval '-1 minute' AND interval '1 minute'
        ) near""",
        {
            **known, "from": uuid7(int((instant - DATED).timestamp() * 1000) - 1, bytes(10)),
            "until": _first_id_after(instant + DATED),
        },
    ).fetchone()  # fmt: skip
    return row[0]


def lots(conn: Connection, city: str, code: str, asset: str) -> list[Lot]:
    """The live lots of an account in the order in which they will be spent."""
    with cursor(conn) as run:
        row = run.execute(
            "SELECT purse FROM ledger_account WHERE city = %s AND code = %s AND asset = %s",
            (city, code, asset),
        ).fetchone()
    purse = orjson.loads(row[0]) if row else []
    reader = TermsReader(conn, city)
    reader.learn(layer[TERMS] for layer in purse)
    found = []
    for layer in purse:
        spans = tuple(zip(layer[SPANS::2], layer[SPANS + 1 :: 2], strict=True))
        amount = sum(stop - start for start, stop in spans)
        found.append(Lot(reader[layer[TERMS]], amount, spans))
    return found


def statement(
    conn: Connection, city: str, code: str, asset: str, limit: int = 50,
    before: UUID | None = None,
) -> list[Entry]:  # fmt: skip
    """An account's newest entries first; `before` (a transfer id) pages back.

    A transfer's legs stay together, so a page may hold a few more than `limit`. What is pending
    or was released is not in it: nothing moved.
    """
    with cursor(conn) as run:
        rows = run.execute(
            _STATEMENT,  # pyright: ignore[reportArgumentType]
            {"city": city, "code": code, "asset": asset, "limit": limit, "before": before},
        ).fetchall()
    pieces = TermsReader(conn, city).pieces([row[:3] for row in rows])
    return [Entry(*row[3:], pieces=own) for row, own in zip(rows, pieces, strict=True)]


def transfer(conn: Connection, city: str, transfer_id: UUID) -> Transfer | None:
    """One applied transfer with its legs, or None."""
    found = read_transfers(conn, city, [transfer_id])
    return found[0] if found else None


def transfers_of(conn: Connection, city: str, origin_kind: str, origin_id: str) -> list[Transfer]:
    """The transfers that came from one thing (an award, a payment …), oldest first."""
    with cursor(conn) as run:
        rows = run.execute(
            """SELECT transfer_id FROM ledger_leg
            WHERE city = %s AND origin_kind = %s AND origin_id = %s AND origin_id <> ''
            ORDER BY transfer_id""",
            (city, origin_kind, origin_id),
        ).fetchall()
    return read_transfers(conn, city, [row[0] for row in rows])


def transfer_entry(conn: Connection, city: str, transfer_id: UUID) -> Mapping[str, Any] | None:
    """What a transfer committed to in the transparency log, from its live rows."""
    found = transfer(conn, city, transfer_id)
    return transfer_entry_of(found) if found else None


def _entry_page(
    conn: Connection, city: str, after: UUID | None, limit: int
) -> list[tuple[UUID, Mapping[str, Any]]]:
    with cursor(conn) as run:
        rows = run.execute(
            """SELECT transfer_id FROM ledger_leg
            WHERE city = %s AND (%s::uuid IS NULL OR transfer_id > %s::uuid) AND number = 0
            ORDER BY transfer_id LIMIT %s""",
            (city, after, after, limit),
        ).fetchall()
    found = read_transfers(conn, city, [row[0] for row in rows])
    return [(t.id, transfer_entry_of(t)) for t in found]


entry_source = PagedSource(_entry_page)
"""The live rows behind leaves of kind `transfer`."""
