"""Buffers that a programme pools over its projects: who put in what, and what a loss may draw.

The units stay in the account `buffer` of their batch; that they are a pool's says the event
`buffer-contribution` with their serials. What one project's loss takes of the others' parts, it
owes to the pool. The rule of the day of issuance counts, so older buffers stay their projects' own.
"""

from collections.abc import Iterable
from uuid import UUID

from onsil.core.clock import Clock
from onsil.core.database import Connection
from onsil.core.refusal import Refusal
from onsil.footprint.credits import spans as of
from onsil.footprint.credits.events import draft, events, write
from onsil.footprint.credits.rules import Rule
from onsil.footprint.credits.spans import Span
from onsil.footprint.credits.terms import (
    BUFFER,
    CANCELLED,
    Move,
    Pool,
    PoolShare,
    UnitBlock,
    UnitEvent,
)
from onsil.footprint.credits.units import buffer_blocks, lock_units, move
from onsil.footprint.store import lock, rows
from onsil.footprint.terms import CreditBatch

Parts = dict[UUID, tuple[Span, ...]]
"""Serials by batch."""
PUT_IN = ("buffer-contribution",)


def put_in(
    conn: Connection, city: str, made: CreditBatch, project_id: UUID, units: tuple[Span, ...],
    pool: str, key: str, actor: str, clock: Clock, rule: Rule | None = None,
    parent_id: UUID | None = None,
) -> UnitEvent | None:  # fmt: skip
    """Note that buffer units of a batch are a project's part of a pool; none, nothing."""
    if not units:
        return None
    facts = {"pool": pool, "vintage": made.vintage}
    if rule is not None:
        said = {"share_bp": rule["share_bp"], "draw": rule["draw"], "source": rule.source}
        facts |= {**said, "maturity": rule.maturity}
    return write(
        conn, city,
        draft(
            PUT_IN[0], key, actor, clock, facts=facts, spans=units, tonnes=of.count(units),
            batch_id=made.id, project_id=project_id, parent_id=parent_id, source=BUFFER,
            destination=BUFFER,
        ),
    )  # fmt: skip


def pool_of_batch(conn: Connection, city: str, batch_id: UUID) -> str | None:
    """The pool that a batch's buffer is part of; None: its project's own buffer."""
    found = events(conn, city, batch_id=batch_id, kinds=PUT_IN)
    return found[0].facts["pool"] if found else None


def own_buffer(conn: Connection, city: str, project_id: UUID) -> Parts:
    """What is left of a project's own buffer and of its own part of a pool, by batch."""
    put = _put_in(conn, city)
    mine = _by_batch(one for one in put if one.project_id == project_id)
    others = _by_batch(one for one in put if one.project_id != project_id)
    made: Parts = {}
    for batch_id, owner, held in _held(conn, city):
        spans = of.common(held, mine.get(batch_id, ()))
        if owner == project_id:
            spans = of.without(held, others.get(batch_id, ()))
        if spans:
            made[batch_id] = spans
    return made


def others_part(conn: Connection, city: str, project_id: UUID, pool: str) -> list[Parts]:
    """What other projects have in a pool, the oldest vintage first."""
    put = [
        one for one in _put_in(conn, city)
        if one.facts["pool"] == pool and one.project_id != project_id
    ]  # fmt: skip
    held = {batch_id: spans for batch_id, _, spans in _held(conn, city)}
    made: list[Parts] = []
    for vintage in sorted({one.facts["vintage"] for one in put}):
        there = _by_batch(one for one in put if one.facts["vintage"] == vintage)
        left = {
            batch: spans
            for batch, contributed in there.items()
            if (spans := of.common(held.get(batch, ()), contributed))
        }
        made += [left] if left else []
    return made


def lock_pools(conn: Connection, city: str, project_id: UUID) -> list[str]:
    """Hold a project's pools before any units, that two losses wait and not block each other; those
    that pay for the project's losses."""
    found = events(conn, city, project_id=project_id, kinds=PUT_IN)
    names = {one.facts["pool"]: one.facts.get("draw", ["pool"]) for one in found}
    lock(conn, city, [f"pool {one}" for one in names])
    return sorted(name for name, order in names.items() if "pool" in order)


def draw(
    conn: Connection, city: str, project_id: UUID, pool: str, units: int, cause: UnitEvent,
    actor: str, clock: Clock,
) -> int:  # fmt: skip
    """Cancel other projects' parts of a pool for a loss, as far as they go; how many that were."""
    left = units
    for _ in others_part(conn, city, project_id, pool):
        parts = next(iter(others_part(conn, city, project_id, pool)), {})
        lock_units(conn, city, parts)
        for batch_id, chosen in chosen_of(parts, left).items():
            drawn = move(
                conn, city,
                Move(
                    batch_id, "pool-draw", BUFFER, CANCELLED, of.count(chosen),
                    f"{cause.id}:{batch_id}", actor, chosen, {"pool": pool}, parent_id=cause.id,
                    project_id=project_id,
                ),
                clock,
            )  # fmt: skip
            assert not isinstance(drawn, Refusal), drawn
            left -= drawn.tonnes
        if not left:
            break
    return units - left


