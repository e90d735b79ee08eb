"""Walking value back through its positions, from a payment to where it was issued.

Positions of a lot ascend with time as value comes in, and no position comes in twice. So who
brought a stretch is found by its place, and every amount on the way is exact.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, LiteralString
from uuid import UUID

import orjson

from onsil.core.database import Connection, cursor
from onsil.ledger.reading import TermsReader
from onsil.ledger.terms import LotTerms, Stretch, TraceStep

_DEPTH_MAX = 64
_PAGE = 400
_PIECE_TAKEN, _PIECE_MADE = 1, 2


@dataclass(frozen=True)
class _Part:
    """The part [start, stop) of a piece: in its source's positions, None where it was issued or
    came from an account without lots, and in its destination's."""

    transfer_id: UUID
    leg: int
    piece: int
    source_id: int
    terms: int
    taken: int | None
    start: int
    stop: int


def credits_of(
    conn: Connection, city: str, code: str, asset: str, terms: LotTerms, start: int, end: int
) -> list[Stretch]:
    """Who brought positions [start, end) of a lot, in their order. What was given back by a
    reversal was brought by whoever brought it first."""
    account, number = _lot(conn, city, code, asset, terms)
    if account is None or number is None:
        return []
    return [
        Stretch(part.transfer_id, part.leg, part.piece, part.start, part.stop)
        for part in _credits(conn, account, number, start, end)
    ]


def debits_of(
    conn: Connection, city: str, code: str, asset: str, terms: LotTerms, start: int, end: int,
    *, undone: bool = False,
) -> list[Stretch]:  # fmt: skip
    """Who took positions [start, end) of a lot, oldest first; with `undone`, those too that a
    reversal has given back since."""
    account, number = _lot(conn, city, code, asset, terms)
    if account is None or number is None:
        return []
    with cursor(conn) as run:
        rows = run.execute(
            """SELECT l.transfer_id, l.number, l.pieces FROM ledger_leg l
            WHERE l.source_id = %(account)s AND l.phase IN (0, 2)
              AND strpos(l.pieces, %(terms)s) > 0
              AND (%(undone)s OR NOT EXISTS (SELECT FROM ledger_leg r
                   WHERE r.city = l.city AND r.reverses = l.transfer_id))
            ORDER BY l.transfer_id, l.number""",
            {"account": account, "terms": f"[{number},", "undone": undone},
        ).fetchall()
    return [
        Stretch(transfer, leg, n, low, high)
        for transfer, leg, text in rows
        for n, low, high in _overlaps(orjson.loads(text), number, _PIECE_TAKEN, start, end)
    ]


def trace_back(conn: Connection, city: str, transfer_id: UUID) -> list[TraceStep]:
    """The transfers whose value a transfer moved on, hop by hop up to where it was issued.

    Begins with the transfer itself (depth 0), one step a leg and lot, each with the exact amount
    that it gave. Steps with `issued` are where the value came into being; their origin says from
    what (an award, a conversion …). Value that passed through an account without lots cannot be
    followed further.
    """
    found: dict[tuple[UUID, int, int], list[int]] = {}
    issued: set[tuple[UUID, int, int]] = set()
    parts = _own(conn, city, transfer_id)
    for depth in range(_DEPTH_MAX):
        frontier: dict[tuple[int, int], list[tuple[int, int]]] = {}
        for part in parts:
            key = part.transfer_id, part.leg, part.terms
            size = part.stop - part.start
            found.setdefault(key, [depth, 0])[1] += size
            if part.taken is None:
                issued.add(key)
            else:
                place = part.source_id, part.terms
                frontier.setdefault(place, []).append((part.taken, part.taken + size))
        if not frontier:
            break
        parts = [
            part
            for (account, terms), spans in frontier.items()
            for start, stop in spans
            for part in _credits(conn, account, terms, start, stop)
        ]
    return _steps(conn, city, found, issued)


def _lot(
    conn: Connection, city: str, code: str, asset: str, terms: LotTerms
) -> tuple[int | None, int | None]:
    with cursor(conn) as run:
        row = run.execute(
            """SELECT (SELECT id FROM ledger_account
              WHERE city = %(city)s AND code = %(code)s AND asset = %(asset)s),
              (SELECT id FROM ledger_terms WHERE city = %(city)s AND fund = %(fund)s
               AND expires_at IS NOT DISTINCT FROM %(expires)s::timestamptz
               AND merchant_rule = %(rule)s AND refundable = %(refundable)s)""",
            {"city": city, "code": code, "asset": asset, "fund": terms.fund,
             "expires": terms.expires_at, "rule": terms.merchant_rule,
             "refundable": terms.refundable},
        ).fetchone()  # fmt: skip
    assert row is not None
    return row


def _overlaps(
    pieces: list[list[Any]], terms: int, side: int, start: int, end: int
) -> Iterator[tuple[int, int, int]]:
    """(number of the piece, low, high) where pieces of these terms meet [start, end)."""
    for n, piece in enumerate(pieces):
        if piece[0] == terms and piece[side] is not None:
            low, high = max(start, piece[side]), min(end, piece[side] + piece[3])
            if low < high:
                yield n, low, high


