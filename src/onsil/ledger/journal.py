"""Writing what was decided: one page of rows a batch, sent in pipeline mode, every count asserted.

Rows go in by `unnest` of array literals. The head's sequence is checked and moved on by the first
statement, which also locks the city: were it another than expected, somebody else has posted since
the book was read, and nothing of the page may stay.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

import orjson

from onsil.core.database import Connection, cursor
from onsil.ledger.arrays import (
    hexes,
    moments,
    numbers,
    optional_texts,
    optional_uuids,
    texts,
    uuids,
)
from onsil.ledger.book import AccountState, Applied, Book, Decision, PieceRow, Reserved
from onsil.ledger.evidence import KIND, LeafWriter
from onsil.ledger.loading import Head
from onsil.ledger.terms import PHASES
from onsil.proof import append_encoded

_PHASE = {name: number for number, name in enumerate(PHASES)}


class Overtaken(Exception):
    """Somebody else has posted in the city since the book was read."""


@dataclass(slots=True)
class Page:
    """Statements with their parameters and the rows each must touch, and the leaves."""

    city: str
    sent: list[tuple[int, bool, LiteralString, dict[str, Any]]] = field(default_factory=list)
    leaves: list[tuple[UUID, bytes]] = field(default_factory=list)

    def add(
        self, rows: int, statement: LiteralString, parameters: dict[str, Any], *,
        contended: bool = False,
    ) -> None:  # fmt: skip
        """Add a statement; `contended` rows are fewer when somebody else was faster."""
        self.sent.append((rows, contended, statement, {"city": self.city, **parameters}))

    def write(self, conn: Connection) -> None:
        """Write it in the caller's transaction. Raises Overtaken when somebody was faster.

        What is contended goes first and alone: it locks, and shows whether the rest may be sent.
        """
        for rows, _, statement, parameters in [one for one in self.sent if one[1]]:
            with cursor(conn) as run:
                run.execute(statement, parameters)
                if run.rowcount < rows:
                    raise Overtaken
        sent = [one for one in self.sent if not one[1]]
        runs = []
        with conn.pipeline():
            for *_, statement, parameters in sent:
                run = cursor(conn)
                run.execute(statement, parameters)
                runs.append(run)
        for run, (rows, *_) in zip(runs, sent, strict=True):
            assert run.rowcount == rows, f"{rows} rows were to be written, not {run.rowcount}"
            run.close()
        append_encoded(conn, self.city, KIND, self.leaves)


def page_of(
    city: str, book: Book, decisions: Sequence[Decision], head: Head, now: datetime,
    leaf_writer: LeafWriter,
) -> tuple[Page, Head]:  # fmt: skip
    """What decisions of `now` add to the journal that ended at `head`, and where it then ends."""
    page = Page(city)
    fresh = [d for d in decisions if d.fresh]
    if not fresh:
        return page, head
    applied = [d.applied for d in fresh if d.applied is not None]
    after = Head(head.sequence + 1, applied[-1].id if applied else head.last_id, now)
    page.add(
        1,
        """UPDATE ledger_head SET sequence = %(after)s, last_id = %(id)s, recorded_at = %(at)s
        WHERE city = %(city)s AND sequence = %(before)s""",
        {"before": head.sequence, "after": after.sequence, "id": after.last_id,
         "at": after.recorded_at},
        contended=True,
    )  # fmt: skip
    if applied:
        _add_terms(page, book)
        _add_legs(page, applied)
        _add_reservations(page, book, applied)
        _add_accounts(page, applied)
        page.leaves = [leaf_writer.encoded(one) for one in applied]
    refused = [d for d in fresh if d.refusal is not None]
    if refused:
        add_refusals(page, refused, now)
    return page, after


def add_refusals(page: Page, refused: Sequence[Decision], now: datetime) -> None:
    """First refusals, so that their keys stay used."""
    known = [d.refusal for d in refused if d.refusal is not None]
    page.add(
        len(known),
        """INSERT INTO ledger_refusal (city, key, fingerprint, code, ko, en, facts, decided_at)
        SELECT %(city)s, key, mark, code, ko, en, facts, %(now)s
        FROM unnest(%(keys)s::text[], %(marks)s::bytea[], %(codes)s::text[], %(ko)s::text[],
          %(en)s::text[], %(facts)s::jsonb[]) AS given (key, mark, code, ko, en, facts)""",
        {
            "now": now, "keys": texts([d.key for d in refused]),
            "marks": hexes(d.fingerprint for d in refused), "codes": texts([r.code for r in known]),
            "ko": texts([r.ko for r in known]), "en": texts([r.en for r in known]),
            "facts": texts([orjson.dumps(dict(r.facts)).decode() for r in known]),
        },
    )  # fmt: skip


def _add_terms(page: Page, book: Book) -> None:
    fresh, book.terms.fresh = book.terms.fresh, []
    if not fresh:
        return
    terms = [book.terms.terms[number] for number in fresh]
    page.add(
        len(fresh),
        """INSERT INTO ledger_terms (city, id, fund, expires_at, merchant_rule, refundable)
        SELECT %(city)s, * FROM unnest(%(ids)s::bigint[], %(funds)s::text[],
          %(expiries)s::timestamptz[], %(rules)s::text[], %(refundable)s::boolean[])""",
        {
            "ids": numbers(fresh), "funds": texts([t.fund for t in terms]),
            "expiries": moments([t.expires_at for t in terms]),
            "rules": texts([t.merchant_rule for t in terms]),
            "refundable": numbers([t.refundable for t in terms]),
        },
    )  # fmt: skip


def _pieces(pieces: Sequence[PieceRow]) -> str:
    """The pieces' JSON; one piece with both positions is what a payment mostly has."""
    if len(pieces) == 1:
        terms, taken, made, amount = pieces[0]
        if taken is not None and made is not None:
            return f"[[{terms},{taken},{made},{amount}]]"
    return orjson.dumps(pieces).decode()


