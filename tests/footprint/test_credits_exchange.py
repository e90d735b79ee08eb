"""Other registries: out and in with their serials as given; and into compliance units in time."""

from datetime import UTC, date, datetime

import pytest
from footprint_world import CITY, World
from units_world import (
    EXPORT,
    IMPORT,
    A,
    B,
    approved,
    done,
    proposed,
    retired,
    spans,
    transferred,
    whole,
)

from onsil import footprint, ledger
from onsil.core.clock import FixedClock
from onsil.core.ids import new_id
from onsil.footprint import credits


def exporting(world: World, batch, units=3, key="e1", account=A, **more):
    terms = {"batch": str(batch.id), "account": account, "units": units, **EXPORT, **more}
    return proposed(world, "export", key, **terms)


def test_an_export_waits_apart_then_leaves_with_the_others_serials(world: World, refused):
    made = world.issued("20")
    done(transferred(world, made, 5))
    n = made.serial_first
    action = done(exporting(world, made))
    assert spans(world, made.id, "pending-export") == [(n, n + 2)]
    refused(retired(world, made.id, 3, "r"), "insufficient-balance")
    refused(approved(world, action), "outside-serials-missing")
    refused(approved(world, action, "maker", serials="X"), "maker-is-checker")
    done(approved(world, action, serials="X-7-0001 to X-7-0003"))
    assert spans(world, made.id, "exported") == [(n, n + 2)]
    (event,) = credits.events(world.conn, CITY, kinds=("exported",))
    assert event.facts["serials"] == "X-7-0001 to X-7-0003"
    refused(exporting(world, made, 3, "e2"), "insufficient-balance")
    refused(exporting(world, made, 3, "e3", "buffer"), "account-not-held")
    refused(exporting(world, made, 3, "e4", registry=""), "registry-missing")
    refused(exporting(world, made, 0, "e5"), "units-invalid")
    whole(world)


def test_a_rejected_export_gives_back_the_very_units(world: World):
    made = world.issued("20")
    done(transferred(world, made, 2))
    done(transferred(world, made, 3, B, "t2"))
    action, other = done(exporting(world, made, 2)), done(exporting(world, made, 2, "e2", B))
    n = made.serial_first
    done(credits.reject(world.conn, CITY, other.id, "checker", "no", world.clock))
    assert spans(world, made.id, "pending-export") == [(n, n + 1)]
    assert sorted(spans(world, made.id, B)) == [(n + 2, n + 3), (n + 4, n + 4)]
    done(credits.reject(world.conn, CITY, action.id, "checker", "no", world.clock))
    assert spans(world, made.id, A) == [(n, n + 1)]
    whole(world)


def test_an_import_keeps_the_serials_it_came_with(world: World, refused):
    world.issued("10")
    made = done(approved(world, proposed(world, "import", **IMPORT)))
    assert made.status == "approved"
    (batch,) = credits.imports(world.conn, CITY)
    assert (batch.tonnes, batch.vintage, batch.project_id) == (30, 2024, None)
    assert ledger.balance(world.conn, CITY, A, batch.asset) == 30
    (found,) = credits.search(world.conn, CITY, credits.UnitQuery(serial="x-1-2024-0001")).rows
    assert found.origin == "imported"
    assert found.outside["serials"] == IMPORT["serials"]
    assert found.outside["registry"] == "Registry X"
    assert "account" not in found.outside
    assert footprint.batches(world.conn, CITY)[0].id != batch.id
    assert footprint.batch(world.conn, CITY, batch.id) is None
    refused(proposed(world, "import", "again", **IMPORT), "already-imported")
    done(transferred(world, batch, 4, B, "t", A))
    assert done(retired(world, batch.id, 5, "r")).tonnes == 5
    assert [h.tonnes for h in footprint.holdings(world.conn, CITY, B)] == [4]
    whole(world)


def test_two_proposals_of_one_import_bring_it_in_once(world: World, refused):
    one, two = (done(proposed(world, "import", key, **IMPORT)) for key in ("i1", "i2"))
    done(approved(world, one))
    refused(approved(world, two), "already-imported")
    assert len(credits.imports(world.conn, CITY)) == 1


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"registry": " "}, "registry-missing"), ({"serials": ""}, "registry-missing"),
        ({"units": 0}, "import-invalid"), ({"vintage": 2027}, "import-invalid"),
        ({"project": ""}, "import-invalid"), ({"evidence": ""}, "import-invalid"),
        ({"unit": "kWh"}, "units-invalid"), ({"account": "retired"}, "account-not-held"),
    ],
)  # fmt: skip
def test_an_import_is_complete_or_refused(world: World, refused, wrong, code):
    refused(proposed(world, "import", **{**IMPORT, **wrong}), code)


