"""Blocks of units: who holds which serials now, and moving them with the ledger in one."""

from collections.abc import Iterable
from uuid import UUID

from onsil import ledger
from onsil.core.clock import Clock
from onsil.core.database import Connection
from onsil.core.ids import new_id
from onsil.core.refusal import Refusal
from onsil.footprint.credits import spans as of
from onsil.footprint.credits.batches import (
    any_batch,
    insufficient,
    key_reused,
    post,
    unknown_batch,
)
from onsil.footprint.credits.events import as_range, draft, event_by_key, same, write
from onsil.footprint.credits.spans import Span
from onsil.footprint.credits.terms import BUFFER, STATES, Move, UnitBlock, UnitEvent
from onsil.footprint.store import Row, execute, lock, rows
from onsil.footprint.terms import CreditBatch

_WISHES = (
    "transfer", "retirement", "cancellation", "export-started", "conversion", "planned-delivery",
)  # fmt: skip
"""What somebody wants done with a project's units, and what a promised sale comes before."""
_BLOCK = """SELECT id, batch_id, serials, account, state, born_by, ended_by
  FROM footprint_unit_block"""


def _block(row: Row) -> UnitBlock:
    serials = row.pop("serials")
    return UnitBlock(first=serials.lower, end=serials.upper, **row)


def lock_units(conn: Connection, city: str, batch_ids: Iterable[UUID]) -> None:
    """Hold batches' units until the transaction ends; several at once, that none wait in a ring."""
    lock(conn, city, [f"units {one}" for one in batch_ids])


def blocks(
    conn: Connection, city: str, batch_id: UUID, account: str | None = None
) -> list[UnitBlock]:
    """The live blocks of a batch, by serial, optionally of one account."""
    found = rows(
        conn,
        f"""{_BLOCK} WHERE city = %(city)s AND batch_id = %(batch)s AND ended_by IS NULL
          AND (%(account)s::text IS NULL OR account = %(account)s::text) ORDER BY serials""",
        {"city": city, "batch": batch_id, "account": account},
    )
    return [_block(row) for row in found]


def block(conn: Connection, city: str, block_id: UUID) -> UnitBlock | None:
    """A block, live or ended."""
    found = rows(conn, f"{_BLOCK} WHERE city = %s AND id = %s", (city, block_id))
    return _block(found[0]) if found else None


def block_of_serial(conn: Connection, city: str, serial: int) -> UnitBlock | None:
    """The live block that a serial number is in."""
    found = rows(
        conn, f"{_BLOCK} WHERE city = %s AND serials @> %s::bigint AND ended_by IS NULL",
        (city, serial),
    )  # fmt: skip
    return _block(found[0]) if found else None


def ancestors(conn: Connection, city: str, one: UnitBlock) -> list[UnitBlock]:
    """Every block, ended ones too, that held one of a block's serials before it did."""
    found = rows(
        conn,
        f"""{_BLOCK} WHERE city = %s AND serials && %s::int8range AND id <> %s
          AND born_by < %s AND ended_by <= %s ORDER BY born_by, serials""",
        (city, as_range(one.span), one.id, one.born_by, one.born_by),
    )
    return [_block(row) for row in found]


def open_blocks(
    conn: Connection, city: str, made: CreditBatch, event: UnitEvent,
    parts: list[tuple[str, Span]],
) -> None:  # fmt: skip
    """The first blocks of a batch's units, at their issuance or import."""
    for account, span in parts:
        _born(conn, city, made.id, span, account, event.id)


def _born(
    conn: Connection, city: str, batch_id: UUID, span: Span, account: str, event_id: UUID
) -> UUID:
    made = new_id()
    execute(
        conn,
        """INSERT INTO footprint_unit_block (city, id, batch_id, serials, account, born_by)
        VALUES (%s,%s,%s,%s,%s,%s)""",
        (city, made, batch_id, as_range(span), account, event_id),
    )
    return made


def _end(conn: Connection, city: str, one: UnitBlock, event_id: UUID) -> None:
    execute(
        conn,
        "UPDATE footprint_unit_block SET ended_by = %s WHERE city = %s AND id = %s",
        (event_id, city, one.id),
    )


