"""Nothing made, nothing lost: a batch's units counted from blocks, ledger and journal apart."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from onsil import ledger
from onsil.core.database import Connection
from onsil.footprint.credits import spans as of
from onsil.footprint.credits.batches import ISSUER, any_batch, batches, imports
from onsil.footprint.credits.events import as_spans, events
from onsil.footprint.credits.spans import Span
from onsil.footprint.credits.terms import STATES, Conservation, UnitEvent, state_of
from onsil.footprint.credits.units import blocks
from onsil.footprint.store import rows

Holders = dict[str, tuple[Span, ...]]


def conservation(conn: Connection, city: str, batch_id: UUID) -> Conservation | None:
    """issued = held + buffer + retired + cancelled + expired + pending export + exported +
    converted, by three ways of counting that must agree; None for an unknown batch.

    Findings: `not-conserved` (the blocks are not the batch's serials), `ledger-differs` (an account
    holds another number of units), `journal-differs` (the events, played again, lead elsewhere).
    """
    made = any_batch(conn, city, batch_id)
    if made is None:
        return None
    found: list[tuple[str, Mapping[str, Any]]] = []
    held: Holders = {}
    for one in blocks(conn, city, batch_id):
        held[one.account] = (*held.get(one.account, ()), one.span)
    issued = ((made.serial_first, made.serial_last + 1),) if made.tonnes else ()
    everything = [span for spans in held.values() for span in spans]
    if of.count(everything) != made.tonnes or not of.holds(everything, issued):
        found.append(("not-conserved", {"issued": made.tonnes, "blocks": of.count(everything)}))
    counted = {account: of.count(spans) for account, spans in held.items()}
    book = {
        one.code: one.balance
        for one in ledger.accounts(conn, city, asset=made.asset)
        if one.code != ISSUER and one.balance
    }
    if book != counted:
        found.append(("ledger-differs", {"ledger": book, "blocks": counted}))
    try:
        played = replay(events(conn, city, batch_id=batch_id), _opened(conn, city, batch_id))
    except ValueError as error:
        played = None
        found.append(("journal-differs", {"journal": str(error)}))
    now = {account: of.joined(spans) for account, spans in held.items()}
    if played is not None and played != now:
        found.append(("journal-differs", {"journal": played, "blocks": now}))
    states: dict[str, int] = dict.fromkeys(STATES, 0)
    for account, units in counted.items():
        states[state_of(account)] += units
    return Conservation(batch_id, made.tonnes, states, tuple(found))


def conservation_all(conn: Connection, city: str) -> list[Conservation]:
    """Every batch of the city, those brought in too."""
    made = [*batches(conn, city), *imports(conn, city)]
    found = [conservation(conn, city, one.id) for one in made]
    return [one for one in found if one is not None]


def _opened(conn: Connection, city: str, batch_id: UUID) -> Holders:
    """What the blocks were at the opening of a batch that is older than its journal."""
    found = rows(
        conn,
        """SELECT u.account, range_agg(u.serials) AS spans FROM footprint_unit_block u
        JOIN footprint_unit_event e ON e.city = u.city AND e.id = u.born_by
        WHERE u.city = %s AND u.batch_id = %s AND e.kind = 'opening' GROUP BY u.account""",
        (city, batch_id),
    )
    return {row["account"]: as_spans(row["spans"]) for row in found}


def replay(journal: list[UnitEvent], opened: Holders) -> Holders:
    """Who holds which serials after a batch's events, in their order. Pure.

    Raises ValueError where an event moves what its source did not have."""
    held: Holders = {account: of.joined(spans) for account, spans in opened.items()}
    for one in journal:
        if one.kind in ("issuance", "import"):
            for account, first, last in one.facts["blocks"]:
                held[account] = of.joined((*held.get(account, ()), (first, last + 1)))
        elif one.spans and one.source and one.source != one.destination:
            if not of.holds(held.get(one.source, ()), one.spans):
                raise ValueError(f"{one.kind} {one.id} moves what {one.source} does not hold")
            held[one.source] = of.without(held[one.source], one.spans)
            there = held.get(one.destination, ())
            held[one.destination] = of.joined((*there, *one.spans))
    return {account: spans for account, spans in held.items() if spans}
