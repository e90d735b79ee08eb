"""Journal rows as transfers and pieces: what the readers share."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

import orjson

from onsil.core.database import Connection, cursor
from onsil.ledger.arrays import numbers
from onsil.ledger.terms import PHASES, LotTerms, Piece, PostedLeg, Transfer


class TermsReader:
    """The terms behind the numbers in purses and pieces, each read once."""

    def __init__(self, conn: Connection, city: str) -> None:
        self._conn, self._city = conn, city
        self._known: dict[int, LotTerms] = {}

    def learn(self, wanted: Iterable[int]) -> None:
        missing = sorted(set(wanted) - self._known.keys())
        if not missing:
            return
        with cursor(self._conn) as run:
            for number, *terms in run.execute(
                """SELECT id, fund, expires_at, merchant_rule, refundable FROM ledger_terms
                WHERE city = %s AND id = ANY(%s::bigint[])""",
                (self._city, numbers(missing)),
            ):
                self._known[number] = LotTerms(*terms)

    def __getitem__(self, number: int) -> LotTerms:
        """Terms that were learnt; those of a number without a row say so."""
        return self._known.get(number) or LotTerms(f"?{number}")

    def pieces(self, rows: Sequence[tuple[str, str | None, str | None]]) -> list[tuple[Piece, ...]]:
        """The pieces of legs, given as their JSON with the origin of what they issued."""
        parsed = [_parsed(text) for text, _, _ in rows]
        self.learn(piece[0] for pieces in parsed for piece in pieces)
        return [
            tuple(
                Piece(self._issued(terms, taken, kind, key), taken, made, amount)
                for terms, taken, made, amount in pieces
            )
            for pieces, (_, kind, key) in zip(parsed, rows, strict=True)
        ]

    def _issued(
        self, number: int, taken: int | None, kind: str | None, key: str | None
    ) -> LotTerms:
        if taken is not None:
            return self[number]
        return self[number]._replace(origin_kind=kind or "", origin_id=key or "")


def _parsed(text: str) -> list[list[Any]]:
    """The pieces of a leg; what somebody has made unreadable reads as a piece of nothing."""
    try:
        pieces = orjson.loads(text)
        assert all(len(piece) == 4 and type(piece[0]) is int for piece in pieces)
    except (ValueError, TypeError, AssertionError):
        return [[0, None, None, 0]]
    return pieces


def read_transfers(conn: Connection, city: str, ids: Sequence[UUID]) -> list[Transfer]:
    """The transfers with these ids, in the order of the ids, with all their legs."""
    wanted = list(ids)
    reader = TermsReader(conn, city)
    legs: dict[UUID, list[PostedLeg]] = {}
    with cursor(conn) as run:
        rows = run.execute(
            """SELECT l.transfer_id, l.pieces, l.issued_kind, l.issued_id, s.code, d.code, s.asset,
              l.amount, l.source_balance, l.destination_balance
            FROM ledger_leg l
            LEFT JOIN ledger_account s ON s.city = l.city AND s.id = l.source_id
            LEFT JOIN ledger_account d ON d.city = l.city AND d.id = l.destination_id
            WHERE l.city = %s AND l.transfer_id = ANY(%s) ORDER BY l.transfer_id, l.number""",
            (city, wanted),
        ).fetchall()
        heads = run.execute(
            """SELECT t.transfer_id, t.key, t.kind, t.effective_at, t.recorded_at,
              coalesce(t.memo, ''), coalesce(t.origin_kind, ''), coalesce(t.origin_id, ''),
              t.reverses, t.phase, t.pending_id, t.timeout_at,
              (SELECT r.transfer_id FROM ledger_leg r
               WHERE r.city = t.city AND r.reverses = t.transfer_id ORDER BY 1 LIMIT 1)
            FROM ledger_leg t
            WHERE t.city = %s AND t.transfer_id = ANY(%s) AND t.number = 0
            ORDER BY t.transfer_id""",
            (city, wanted),
        ).fetchall()
    for row, pieces in zip(rows, reader.pieces([row[1:4] for row in rows]), strict=True):
        legs.setdefault(row[0], []).append(PostedLeg(*row[4:], pieces=pieces))
    return [_transfer(head, legs) for head in heads]


def _transfer(head: tuple[Any, ...], legs: dict[UUID, list[PostedLeg]]) -> Transfer:
    *fields, phase, pending_id, timeout_at, reversed_by = head
    return Transfer(
        *fields, legs=tuple(legs[head[0]]), reversed_by=reversed_by, phase=PHASES[phase],
        pending_id=pending_id, timeout_at=timeout_at,
    )  # fmt: skip