def _add_legs(page: Page, applied: Sequence[Applied]) -> None:
    rows = [(n, one, leg) for one in applied for n, leg in enumerate(one.legs)]
    legs = [leg for _, _, leg in rows]
    heads = [one if n == 0 else None for n, one, _ in rows]
    requests = [None if one is None else one.request for one in heads]
    page.add(
        len(rows),
        """INSERT INTO ledger_leg (city, recorded_at, transfer_id, number, phase, source_id,
          destination_id, amount, source_balance, destination_balance, effective_at, pieces,
          issued_kind, issued_id, key, fingerprint, kind, memo, origin_kind, origin_id, reverses,
          pending_id, timeout_at)
        SELECT %(city)s, %(now)s, id, number, phase, source, destination, amount, source_balance,
          destination_balance, coalesce(effective_at, %(now)s), pieces, issued_kind, issued_id,
          key, decode(mark, 'hex'), kind, memo, origin_kind, origin_id, reverses, pending,
          timeout_at
        FROM unnest(%(ids)s::uuid[], %(numbers)s::smallint[], %(phases)s::smallint[],
          %(sources)s::bigint[], %(destinations)s::bigint[], %(amounts)s::bigint[],
          %(source_balances)s::bigint[], %(destination_balances)s::bigint[],
          %(effective)s::timestamptz[], %(pieces)s::text[], %(issued_kinds)s::text[],
          %(issued_ids)s::text[], %(keys)s::text[], %(marks)s::text[], %(kinds)s::text[],
          %(memos)s::text[], %(origin_kinds)s::text[], %(origin_ids)s::text[],
          %(reverses)s::uuid[], %(pending)s::uuid[], %(timeouts)s::timestamptz[])
          AS given (id, number, phase, source, destination, amount, source_balance,
            destination_balance, effective_at, pieces, issued_kind, issued_id, key, mark, kind,
            memo, origin_kind, origin_id, reverses, pending, timeout_at)""",
        {
            "now": applied[0].recorded_at, "ids": uuids(one.id for _, one, _ in rows),
            "numbers": numbers([n for n, _, _ in rows]),
            "phases": numbers([_PHASE[one.request.phase] for _, one, _ in rows]),
            "sources": numbers([leg.source.id for leg in legs]),
            "destinations": numbers([leg.destination.id for leg in legs]),
            "amounts": numbers([leg.amount for leg in legs]),
            "source_balances": numbers([leg.source_balance for leg in legs]),
            "destination_balances": numbers([leg.destination_balance for leg in legs]),
            "effective": moments([one.request.effective_at for _, one, _ in rows]),
            "pieces": texts([_pieces(leg.pieces) for leg in legs]),
            "issued_kinds": optional_texts([leg.origin[0] if leg.origin else None for leg in legs]),
            "issued_ids": optional_texts([leg.origin[1] if leg.origin else None for leg in legs]),
            "keys": optional_texts([r.key if r else None for r in requests]),
            "marks": optional_texts([one.fingerprint.hex() if one else None for one in heads]),
            "kinds": optional_texts([r.kind if r else None for r in requests]),
            "memos": optional_texts([r and (r.memo or None) for r in requests]),
            "origin_kinds": optional_texts([r and (r.origin_kind or None) for r in requests]),
            "origin_ids": optional_texts([r and (r.origin_id or None) for r in requests]),
            "reverses": optional_uuids([r and r.reverses for r in requests]),
            "pending": optional_uuids([r and r.pending for r in requests]),
            "timeouts": moments([r and r.timeout_at for r in requests]),
        },
    )  # fmt: skip