def test_a_retirement_made_elsewhere_is_noted_once(world: World, refused):
    made = world.issued("20")
    done(transferred(world, made, 5))
    done(approved(world, done(exporting(world, made)), serials="X-7"))
    (export,) = credits.events(world.conn, CITY, kinds=("exported",))

    def note(units, key, serials="X-7-1", export_id=export.id, registry="Registry X"):
        return credits.retired_elsewhere(
            world.conn, CITY, registry, serials, units, "수혜 기업", date(2026, 2, 1), "page 3",
            key, "o", world.clock, export_id,
        )  # fmt: skip

    first = done(note(2, "n1"))
    assert first.batch_id == made.id
    assert note(2, "n1") == first
    refused(note(1, "n1"), "key-reused")
    refused(note(1, "n2"), "already-retired-elsewhere")
    refused(note(2, "n3", "X-7-2"), "unknown-export")
    refused(note(1, "n4", "X-7-2", new_id()), "unknown-export")
    refused(note(1, "n5", ""), "registry-missing")
    refused(note(0, "n6", "X-7-2"), "units-invalid")
    done(note(1, "n7", "X-7-2"))
    done(note(9, "n8", "Y-1", None, "Registry Y"))


def later(year: int, month: int = 2, day: int = 28) -> FixedClock:
    return FixedClock(datetime(year, month, day, tzinfo=UTC))


def test_units_become_compliance_units_one_for_one_in_time(world: World, refused):
    made = world.issued("20")
    done(transferred(world, made, 5))
    assert credits.conversion_limit(world.conn, CITY, made) == date(2031, 3, 1)
    terms = {"batch": str(made.id), "account": A}
    action = done(proposed(world, "conversion", "c1", units=2, **terms))
    done(approved(world, action, reference="as the national registry gave it"))
    (event,) = credits.events(world.conn, CITY, kinds=("conversion",))
    assert event.facts == {"into": "KCU", "reference": "as the national registry gave it"}
    assert spans(world, made.id, "converted") == [(made.serial_first, made.serial_first + 1)]
    late = done(proposed(world, "conversion", "c2", units=1, **terms))
    world.clock = later(2031, 3, 1)
    refused(approved(world, late), "conversion-late")
    refused(proposed(world, "conversion", "c3", units=1, **terms), "conversion-late")
    world.clock = later(2031)
    done(approved(world, late))
    whole(world)


def test_only_what_a_rule_converts_is_converted(world: World, refused):
    done(approved(world, proposed(world, "import", **IMPORT)))
    (batch,) = credits.imports(world.conn, CITY)
    terms = {"batch": str(batch.id), "account": A, "units": 1}
    refused(proposed(world, "conversion", "c", **terms), "not-convertible")
    made = world.issued("10")
    refused(
        proposed(world, "conversion", "d", batch=str(made.id), account="buffer", units=1),
        "account-not-held",
    )
    refused(
        proposed(world, "conversion", "e", batch=str(new_id()), account=A, units=1),
        "unknown-batch",
    )


def test_units_past_their_time_expire_and_not_before(world: World, refused):
    made = world.issued("20")
    done(transferred(world, made, 5))

    def expired(key, batch=made):
        return credits.expire(world.conn, CITY, batch.id, A, 2, key, "o", world.clock)

    refused(expired("x"), "not-expired")
    world.clock = later(2031, 3, 1)
    done(expired("y"))
    assert credits.search(world.conn, CITY, credits.UnitQuery(state="expired")).total == 1
    refused(
        credits.expire(world.conn, CITY, made.id, "buffer", 1, "z", "o", world.clock),
        "account-not-held",
    )
    whole(world)


def test_cancelled_units_serve_nobody(world: World, refused):
    made = world.issued("20")
    done(transferred(world, made, 5))

    def cancelled(units, key, reason="error found", account=A):
        return credits.cancel(
            world.conn, CITY, made.id, account, units, reason, key, "o", world.clock
        )

    refused(cancelled(1, "a", " "), "reason-missing")
    refused(cancelled(1, "a", account="retired"), "account-not-held")
    one = done(cancelled(2, "a"))
    assert cancelled(2, "a") == one
    refused(cancelled(4, "b"), "insufficient-balance")
    whole(world)
