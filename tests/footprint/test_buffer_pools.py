"""A pooled buffer: a loss draws its own part, then the others', and what is owed is put back."""

from datetime import date
from decimal import Decimal
from uuid import UUID

import psycopg
import pytest
from footprint_world import CITY, World, race
from units_world import A, approved, done, lost, next_period, proposed, transferred, whole

from onsil import footprint
from onsil.footprint import credits
from onsil.footprint.credits import rules
from onsil.footprint.store import savepoint

POOL = "test-pool"


def pool(world: World, name: str = POOL) -> credits.Pool:
    found = {one.name: one for one in credits.pools(world.conn, CITY)}[name]
    assert found.whole
    return found


def moved_and_checked(world: World, asked: credits.Move) -> None:
    credits.move(world.conn, CITY, asked, world.clock)
    world.conn.execute("SET CONSTRAINTS ALL IMMEDIATE")


def buffered(world: World, batch: footprint.CreditBatch) -> int:
    return sum(b.units for b in credits.blocks(world.conn, CITY, batch.id, "buffer"))


def owed(world: World, project_id: UUID) -> tuple[int, int]:
    found = credits.shortfall(world.conn, CITY, project_id)
    return found.units, found.pool


def test_rules_are_data_with_days_share_and_source():
    rule = rules.buffer_rule("gold-standard", "afforestation", date(2026, 1, 1))
    assert rule is not None
    assert (rule["pool"], rule["share_bp"]) == ("gold-standard-land-use", 2000)
    assert rule.maturity != "confirmed"
    assert rule.source
    assert rules.buffer_rule("gold-standard", "afforestation", date(2025, 12, 31)) is None
    assert rules.buffer_rule("gold-standard", "effluent-reuse", date(2026, 1, 1)) is None
    assert rules.buffer_rule("kr-offset", "afforestation", date(2026, 1, 1)) is None
    forest = rules.buffer_rule("forest-carbon", "anything", date(2026, 5, 1))
    assert forest is not None
    assert forest["pool"] == "forest-carbon"


def test_every_issuance_pays_in_by_project_and_vintage(world: World, pooled):
    one = world.issued("50")  # 22 t; the rule's tenth of it, rounded up
    other = world.issued("50", buffer_bp=2000, code="OTHER")  # its own share is higher
    assert (buffered(world, one), buffered(world, other)) == (3, 5)
    found = pool(world)
    assert (found.put_in, found.held, found.drawn, found.cancelled) == (8, 8, 0, 0)
    assert {(s.project_id, s.vintage): (s.put_in, s.held) for s in found.shares} == {
        (one.project_id, 2025): (3, 3), (other.project_id, 2025): (5, 5)
    }  # fmt: skip
    (event, _) = credits.events(world.conn, CITY, kinds=("buffer-contribution",))
    assert event.facts["maturity"] == "assumed"
    assert event.facts["share_bp"] == 1000
    assert event.spans == ((one.serial_last - 2, one.serial_last + 1),)
    whole(world)


def test_a_loss_draws_its_own_part_then_the_pool(world: World, pooled):
    one, other = world.issued("50"), world.issued("50", buffer_bp=2000, code="OTHER")
    lost(world, one.project_id, "5")
    assert (buffered(world, one), buffered(world, other)) == (0, 3)
    found = pool(world)
    assert (found.put_in, found.held, found.drawn, found.cancelled) == (8, 3, 2, 5)
    assert owed(world, one.project_id) == (2, 2)
    assert owed(world, other.project_id) == (0, 0)
    assert {s.project_id: s.owed for s in found.shares} == {
        one.project_id: 2, other.project_id: 0
    }  # fmt: skip
    whole(world)