_CREDITS: LiteralString = """SELECT l.transfer_id, l.number, l.source_id, l.pieces
  FROM ledger_leg l
  JOIN ledger_leg h ON h.city = l.city AND h.transfer_id = l.transfer_id AND h.number = 0
    AND h.reverses IS NULL
  WHERE l.destination_id = %(account)s AND l.phase IN (0, 2)
    AND strpos(l.pieces, %(terms)s) > 0
    AND (l.transfer_id, l.number) > (%(after)s, %(leg)s)
  ORDER BY l.transfer_id, l.number LIMIT %(limit)s"""
_ZERO = UUID(int=0)


def _credits(conn: Connection, account: int, terms: int, start: int, end: int) -> list[_Part]:
    found: list[_Part] = []
    covered = 0
    rows = _credit_page(conn, account, terms, (_ZERO, 0), _PAGE)
    if len(rows) == _PAGE:
        rows = _from_position(conn, account, terms, start, rows)
    while rows:
        for transfer, leg, source, text in rows:
            pieces = orjson.loads(text)
            for n, low, high in _overlaps(pieces, terms, _PIECE_MADE, start, end):
                _, taken, made, _ = pieces[n]
                there = None if taken is None else taken + low - made
                found.append(_Part(transfer, leg, n, source, terms, there, low, high))
                covered += high - low
        if len(rows) < _PAGE or covered >= end - start:
            break
        rows = _credit_page(conn, account, terms, rows[-1][:2], _PAGE)
    return sorted(found, key=lambda part: part.start)


def _credit_page(
    conn: Connection, account: int, terms: int, after: tuple[UUID, int], limit: int
) -> list[tuple[Any, ...]]:
    """Credits of a lot after one leg: transfer, leg, source, pieces."""
    with cursor(conn) as run:
        return run.execute(
            _CREDITS,
            {"account": account, "terms": f"[{terms},", "after": after[0], "leg": after[1],
             "limit": limit},
        ).fetchall()  # fmt: skip


def _from_position(
    conn: Connection, account: int, terms: int, position: int, first: list[tuple[Any, ...]]
) -> list[tuple[Any, ...]]:
    """The page of credits that begins where a position came in: positions of a lot ascend with
    the ids of what brought them, so it is found by halving."""
    low, high = first[0][0].int, 2**128 - 1
    while low < high:
        middle = (low + high + 1) // 2
        rows = _credit_page(conn, account, terms, (UUID(int=middle), -1), 1)
        if rows and _first_made(rows[0][3], terms) <= position:
            low = rows[0][0].int
        else:
            high = middle - 1
    return _credit_page(conn, account, terms, (UUID(int=low), -1), _PAGE)


def _first_made(text: str, terms: int) -> int:
    return min(p[_PIECE_MADE] for p in orjson.loads(text) if p[0] == terms)


def _own(conn: Connection, city: str, transfer_id: UUID) -> list[_Part]:
    """The pieces of the transfer that is traced."""
    with cursor(conn) as run:
        rows = run.execute(
            """SELECT number, source_id, pieces FROM ledger_leg
            WHERE city = %s AND transfer_id = %s ORDER BY number""",
            (city, transfer_id),
        ).fetchall()
    return [
        _Part(transfer_id, leg, n, source, terms, taken, made or 0, (made or 0) + amount)
        for leg, source, text in rows
        for n, (terms, taken, made, amount) in enumerate(orjson.loads(text))
    ]


def _steps(
    conn: Connection, city: str, found: dict[tuple[UUID, int, int], list[int]],
    issued: set[tuple[UUID, int, int]],
) -> list[TraceStep]:  # fmt: skip
    reader = TermsReader(conn, city)
    reader.learn(terms for _, _, terms in found)
    with cursor(conn) as run:
        rows = run.execute(
            """SELECT l.transfer_id, l.number, t.kind, t.recorded_at, s.asset, s.code, d.code,
              coalesce(nullif(l.issued_kind, ''), t.origin_kind, ''),
              coalesce(nullif(l.issued_id, ''), t.origin_id, '')
            FROM ledger_leg l
            JOIN ledger_leg t ON t.city = l.city AND t.transfer_id = l.transfer_id AND t.number = 0
            JOIN ledger_account s ON s.city = l.city AND s.id = l.source_id
            JOIN ledger_account d ON d.city = l.city AND d.id = l.destination_id
            WHERE l.city = %s AND l.transfer_id = ANY(%s)""",
            (city, sorted({transfer for transfer, _, _ in found})),
        ).fetchall()
    legs = {(row[0], row[1]): row[2:] for row in rows}
    steps = []
    for key in sorted(found, key=lambda k: (found[k][0], k)):
        transfer, leg, terms = key
        kind, at, asset, source, destination, origin_kind, origin_id = legs[transfer, leg]
        depth, amount = found[key]
        steps.append(
            TraceStep(
                depth, transfer, kind, at, asset, amount, reader[terms], source, destination,
                origin_kind, origin_id, key in issued,
            )
        )  # fmt: skip
    return steps