def chosen_of(held: Parts, units: int) -> Parts:
    """The lowest serials of the parts, up to `units`, by batch."""
    spans = [span for part in held.values() for span in part]
    chosen = of.lowest(spans, min(units, of.count(spans))) or ()
    made = {batch_id: of.common(part, chosen) for batch_id, part in sorted(held.items())}
    return {batch_id: part for batch_id, part in made.items() if part}


def owed_to(conn: Connection, city: str, project_id: UUID) -> dict[str, int]:
    """What a project owes to each pool that paid for its losses."""
    made: dict[str, int] = {}
    kinds = ("pool-draw", "pool-replenishment")
    for one in events(conn, city, project_id=project_id, kinds=kinds):
        sign = 1 if one.kind == "pool-draw" else -1
        pool = one.facts["pool"]
        made[pool] = made.get(pool, 0) + sign * one.tonnes
    return {pool: units for pool, units in made.items() if units}


def replenish(
    conn: Connection, city: str, project_id: UUID, pool: str, made: CreditBatch, account: str,
    units: int, key: str, actor: str, clock: Clock,
) -> UnitEvent | Refusal:  # fmt: skip
    """Put units into a pool for a project that owes it; they are its part from then on."""
    asked = Move(
        made.id, "pool-replenishment", account, BUFFER, units, key, actor, facts={"pool": pool},
        project_id=project_id,
    )  # fmt: skip
    there = [one.key for one in events(conn, city, project_id=project_id, kinds=(asked.kind,))]
    moved = move(conn, city, asked, clock)
    if not isinstance(moved, Refusal) and moved.key not in there:
        put_in(
            conn, city, made, project_id, moved.spans, pool, str(moved.id), actor, clock,
            parent_id=moved.id,
        )  # fmt: skip
    return moved


def pools(conn: Connection, city: str) -> list[Pool]:
    """Every pool with each project's and vintage's part: put in = held + cancelled."""
    put = _put_in(conn, city)
    held = {batch_id: spans for batch_id, _, spans in _held(conn, city)}
    drawn = events(conn, city, kinds=("pool-draw",))
    return [
        _pool(name, [one for one in put if one.facts["pool"] == name], held, conn, city,
              sum(one.tonnes for one in drawn if one.facts["pool"] == name))
        for name in sorted({one.facts["pool"] for one in put})
    ]  # fmt: skip


def _pool(
    name: str, put: list[UnitEvent], held: Parts, conn: Connection, city: str, drawn: int
) -> Pool:
    made: dict[tuple[UUID, int], tuple[int, int, int]] = {}
    for one in put:
        assert one.project_id is not None
        assert one.batch_id is not None
        at = (one.project_id, one.facts["vintage"])
        left = of.count(of.common(held.get(one.batch_id, ()), one.spans))
        gone = of.count(of.common(_cancelled(conn, city, one.batch_id), one.spans))
        before = made.get(at, (0, 0, 0))
        made[at] = (before[0] + one.tonnes, before[1] + left, before[2] + gone)
    owed = {
        project: owed_to(conn, city, project).get(name, 0) for project in {at[0] for at in made}
    }
    shares = tuple(
        PoolShare(project, vintage, *sums, owed[project])
        for (project, vintage), sums in sorted(made.items())
    )
    return Pool(name, drawn, shares)


def _cancelled(conn: Connection, city: str, batch_id: UUID) -> tuple[Span, ...]:
    return of.joined(one.span for one in buffer_blocks(conn, city, CANCELLED, batch_id))


def _put_in(conn: Connection, city: str) -> list[UnitEvent]:
    return events(conn, city, kinds=PUT_IN)


def _by_batch(put: Iterable[UnitEvent]) -> Parts:
    made: Parts = {}
    for one in put:
        assert one.batch_id is not None
        made[one.batch_id] = of.joined((*made.get(one.batch_id, ()), *one.spans))
    return made


def _held(conn: Connection, city: str) -> list[tuple[UUID, UUID, tuple[Span, ...]]]:
    """Each batch with live buffer units: its id, its project and the serials."""
    live: dict[UUID, list[UnitBlock]] = {}
    for one in buffer_blocks(conn, city, BUFFER):
        live.setdefault(one.batch_id, []).append(one)
    found = rows(
        conn, "SELECT id, project_id FROM footprint_batch WHERE city = %s AND id = ANY(%s)",
        (city, list(live)),
    )  # fmt: skip
    return [
        (row["id"], row["project_id"], of.joined(one.span for one in live[row["id"]]))
        for row in sorted(found, key=lambda row: row["id"])
    ]