def move(conn: Connection, city: str, asked: Move, clock: Clock) -> UnitEvent | Refusal:
    """Move units from an account to another: ledger, blocks, journal and log in one.

    The same key and terms again give the event that was made. Refused: unknown-batch,
    units-invalid (none asked for, or to themselves), key-reused, insufficient-balance,
    serials-not-held (of `spans`), units-promised (to orders in escrow), and the ledger's codes.
    """
    found = any_batch(conn, city, asked.batch_id)
    if found is None:
        return unknown_batch(asked.batch_id)
    if asked.tonnes < 1 or asked.source == asked.destination:
        return units_invalid(asked.tonnes)
    lock(conn, city, [f"unit-event {asked.kind}:{asked.key}"])
    own = asked.source == f"project:{found.project_id}" and asked.kind in _WISHES
    if own:
        lock(conn, city, [f"market {found.id}"])
    lock_units(conn, city, [found.id])
    there = event_by_key(conn, city, asked.kind, asked.key)
    if there is not None:
        wanted = _draft(asked, asked.spans or there.spans, clock)
        return there if same(there, wanted) else key_reused(asked.key)
    held = blocks(conn, city, found.id, asked.source)
    chosen = _chosen(asked, [one.span for one in held], found)
    if isinstance(chosen, Refusal):
        return chosen
    promised = _promised(conn, city, asked, sum(one.units for one in held)) if own else None
    if promised is not None:
        return promised
    made = _draft(asked, chosen, clock)
    transfer_id = _post(conn, city, found, asked, made, clock)
    if isinstance(transfer_id, Refusal):
        return transfer_id
    made = UnitEvent(**{**vars(made), "transfer_id": transfer_id})
    write(conn, city, made)
    _rearrange(conn, city, held, made)
    return made


def _promised(conn: Connection, city: str, asked: Move, held: int) -> Refusal | None:
    """What open orders have been promised of a project's units is not used for anything else."""
    found = rows(
        conn,
        """SELECT coalesce(sum(tonnes), 0)::int AS n FROM footprint_order
        WHERE city = %s AND batch_id = %s AND status IN ('accepted', 'escrowed')""",
        (city, asked.batch_id),
    )
    kept = found[0]["n"]
    if asked.tonnes <= held - kept:
        return None
    return Refusal(
        "units-promised",
        f"보유 {held} 가운데 {kept}단위는 결제를 기다리는 주문의 것입니다.",
        f"Of the {held} units held, {kept} belong to orders that wait for settlement.",
        {"held": held, "promised": kept, "units": asked.tonnes},
    )


def _draft(asked: Move, chosen: tuple[Span, ...], clock: Clock) -> UnitEvent:
    return draft(
        asked.kind, asked.key, asked.actor, clock, facts=asked.facts, spans=chosen,
        tonnes=asked.tonnes, batch_id=asked.batch_id, project_id=asked.project_id,
        parent_id=asked.parent_id, source=asked.source, destination=asked.destination,
        action_id=asked.action_id,
    )  # fmt: skip


def _chosen(asked: Move, held: list[Span], found: CreditBatch) -> tuple[Span, ...] | Refusal:
    if asked.spans is not None:
        if of.holds(held, asked.spans):
            return of.joined(asked.spans)
        return Refusal(
            "serials-not-held",
            f"{asked.source} 계정이 갖고 있지 않은 일련번호입니다 ({of.said(asked.spans)}).",
            f"The account {asked.source} does not hold those serials ({of.said(asked.spans)}).",
            {"account": asked.source, "asked": of.said(asked.spans), "held": of.said(held)},
        )
    chosen = of.lowest(held, asked.tonnes)
    if chosen is None:
        return insufficient(asked.source, found.asset, of.count(held), asked.tonnes)
    return chosen


def _post(
    conn: Connection, city: str, found: CreditBatch, asked: Move, made: UnitEvent, clock: Clock
) -> UUID | Refusal:
    kind = asked.destination if asked.destination in STATES else "company"
    ledger.open_accounts(
        conn, city, [*asked.accounts, ledger.AccountSpec(asked.destination, found.asset, kind)]
    )
    leg = ledger.Leg(asked.source, asked.destination, found.asset, asked.tonnes)
    origin = asked.origin or ("unit-event", str(made.id))
    request = ledger.TransferRequest(
        made.key, asked.kind, (leg, *asked.legs), clock.now(), asked.memo[:200], *origin
    )
    return post(conn, city, request, clock)


def _rearrange(conn: Connection, city: str, held: list[UnitBlock], made: UnitEvent) -> None:
    """End the blocks that a move touches; what moved and what stayed are new ones."""
    touched = [one for one in held if of.common([one.span], made.spans)]
    for one in touched:
        _end(conn, city, one, made.id)
    for one in touched:
        for span in of.without([one.span], made.spans):
            _born(conn, city, one.batch_id, span, one.account, made.id)
        for span in of.common([one.span], made.spans):
            _born(conn, city, one.batch_id, span, made.destination, made.id)


