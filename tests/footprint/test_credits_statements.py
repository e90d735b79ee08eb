"""Labels with their days, corresponding adjustments, planned units, and uses abroad."""

from datetime import UTC, date, datetime

import pytest
from footprint_world import CITY, World
from units_world import A, done, next_period, retired, transferred

from onsil import footprint, ledger
from onsil.core.clock import FixedClock
from onsil.core.ids import new_id
from onsil.footprint import credits
from onsil.footprint.credits.labels import versions_of

LETTER = {"country": "KR", "letter": "LoA 12", "letter_on": date(2026, 1, 5), "uses": ("corsia",)}


def labelled(world: World, key="l1", starts=date(2025, 1, 1), label="CCP", **more):
    given = {"methodology": "solar-self-consumption", "version": "2", **more}
    return credits.give_label(
        world.conn, CITY, label, starts, "decision 7", key, "o", world.clock, **given
    )


def test_a_label_of_a_version_covers_its_batches_on_its_days(world: World, refused):
    made = world.issued("10")
    (version,) = {version for _, version in versions_of(world.conn, CITY, made.id)}
    other = done(labelled(world, "l0", version="of another time"))
    one = done(labelled(world, version=version, ends=date(2027, 1, 1)))
    assert labelled(world, version=version, ends=date(2027, 1, 1)) == one
    refused(labelled(world, version=version), "key-reused")
    assert credits.labels_of(world.conn, CITY, made.id) == [one]
    assert [one.on(d) for d in (date(2024, 12, 31), date(2025, 1, 1), date(2027, 1, 1))] == [
        False, True, False
    ]  # fmt: skip
    own = done(labelled(world, "l2", batch_id=made.id, methodology="", version=""))
    assert credits.labels_of(world.conn, CITY, made.id) == [one, own]

    def end(label, day, key):
        return credits.end_label(world.conn, CITY, label, day, "withdrawn", key, "o", world.clock)

    refused(end(own.id, date(2025, 1, 1), "e"), "label-days")
    refused(end(one.id, date(2028, 1, 1), "e"), "label-days")
    refused(end(new_id(), date(2028, 1, 1), "e"), "label-unknown")
    ended = done(end(own.id, date(2026, 6, 1), "e1"))
    assert end(own.id, date(2026, 6, 1), "e1") == ended
    assert credits.labels_of(world.conn, CITY, made.id)[1] == ended
    assert other in credits.labels(world.conn, CITY)


def test_a_label_reaches_back_two_years_and_no_further(world: World, refused):
    done(labelled(world, starts=date(2024, 3, 1)))
    refused(labelled(world, "x", date(2024, 2, 29)), "label-days")
    refused(labelled(world, "x", ends=date(2025, 1, 1)), "label-days")
    refused(labelled(world, "x", label="Gold"), "label-unknown")
    refused(labelled(world, "x", methodology=""), "label-subject")
    refused(labelled(world, "x", batch_id=new_id()), "label-subject")
    refused(labelled(world, "x", batch_id=new_id(), methodology="", version=""), "unknown-batch")


def declared(world: World, batch, key="a1", declaration="Committed", status="Not Started", **more):
    facts = {**(LETTER if declaration == "Committed" else {}), **more}
    stated = credits.Adjustment(batch.id, declaration, status, **facts)
    return credits.declare_adjustment(world.conn, CITY, stated, key, "o", world.clock)


def test_a_corresponding_adjustment_only_moves_on(world: World, refused):
    made = world.issued("10")
    assert credits.adjustment(world.conn, CITY, made.id).declaration == "Unknown"
    refused(declared(world, made, letter=""), "adjustment-invalid")
    refused(declared(world, made, letter_on=None), "adjustment-invalid")
    refused(declared(world, made, declaration="Maybe"), "adjustment-invalid")
    refused(declared(world, made, declaration="Unknown", status="Completed"), "adjustment-invalid")
    first = done(declared(world, made))
    assert declared(world, made) == first
    done(declared(world, made, "a2", status="Completed"))
    refused(declared(world, made, "a3", status="Pending"), "adjustment-backwards")
    refused(declared(world, made, "a4", "Not Required", "Unknown"), "adjustment-backwards")
    refused(declared(world, made, "a5", status="Completed", letter="B"), "adjustment-backwards")
    assert declared(world, made) == first
    now = credits.adjustment(world.conn, CITY, made.id)
    assert (now.declaration, now.status, now.letter) == ("Committed", "Completed", "LoA 12")
    no_batch = credits.Adjustment(new_id(), "Not Required")
    refused(
        credits.declare_adjustment(world.conn, CITY, no_batch, "n", "o", world.clock),
        "unknown-batch",
    )


