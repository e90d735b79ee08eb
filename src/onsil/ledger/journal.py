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
    figures,
    hexes,
    moments,
    numbers,
    optional_texts,
    optional_uuids,
    texts,
    uuids,
)
from onsil.ledger.book import AccountState, Applied, Book, Decision, Reserved
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
        page.leaves = leaf_writer.encoded_all(applied)
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


def _add_legs(page: Page, applied: Sequence[Applied]) -> None:
    legs = [leg for one in applied for leg in one.legs]
    heads: Sequence[Sequence[Any]] = [one.request for one in applied]
    ids, marks = [one.id for one in applied], [one.fingerprint.hex() for one in applied]
    order = [0] * len(legs)
    if len(legs) > len(applied):  # further legs follow each head, and say nothing of the whole
        rows = [(n, one) for one in applied for n in range(len(one.legs))]
        order = [n for n, _ in rows]
        ids = [one.id for _, one in rows]
        heads = [one.request if n == 0 else _no_head(one) for n, one in rows]
        marks = [one.fingerprint.hex() if n == 0 else None for n, one in rows]
    keys, kinds, _, effective, memos, origin_kinds, origin_ids, *rest = zip(*heads, strict=True)
    reverses, phases, pending, timeouts, _ = rest
    columns = zip(*legs, strict=True)
    sources, destinations, amounts, source_balances, destination_balances, pieces, origins = columns
    page.add(
        len(legs),
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
            "now": applied[0].recorded_at, "ids": uuids(ids), "numbers": numbers(order),
            "phases": numbers([_PHASE[phase] for phase in phases]),
            "sources": numbers([account.id for account in sources]),
            "destinations": numbers([account.id for account in destinations]),
            "amounts": numbers(amounts), "source_balances": numbers(source_balances),
            "destination_balances": numbers(destination_balances),
            "effective": moments(effective),
            "pieces": figures(pieces),
            "issued_kinds": optional_texts([origin and origin[0] for origin in origins]),
            "issued_ids": optional_texts([origin and origin[1] for origin in origins]),
            "keys": optional_texts(keys), "marks": optional_texts(marks),
            "kinds": optional_texts(kinds),
            "memos": optional_texts([memo or None for memo in memos]),
            "origin_kinds": optional_texts([kind or None for kind in origin_kinds]),
            "origin_ids": optional_texts([one or None for one in origin_ids]),
            "reverses": optional_uuids(reverses), "pending": optional_uuids(pending),
            "timeouts": moments(timeouts),
        },
    )  # fmt: skip


def _no_head(applied: Applied) -> Sequence[Any]:
    """What a further leg repeats of its request: when it counts, and the phase."""
    request = applied.request
    return (
        None, None, None, request.effective_at, None, None, None, None, request.phase, None, None,
        None,
    )  # fmt: skip


def _add_accounts(page: Page, applied: Sequence[Applied]) -> None:
    touched: dict[int, AccountState] = {}
    for one in applied:
        for leg in one.legs:
            source, destination = leg[:2]
            touched[source.id] = source
            touched[destination.id] = destination
    # One look at each account, in the order of the table: there are more of them than fit the
    # processor's caches.
    changed = [touched[number] for number in sorted(touched)]
    rows = [(a.id, a.balance, a.held, a.coming, a.received, a.purse) for a in changed]
    ids, balances, held, coming, received, purses = zip(*rows, strict=True)
    page.add(
        len(rows),
        """UPDATE ledger_account a SET balance = given.balance, held = given.held,
          coming = given.coming, received = given.received, purse = given.purse
        FROM unnest(%(ids)s::bigint[], %(balances)s::bigint[], %(held)s::bigint[],
          %(coming)s::bigint[], %(received)s::bigint[], %(purses)s::text[])
          AS given (id, balance, held, coming, received, purse)
        WHERE a.city = %(city)s AND a.id = given.id""",
        {
            "ids": numbers(ids), "balances": numbers(balances), "held": numbers(held),
            "coming": numbers(coming), "received": numbers(received), "purses": figures(purses),
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