def _add_accounts(page: Page, applied: Sequence[Applied]) -> None:
    touched: dict[int, AccountState] = {}
    for one in applied:
        for leg in one.legs:
            touched[leg[0].id] = leg[0]
            touched[leg[1].id] = leg[1]
    changed = [touched[number] for number in sorted(touched)]
    page.add(
        len(changed),
        """UPDATE ledger_account a SET balance = given.balance, held = given.held,
          coming = given.coming, received = given.received, purse = given.purse
        FROM unnest(%(ids)s::bigint[], %(balances)s::bigint[], %(held)s::bigint[],
          %(coming)s::bigint[], %(received)s::bigint[], %(purses)s::text[])
          AS given (id, balance, held, coming, received, purse)
        WHERE a.city = %(city)s AND a.id = given.id""",
        {
            "ids": numbers([a.id for a in changed]),
            "balances": numbers([a.balance for a in changed]),
            "held": numbers([a.held for a in changed]),
            "coming": numbers([a.coming for a in changed]),
            "received": numbers([a.received for a in changed]),
            "purses": texts([orjson.dumps(a.purse).decode() for a in changed]),
        },
    )  # fmt: skip


def _add_reservations(page: Page, book: Book, applied: Sequence[Applied]) -> None:
    made = [book.reserved[one.id] for one in applied if one.request.phase == "pending"]
    if made:
        page.add(
            len(made),
            """INSERT INTO ledger_pending (city, id, timeout_at, legs)
            SELECT %(city)s, * FROM unnest(%(ids)s::uuid[], %(timeouts)s::timestamptz[],
              %(legs)s::text[])""",
            {"ids": uuids(r.id for r in made), "timeouts": moments([r.timeout_at for r in made]),
             "legs": texts([_held(r) for r in made])},
        )  # fmt: skip
    settled = [(one.id, one.request.pending) for one in applied if one.request.pending is not None]
    if settled:
        page.add(
            len(settled),
            """UPDATE ledger_pending p SET settled_by = given.by
            FROM unnest(%(ids)s::uuid[], %(by)s::uuid[]) AS given (id, by)
            WHERE p.city = %(city)s AND p.id = given.id AND p.settled_by IS NULL""",
            {"ids": uuids(key for _, key in settled), "by": uuids(by for by, _ in settled)},
        )


def _held(reserved: Reserved) -> str:
    return orjson.dumps(
        [[leg.source.id, leg.destination.id, leg.amount, leg.pieces, leg.origin]
         for leg in reserved.legs]
    ).decode()  # fmt: skip
