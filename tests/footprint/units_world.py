"""Units on their way: short cuts for the registry's tests, each checked by the database at once."""

from datetime import date
from uuid import UUID

from footprint_world import CITY, World

from onsil import footprint
from onsil.core.refusal import Refusal
from onsil.footprint import credits

A, B = "company:a", "company:b"
EXPORT = {"registry": "Registry X", "recipient": "account 7"}
IMPORT = {
    "registry": "Registry X", "serials": "X-1-2024-000100-000129", "units": 30, "vintage": 2024,
    "unit": "tCO2e", "project": "Wind", "reference": "X-1", "standard": "", "account": A,
    "evidence": "notice of 3 March",
}  # fmt: skip


def whole(world: World) -> None:
    """What a commit would check, now: blocks, serials and ledger agree, in every batch."""
    world.conn.execute("SET CONSTRAINTS ALL IMMEDIATE")
    world.conn.execute("SET CONSTRAINTS ALL DEFERRED")
    for one in credits.conservation_all(world.conn, CITY):
        assert one.whole, one


def done(answer):
    assert not isinstance(answer, Refusal), answer
    return answer


def spans(world: World, batch_id: UUID, account: str) -> list[tuple[int, int]]:
    """An account's live blocks as (first, last)."""
    return [(b.first, b.last) for b in credits.blocks(world.conn, CITY, batch_id, account)]


def transferred(
    world: World, batch: footprint.CreditBatch, units: int, destination: str = A, key: str = "t1",
    source: str = "",
) -> object:  # fmt: skip
    source = source or f"project:{batch.project_id}"
    return credits.transfer(
        world.conn, CITY, batch.id, source, destination, units, key, "official", world.clock
    )


def retired(world: World, batch_id: UUID, units: int, key: str, company: str = A, **more):
    return footprint.retire(
        world.conn, CITY, batch_id, company, units, "수혜 기업", "2025년 배출량 상쇄", key, "a",
        world.clock, **more,
    )  # fmt: skip


def proposed(world: World, kind: str, key: str = "p1", **terms):
    return credits.propose(world.conn, CITY, kind, terms, key, "maker", world.clock)


def approved(world: World, action, checker: str = "checker", **outcome):
    done(action)
    return credits.approve(world.conn, CITY, action.id, checker, world.clock, outcome)


def lost(world: World, project_id: UUID, tonnes: str, key: str = "loss", cause: str = "dead-trees"):
    """A loss reported and approved."""
    made = proposed(
        world, "reversal", key, project=str(project_id), cause=cause, tonnes=tonnes,
        happened_on="2026-02-01", evidence="census of January",
    )  # fmt: skip
    return done(approved(world, done(made)))


def next_period(world: World, code: str, first: date, mwh: str = "10") -> footprint.Monitoring:
    """Another approved period of a project that is there."""
    found = next(p for p in footprint.projects(world.conn, CITY) if p.code == code)
    held = world.claimed(world.solar_run(mwh, first))
    return world.approved(found, [held.id], first)
