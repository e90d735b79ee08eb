"""Auditor's test 10, conservation: after any events, issued = held + buffer + retired + cancelled +
expired + pending export + exported + converted, in the blocks, the ledger and the journal; and what
was put into a pool is in it or cancelled."""

from datetime import UTC, date, datetime

from footprint_world import CITY, World
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from units_world import EXPORT, IMPORT, A, B, next_period

from onsil import footprint, ledger
from onsil.core.clock import FixedClock
from onsil.core.refusal import Refusal
from onsil.footprint import credits

few = st.integers(1, 9)
anyone = st.sampled_from(["project", A, B, "company:c"])


class Registry(RuleBasedStateMachine):
    """Everything that can happen to units, in any order, on a real database."""

    world: World
    issued: list[footprint.CreditBatch]
    waiting: list[footprint.Monitoring]

    def __init__(self) -> None:
        super().__init__()
        self.batches = list(self.issued)
        self.periods = list(self.waiting)
        self.count = 0
        self.world.conn.execute("SAVEPOINT example")
        self.world.clock = FixedClock(datetime(2026, 3, 1, tzinfo=UTC))

    def teardown(self) -> None:
        assert ledger.conservation(self.world.conn, CITY) == []
        self.world.conn.execute("ROLLBACK TO SAVEPOINT example")

    def key(self) -> str:
        self.count += 1
        return f"k{self.count}"

    def account(self, batch: footprint.CreditBatch, who: str) -> str:
        return f"project:{batch.project_id}" if who == "project" else who

    def propose(self, kind: str, **terms) -> credits.Action | Refusal:
        return credits.propose(
            self.world.conn, CITY, kind, terms, self.key(), "maker", self.world.clock
        )

    def approve(self, action: credits.Action | Refusal, **outcome) -> None:
        if not isinstance(action, Refusal):
            credits.approve(self.world.conn, CITY, action.id, "checker", self.world.clock, outcome)

    @initialize(brought=st.booleans())
    def begin(self, brought: bool) -> None:
        if brought:
            self.approve(self.propose("import", **IMPORT))
            self.batches += credits.imports(self.world.conn, CITY)
            assert len(self.batches) == len(self.issued) + 1

    @rule(data=st.data(), source=anyone, destination=anyone, units=few)
    def transfer(self, data, source, destination, units) -> None:
        batch = data.draw(st.sampled_from(self.batches))
        credits.transfer(
            self.world.conn, CITY, batch.id, self.account(batch, source),
            self.account(batch, destination), units, self.key(), "o", self.world.clock,
        )  # fmt: skip

    @rule(
        data=st.data(), who=anyone, units=few, act=st.sampled_from(["retire", "cancel", "expire"])
    )
    def use_up(self, data, who, units, act) -> None:
        batch = data.draw(st.sampled_from(self.batches))
        conn, clock, account = self.world.conn, self.world.clock, self.account(batch, who)
        if act == "retire":
            footprint.retire(conn, CITY, batch.id, account, units, "b", "r", self.key(), "o", clock)
        elif act == "cancel":
            credits.cancel(conn, CITY, batch.id, account, units, "r", self.key(), "o", clock)
        else:
            credits.expire(conn, CITY, batch.id, account, units, self.key(), "o", clock)

    @rule(data=st.data(), at=st.integers(0, 50), units=few)
    def split(self, data, at, units) -> None:
        batch = data.draw(st.sampled_from(self.batches))
        found = credits.blocks(self.world.conn, CITY, batch.id)
        block = found[at % len(found)]
        credits.split(self.world.conn, CITY, block.id, units, self.key(), "o", self.world.clock)

    @rule(data=st.data(), at=st.integers(0, 50))
    def merge(self, data, at) -> None:
        batch = data.draw(st.sampled_from(self.batches))
        found = credits.blocks(self.world.conn, CITY, batch.id)
        at %= len(found)
        pair = [one.id for one in found[at : at + 2]]
        credits.merge(self.world.conn, CITY, pair, self.key(), "o", self.world.clock)

    @rule(data=st.data(), who=anyone, units=few)
    def export(self, data, who, units) -> None:
        batch = data.draw(st.sampled_from(self.batches))
        self.propose(
            "export", batch=str(batch.id), account=self.account(batch, who), units=units, **EXPORT
        )

    @rule(yes=st.booleans())
    def decide_export(self, yes) -> None:
        waiting = credits.actions(self.world.conn, CITY, "proposed")
        for one in waiting[:1]:
            if yes:
                self.approve(one, serials=f"X-{self.count}")
            else:
                credits.reject(self.world.conn, CITY, one.id, "checker", "no", self.world.clock)

    @rule(
        data=st.data(), units=few, kind=st.sampled_from(["buffer-release", "buffer-cancellation"])
    )
    def buffer(self, data, units, kind) -> None:
        batch = data.draw(st.sampled_from(self.batches))
        self.approve(self.propose(kind, batch=str(batch.id), units=units, reason="r"))

    @rule(data=st.data(), who=anyone, units=few)
    def convert(self, data, who, units) -> None:
        batch = data.draw(st.sampled_from(self.batches))
        account = self.account(batch, who)
        self.approve(self.propose("conversion", batch=str(batch.id), account=account, units=units))

    @rule(data=st.data(), tonnes=st.decimals("0.1", 4, places=1))
    def lose(self, data, tonnes) -> None:
        batch = data.draw(st.sampled_from(self.issued))
        self.approve(
            self.propose(
                "reversal", project=str(batch.project_id), cause="fire", tonnes=str(tonnes),
                happened_on="2026-02-01", evidence="e",
            )
        )  # fmt: skip

    @precondition(lambda self: self.periods)
    @rule(data=st.data(), recover=st.booleans())
    def issue(self, data, recover) -> None:
        period = data.draw(st.sampled_from(self.periods))
        owed = credits.shortfall(self.world.conn, CITY, period.project_id).units
        made = footprint.issue(
            self.world.conn, CITY, period.id, "o", self.world.clock, recover=recover
        )
        if isinstance(made, Refusal):
            assert owed
            return
        assert recover or not owed
        self.periods.remove(period)
        self.batches.append(made)

    @rule(data=st.data(), who=anyone, units=few)
    def make_good(self, data, who, units) -> None:
        owing, batch = (data.draw(st.sampled_from(self.issued)) for _ in range(2))
        credits.make_good(
            self.world.conn, CITY, owing.project_id, batch.id, self.account(batch, who), units,
            self.key(), "o", self.world.clock,
        )  # fmt: skip

    @precondition(lambda self: self.world.clock.now().year < 2032)
    @rule()
    def years_go_by(self) -> None:
        now = self.world.clock.now()
        self.world.clock = FixedClock(now.replace(year=now.year + 2))

    @invariant()
    def nothing_is_made_or_lost(self) -> None:
        conn = self.world.conn
        conn.execute("SET CONSTRAINTS ALL IMMEDIATE")
        conn.execute("SET CONSTRAINTS ALL DEFERRED")
        for batch in self.batches:
            found = credits.conservation(conn, CITY, batch.id)
            assert found is not None
            assert found.whole, found.findings
            assert sum(found.states.values()) == found.issued == batch.tonnes
        debts = 0
        for batch in self.issued:
            owed = credits.shortfall(conn, CITY, batch.project_id)
            assert owed.units >= owed.pool >= 0
            debts += owed.pool
        found = credits.pools(conn, CITY)
        for pool in found:
            assert pool.whole, pool
            assert pool.put_in == pool.held + pool.cancelled
        assert debts == sum(pool.owed for pool in found)


def test_issued_is_all_its_states_after_any_events(world: World, pooled):
    Registry.world = world
    pooled["programmes"] = ["another"]
    own = [world.issued("50", buffer_bp=2000), world.issued("20", buffer_bp=3000, code="SOLAR-2")]
    pooled["programmes"] = ["kr-offset"]
    shared = [world.issued("40", buffer_bp=2000, code=f"POOLED-{n}") for n in range(2)]
    Registry.issued = own + shared
    Registry.waiting = [
        next_period(world, code, date(2025, 6, 2 + n))
        for code in ("SOLAR-1", "POOLED-0", "POOLED-1")
        for n in range(2)
    ]
    run_state_machine_as_test(
        Registry, settings=settings(max_examples=40, stateful_step_count=25, deadline=None)
    )