def test_a_project_that_owes_the_pool_issues_nothing_until_it_has_put_it_back(
    world: World, pooled, refused
):
    one, other = world.issued("50"), world.issued("50", buffer_bp=2000, code="OTHER")
    lost(world, one.project_id, "5")
    period = next_period(world, "SOLAR-1", date(2025, 6, 2), "10")
    no = refused(footprint.issue(world.conn, CITY, period.id, "o", world.clock), "issuance-blocked")
    assert no.facts["units"] == 2
    new = done(footprint.issue(world.conn, CITY, period.id, "o", world.clock, recover=True))
    assert new.tonnes == 5  # one of them its ordinary part, two put back
    assert buffered(world, new) == 3
    assert owed(world, one.project_id) == (0, 0)
    assert pool(world).held == 6
    fine = next_period(world, "OTHER", date(2025, 6, 2))
    done(footprint.issue(world.conn, CITY, fine.id, "o", world.clock))
    assert other.tonnes == 22
    whole(world)


def test_what_the_pool_cannot_pay_is_cancelled_first(world: World, pooled, refused):
    one, other = world.issued("50"), world.issued("50", buffer_bp=2000, code="OTHER")
    done(transferred(world, other, 9))
    lost(world, one.project_id, "10")  # 3 its own, 5 of the pool, 2 of nobody
    assert owed(world, one.project_id) == (7, 5)

    def good(units: int, key: str):
        return credits.make_good(
            world.conn, CITY, one.project_id, other.id, A, units, key, "o", world.clock
        )

    no = refused(good(3, "g"), "loss-first")
    assert no.facts == {"loss": 2, "pool": 5}
    paid = done(good(2, "g1"))
    assert paid.kind == "recovery"
    put_back = done(good(4, "g2"))
    assert (put_back.kind, put_back.destination) == ("pool-replenishment", "buffer")
    assert good(4, "g2") == put_back
    refused(good(2, "g3"), "nothing-owed")
    assert owed(world, one.project_id) == (1, 1)
    found = pool(world)
    assert (found.put_in, found.held, found.drawn) == (12, 4, 5)
    assert {s.project_id: s.held for s in found.shares} == {one.project_id: 4, other.project_id: 0}
    whole(world)


def test_units_of_outside_the_pool_do_not_fill_it(world: World, pooled, refused):
    one, _ = world.issued("50"), world.issued("50", buffer_bp=2000, code="OTHER")
    lost(world, one.project_id, "5")
    pooled["programmes"] = ["another"]
    own = world.issued("50", buffer_bp=2000, code="OWN")
    done(transferred(world, own, 3))
    answer = credits.make_good(
        world.conn, CITY, one.project_id, own.id, A, 2, "g", "o", world.clock
    )
    refused(answer, "pool-other")


def test_what_was_put_back_with_anothers_units_is_the_project_s_own_part(world: World, pooled):
    one, other = world.issued("50"), world.issued("50", buffer_bp=2000, code="OTHER")
    done(transferred(world, other, 9))
    lost(world, one.project_id, "5")
    done(credits.make_good(world.conn, CITY, one.project_id, other.id, A, 2, "g", "o", world.clock))
    lost(world, other.project_id, "3", "other's loss")
    assert owed(world, other.project_id) == (0, 0)  # its own three
    lost(world, one.project_id, "2", "again")
    assert owed(world, one.project_id) == (0, 0)  # the two that it had put back
    assert pool(world).held == 0
    whole(world)


def test_a_pooled_buffer_is_not_released_to_a_project(world: World, pooled, refused):
    made = world.issued("50")
    terms = {"batch": str(made.id), "units": 1, "reason": "term over"}
    refused(proposed(world, "buffer-release", "r", **terms), "buffer-pooled")
    done(approved(world, proposed(world, "buffer-cancellation", "c", **terms)))
    found = pool(world)
    assert (found.put_in, found.held, found.drawn, found.cancelled) == (3, 2, 0, 1)


def test_buffers_from_before_the_rule_stay_their_projects_own(world: World, pooled):
    pooled["valid_from"] = date(2026, 4, 1)
    old = world.issued("50", buffer_bp=1000)
    pooled["valid_from"] = date(2025, 1, 1)
    world.issued("50", buffer_bp=2000, code="OTHER")
    lost(world, old.project_id, "9")
    assert owed(world, old.project_id) == (6, 0)
    assert pool(world).held == 5