def test_use_abroad_wants_the_host_countrys_letter(world: World, refused):
    made = world.issued("20")
    done(transferred(world, made, 5))
    use = credits.RetirementUse("KR", "corsia", (date(2025, 1, 1), date(2026, 1, 1)))
    refused(retired(world, made.id, 1, "r", use=use), "not-authorised")
    done(declared(world, made))
    used = done(retired(world, made.id, 1, "r", use=use))
    assert (used.jurisdiction, used.purpose, used.served) == ("KR", "corsia", use.served)
    assert retired(world, made.id, 1, "r", use=use) == used
    refused(retired(world, made.id, 1, "r"), "key-reused")
    entry = footprint.entry_of(world.conn, CITY, "retirement", used.id)
    assert entry is not None
    assert (entry["jurisdiction"], entry["purpose"]) == ("KR", "corsia")
    plain = done(retired(world, made.id, 1, "r2"))
    entry = footprint.entry_of(world.conn, CITY, "retirement", plain.id)
    assert entry is not None
    assert not {"jurisdiction", "purpose", "served", "stretches"} & set(entry)


@pytest.mark.parametrize(
    "use",
    [
        credits.RetirementUse("KR", "fun"), credits.RetirementUse("kr"),
        credits.RetirementUse("K1"),
        credits.RetirementUse("KR", "voluntary", (date(2026, 1, 1), date(2026, 1, 1))),
    ],
)  # fmt: skip
def test_a_retirements_use_is_one_we_know(world: World, refused, use):
    made = world.issued("10")
    refused(retired(world, made.id, 1, "r", use=use), "purpose-unknown")


def planned(world: World, project_id, vintage=2026, units=10, key="p1", basis="growth model"):
    return credits.plan(world.conn, CITY, project_id, vintage, units, basis, key, "o", world.clock)


def test_planned_units_reach_five_years_and_are_never_retired(world: World, refused):
    project = world.project()
    made = done(planned(world, project.id))
    assert planned(world, project.id) == made
    refused(planned(world, project.id, units=11), "key-reused")
    assert ledger.balance(world.conn, CITY, project.account, made.asset) == 10
    done(planned(world, project.id, 2031, key="p2"))
    for wrong in ({"vintage": 2032}, {"vintage": 2025}, {"units": 0}, {"basis": " "}):
        refused(planned(world, project.id, key="x", **wrong), "planned-invalid")
    refused(planned(world, new_id(), key="x"), "unknown-project")
    refused(retired(world, made.id, 1, "r", project.account), "planned-not-retirable")
    refused(
        credits.transfer(world.conn, CITY, made.id, project.account, A, 1, "t", "o", world.clock),
        "unknown-batch",
    )


def test_issued_units_fulfil_planned_ones_and_the_rest_is_dropped(world: World, refused):
    world.clock = FixedClock(datetime(2025, 3, 1, tzinfo=UTC))
    project = world.project()
    made = done(planned(world, project.id, 2025))
    world.clock = FixedClock(datetime(2026, 3, 1, tzinfo=UTC))
    period = next_period(world, "SOLAR-1", date(2025, 6, 1), "20")
    batch = done(footprint.issue(world.conn, CITY, period.id, "o", world.clock))
    other = world.issued("10", code="OTHER")

    def fulfil(units, key, of=batch, planned_id=made.id):
        return credits.fulfil(world.conn, CITY, planned_id, of.id, units, key, "o", world.clock)

    def drop(units, key, reason="trees died"):
        return credits.drop(world.conn, CITY, made.id, units, reason, key, "o", world.clock)

    refused(fulfil(1, "f", other), "planned-other")
    refused(fulfil(10, "f"), "planned-exceeds")
    refused(fulfil(1, "f", planned_id=new_id()), "unknown-planned")
    now = done(fulfil(6, "f"))
    assert (now.fulfilled, now.open) == (6, 4)
    assert fulfil(6, "f") == now
    refused(fulfil(5, "g"), "planned-exceeds")
    refused(drop(5, "d"), "insufficient-balance")
    refused(drop(1, "d", ""), "reason-missing")
    now = done(drop(4, "d"))
    assert drop(4, "d") == now
    assert (now.fulfilled, now.cancelled, now.open) == (6, 4, 0)
    refused(fulfil(1, "h"), "insufficient-balance")
    assert credits.planned(world.conn, CITY, project.id) == [now]
    assert ledger.conservation(world.conn, CITY) == []


def test_every_event_is_a_leaf_that_the_log_can_read(world: World):
    made = world.issued("20", buffer_bp=1000)
    done(transferred(world, made, 5))
    done(retired(world, made.id, 1, "r"))
    done(labelled(world))
    kinds = [one.kind for one in credits.events(world.conn, CITY)]
    assert kinds == ["issuance", "transfer", "retirement", "label"]
    source = footprint.entry_sources["unit-event"]
    entries = dict(source.entries(world.conn, CITY))
    for one in credits.events(world.conn, CITY):
        assert entries[one.id] == credits.event_entry(one)
        assert footprint.entry_of(world.conn, CITY, "unit-event", one.id) == entries[one.id]
    assert footprint.entry_of(world.conn, CITY, "unit-event", new_id()) is None