def split(
    conn: Connection, city: str, block_id: UUID, units: int, key: str, actor: str, clock: Clock
) -> UnitEvent | Refusal:
    """Divide a live block after its first `units`; both halves stay where they are.

    Refused: unknown-block, block-ended, units-invalid, key-reused.
    """
    lock(conn, city, [f"unit-event split:{key}"])
    there = event_by_key(conn, city, "split", key)
    facts = {"block": str(block_id), "units": units}
    if there is not None:
        return there if there.facts == facts else key_reused(key)
    found = _live(conn, city, block_id)
    if isinstance(found, Refusal):
        return found
    if not 0 < units < found.units:
        return units_invalid(units)
    middle = found.first + units
    made = write(conn, city, _kept("split", key, actor, clock, found, found.span, facts))
    _end(conn, city, found, made.id)
    for span in ((found.first, middle), (middle, found.end)):
        _born(conn, city, found.batch_id, span, found.account, made.id)
    return made


def merge(
    conn: Connection, city: str, block_ids: list[UUID], key: str, actor: str, clock: Clock
) -> UnitEvent | Refusal:
    """Join live blocks of one account that follow on each other into one.

    Refused: unknown-block, block-ended, blocks-apart, key-reused.
    """
    lock(conn, city, [f"unit-event merge:{key}"])
    there = event_by_key(conn, city, "merge", key)
    facts = {"blocks": sorted(str(one) for one in set(block_ids))}
    if there is not None:
        return there if there.facts == facts else key_reused(key)
    found: list[UnitBlock] = []
    for block_id in sorted(set(block_ids)):
        one = _live(conn, city, block_id)
        if isinstance(one, Refusal):
            return one
        found.append(one)
    whole = of.joined(one.span for one in found)
    alike = {(one.batch_id, one.account) for one in found}
    if len(found) < 2 or len(whole) != 1 or len(alike) != 1:
        return Refusal(
            "blocks-apart",
            "한 계정에 있고 번호가 이어지는 구간만 합칠 수 있습니다.",
            "Only blocks of one account whose serials follow on each other can be merged.",
        )
    made = write(conn, city, _kept("merge", key, actor, clock, found[0], whole[0], facts))
    for one in found:
        _end(conn, city, one, made.id)
    _born(conn, city, found[0].batch_id, whole[0], found[0].account, made.id)
    return made


def _kept(
    kind: str, key: str, actor: str, clock: Clock, one: UnitBlock, span: Span, facts: dict
) -> UnitEvent:
    return draft(
        kind, key, actor, clock, facts=facts, spans=(span,), tonnes=span[1] - span[0],
        batch_id=one.batch_id, source=one.account, destination=one.account,
    )  # fmt: skip


def _live(conn: Connection, city: str, block_id: UUID) -> UnitBlock | Refusal:
    found = block(conn, city, block_id)
    if found is None:
        return Refusal("unknown-block", "없는 구간입니다.", "There is no such block of units.")
    lock_units(conn, city, [found.batch_id])
    found = block(conn, city, block_id)
    assert found is not None
    if found.live:
        return found
    return Refusal(
        "block-ended",
        "그 사이 옮겨지거나 나뉜 구간입니다. 목록을 다시 확인해 주세요.",
        "That block has been moved or divided since; look at the list again.",
        {"block": str(block_id)},
    )


def buffer_blocks(
    conn: Connection, city: str, account: str = BUFFER, batch_id: UUID | None = None
) -> list[UnitBlock]:
    """The live blocks of the buffer (or another account) across batches, by serial."""
    found = rows(
        conn,
        f"""{_BLOCK} WHERE city = %(city)s AND account = %(account)s AND ended_by IS NULL
          AND (%(batch)s::uuid IS NULL OR batch_id = %(batch)s::uuid) ORDER BY serials""",
        {"city": city, "account": account, "batch": batch_id},
    )
    return [_block(row) for row in found]


def units_invalid(units: int) -> Refusal:
    return Refusal(
        "units-invalid",
        "옮길 수량이나 계정이 잘못되었습니다. 1단위 이상, 서로 다른 계정이어야 합니다.",
        "The quantity or the accounts are wrong: one unit or more, to another account.",
        {"units": units},
    )