def test_units_of_another_kind_make_no_loss_good(world: World, refused):
    made = world.issued("50")
    terms = {
        "registry": "Registry X", "serials": "W-1", "units": 30, "vintage": 2024, "unit": "m3",
        "project": "Wells", "reference": "", "standard": "", "account": A, "evidence": "notice",
    }  # fmt: skip
    done(approved(world, proposed(world, "import", "i", **terms)))
    (water,) = credits.imports(world.conn, CITY)
    lost(world, made.project_id, "2")
    answer = credits.make_good(
        world.conn, CITY, made.project_id, water.id, A, 2, "g", "o", world.clock
    )
    refused(answer, "unit-other")


def test_the_database_keeps_the_pool_whole(world: World, pooled):
    one, other = world.issued("50"), world.issued("50", buffer_bp=2000, code="OTHER")
    lost(world, one.project_id, "1")
    (loss,) = credits.events(world.conn, CITY, kinds=("reversal",))
    facts = {"pool": POOL}

    def bypass(kind: str, batch, source: str, destination: str, units: int, **more) -> None:
        asked = credits.Move(
            batch.id, kind, source, destination, units, f"by {kind} {source} {units}", "x",
            **{"facts": facts, "project_id": one.project_id, **more},
        )  # fmt: skip
        with pytest.raises(psycopg.errors.CheckViolation), savepoint(world.conn):
            moved_and_checked(world, asked)
        world.conn.execute("SET CONSTRAINTS ALL DEFERRED")

    bypass("pool-draw", other, "buffer", "cancelled", 1, parent_id=loss.id)  # its own are left
    bypass("pool-draw", other, "buffer", "cancelled", 1)  # for no loss
    bypass("transfer", other, "buffer", A, 1)
    bypass("retirement", other, "buffer", "retired", 1)
    bypass("buffer-release", other, "buffer", A, 1)
    project = f"project:{other.project_id}"
    bypass("pool-replenishment", other, project, "buffer", 1, project_id=other.project_id)
    bypass("transfer", other, project, "buffer", 1)
    whole(world)


def test_the_database_issues_nothing_to_who_owes(world: World, monkeypatch):
    made = world.issued("50")
    lost(world, made.project_id, "5")
    period = next_period(world, "SOLAR-1", date(2025, 6, 2), "10")
    monkeypatch.setattr("onsil.footprint.credits.reversals.blocked", lambda *_, **__: None)
    monkeypatch.setattr("onsil.footprint.credits.reversals.recover_from", lambda *_: None)
    done(footprint.issue(world.conn, CITY, period.id, "o", world.clock))
    with pytest.raises(psycopg.errors.CheckViolation, match="owes units"):
        world.conn.execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_two_losses_at_once_draw_each_unit_of_the_pool_once(connector, fresh_database, pooled):
    with connector() as conn:
        world = World(conn)
        made = [world.issued("50", code=f"P-{n}") for n in range(3)]
        actions = [
            done(
                proposed(
                    world, "reversal", f"l-{one.id}", project=str(one.project_id), cause="fire",
                    tonnes="6", happened_on="2026-02-01", evidence="e",
                )
            )
            for one in made
        ]  # fmt: skip
        conn.commit()
    answers = race(
        fresh_database,
        [lambda conn, one=one: approved(World(conn), one) for one in actions],
    )
    assert all(isinstance(one, credits.Action) for one in answers), answers
    with connector() as conn:
        world = World(conn)
        found = pool(world)
        assert (found.put_in, found.held, found.cancelled) == (9, 0, 9)
        lost_units = sum(
            one.units for one in (credits.shortfall(conn, CITY, m.project_id) for m in made)
        )
        assert lost_units == 18 - 9 + found.drawn
        whole(world)


def test_the_share_is_the_higher_of_the_rule_s_and_the_project_s(world: World, pooled):
    pooled["share_bp"] = 10_000
    made = world.issued("50")
    assert made.buffer_tonnes == made.tonnes
    assert made.carried_out_t == made.quantified_t - Decimal(made.tonnes)
