"""Members of a bundle: own crediting periods; and (auditor 18) a law that stops one alone."""

from datetime import date
from decimal import Decimal

import psycopg
import pytest
from footprint_world import CITY, SAR_2018, SEOUL, SOLAR, World, fill, site
from units_world import done, whole

from onsil import footprint
from onsil.core.ids import new_id
from onsil.core.refusal import Refusal
from onsil.footprint import credits
from onsil.footprint.projects.members import (
    creditings,
    excluded,
    exclusions,
    record_site_duty,
    set_crediting,
    site_duties,
    withdraw_site_duty,
    words,
)
from onsil.footprint.projects.membership import Design, Site, join_site, set_design
from onsil.footprint.store import savepoint

FIRST = date(2025, 6, 1)


class Bundle:
    """A bundle of two roofs, each with a claim of every day that a test asks for."""

    def __init__(self, world: World) -> None:
        self.world, self.project = world, world.project()
        design = Design("bundle", "developer", "two roofs")
        done(set_design(world.conn, CITY, self.project.id, design, "o", world.clock))
        self.north, self.south = (self._site(code, n) for n, code in ((1, "NORTH"), (2, "SOUTH")))

    def _site(self, code: str, number: int) -> Site:
        made = Site(code, code, code, date(2025, 1, 1), Decimal(10), site(number))
        joined = join_site(self.world.conn, CITY, self.project.id, made, "o", self.world.clock)
        return done(joined)

    def claim(self, member: Site, day: date = FIRST, mwh: str = "10") -> footprint.Claim:
        return self.world.claimed(self.world.solar_run(mwh, day, member.entity))

    def credited(self, member: Site, starts: date, ends: date, reason: str = "planted then"):
        assert member.id is not None
        return set_crediting(
            self.world.conn, CITY, member.id, starts, ends, reason, "o", self.world.clock
        )

    def duty(self, member: Site, day: date, actor: str = "o"):
        assert member.id is not None
        return record_site_duty(
            self.world.conn, CITY, member.id, "Act 1", "roofs carry panels", day, actor,
            self.world.clock,
        )  # fmt: skip

    def submitted(self, claims: list[footprint.Claim], day: date = FIRST):
        conn, clock = self.world.conn, self.world.clock
        period = done(
            footprint.open_monitoring_period(
                conn, CITY, self.project.id, self.world.day(day), "maker", clock
            )
        )
        return footprint.submit_monitoring(
            conn, CITY, period.id, [one.id for one in claims], "maker", clock
        )

    def issued(self, period: footprint.Monitoring) -> footprint.CreditBatch | Refusal:
        conn, clock = self.world.conn, self.world.clock
        if period.status == "submitted":
            done(footprint.approve_monitoring(conn, CITY, period.id, "checker", clock))
        return footprint.issue(conn, CITY, period.id, "o", clock)


@pytest.fixture
def bundle(world: World) -> Bundle:
    return Bundle(world)


def test_a_member_outside_its_own_crediting_is_left_out_with_the_reason(bundle: Bundle):
    done(bundle.credited(bundle.north, date(2025, 6, 2), date(2030, 1, 1)))
    north, south = bundle.claim(bundle.north), bundle.claim(bundle.south)
    period = done(bundle.submitted([north, south]))
    assert period.claim_ids == (south.id,)
    ((monitored, out),) = exclusions(bundle.world.conn, CITY, bundle.project)
    assert (monitored, out.claim_id, out.code) == (period.id, north.id, "member-outside-crediting")
    assert out.facts == {"site": "NORTH", "starts": "2025-06-02", "ends": "2030-01-01"}
    assert all("NORTH" in text for text in words(out))
    made = done(bundle.issued(period))
    assert made.quantified_t == south.co2e_t
    whole(bundle.world)


@pytest.mark.parametrize(
    ("starts", "ends", "counts"),
    [
        (date(2025, 6, 1), date(2025, 6, 2), True),
        (date(2025, 6, 2), date(2026, 1, 1), False),
        (date(2025, 1, 1), date(2025, 6, 1), False),
        (date(2025, 1, 1), date(2025, 6, 2), True),
    ],
)
def test_the_first_day_counts_and_the_last_does_not(bundle: Bundle, starts, ends, counts):
    done(bundle.credited(bundle.north, starts, ends))
    held = bundle.claim(bundle.north)
    assert (excluded(bundle.world.conn, CITY, bundle.project, [held], SEOUL) == []) is counts


def test_when_nothing_is_left_the_submission_is_refused(bundle: Bundle, refused):
    done(bundle.credited(bundle.north, date(2025, 6, 2), date(2030, 1, 1)))
    no = refused(bundle.submitted([bundle.claim(bundle.north)]), "member-outside-crediting")
    assert no.facts["site"] == "NORTH"


def test_a_claim_of_days_in_and_out_is_to_be_divided(bundle: Bundle, refused):
    done(bundle.credited(bundle.north, date(2025, 6, 2), date(2030, 1, 1)))
    world = bundle.world
    period = world.day(FIRST, 2)
    key = fill(world.conn, bundle.north.entity, "generation", [Decimal(100)] * 48, period.start)
    run = footprint.quantify(
        world.conn, CITY, "solar-self-consumption", {"generation": key}, SOLAR, period, SAR_2018,
        "analyst", world.clock,
    )  # fmt: skip
    assert isinstance(run, footprint.Run)
    held = world.claimed(run)
    opened = done(
        footprint.open_monitoring_period(
            world.conn, CITY, bundle.project.id, period, "maker", world.clock
        )
    )
    answer = footprint.submit_monitoring(
        world.conn, CITY, opened.id, [held.id], "maker", world.clock
    )
    refused(answer, "member-straddles")


def test_a_law_stops_one_member_alone(bundle: Bundle, refused):
    law = done(bundle.duty(bundle.north, FIRST))
    assert bundle.duty(bundle.north, FIRST) == law
    north, south = bundle.claim(bundle.north), bundle.claim(bundle.south)
    period = done(bundle.submitted([north, south]))
    assert period.claim_ids == (south.id,)
    ((_, out),) = exclusions(bundle.world.conn, CITY, bundle.project)
    assert (out.code, out.facts["from"]) == ("member-legal-duty", "2025-06-01")
    refused(
        bundle.submitted([bundle.claim(bundle.north, date(2025, 6, 2))], date(2025, 6, 2)),
        "member-legal-duty",
    )
    assert done(bundle.issued(period)).quantified_t == south.co2e_t


def test_a_law_that_becomes_known_after_the_approval_withholds_that_member(bundle: Bundle):
    north, south = bundle.claim(bundle.north), bundle.claim(bundle.south)
    period = done(bundle.submitted([north, south]))
    conn, clock = bundle.world.conn, bundle.world.clock
    period = done(footprint.approve_monitoring(conn, CITY, period.id, "checker", clock))
    done(bundle.duty(bundle.north, date(2025, 5, 1)))
    made = done(bundle.issued(period))
    assert made.quantified_t == south.co2e_t
    (withheld,) = credits.events(conn, CITY, kinds=("withheld",))
    assert withheld.facts["code"] == "member-legal-duty"
    assert Decimal(withheld.facts["quantity"]) == north.co2e_t
    whole(bundle.world)


def test_a_duty_is_taken_back_by_another_person_the_database_too(bundle: Bundle, refused):
    law = done(bundle.duty(bundle.north, FIRST))
    conn, clock, project = bundle.world.conn, bundle.world.clock, bundle.project.id

    def withdrawn(reason: str, actor: str, duty=law.id):
        return withdraw_site_duty(conn, CITY, project, duty, reason, actor, clock)

    refused(withdrawn("wrong roof", "o"), "maker-is-checker")
    refused(withdrawn("wrong roof", "user:o"), "maker-is-checker")
    refused(withdrawn(" ", "another"), "reason-missing")
    refused(withdrawn("wrong roof", "another", new_id()), "unknown-duty")
    insert = """INSERT INTO footprint_site_duty (city, id, site_id, law, text, in_force_on,
      in_force_at, withdraws, actor, created_at)
      SELECT city, %s, site_id, law, text, in_force_on, in_force_at, id, 'o', created_at
      FROM footprint_site_duty WHERE id = %s"""
    with pytest.raises(psycopg.errors.CheckViolation), savepoint(conn):
        conn.execute(insert, (new_id(), law.id))
    assert withdrawn("wrong roof", "another") is None
    assert withdrawn("wrong roof", "another") is None
    assert [one.withdrawn for one in site_duties(conn, CITY, project)] == [True]
    north = bundle.claim(bundle.north)
    assert done(bundle.submitted([north])).claim_ids == (north.id,)


def test_a_crediting_period_lies_in_the_projects_and_has_versions(bundle: Bundle, refused):
    north, project = bundle.north, bundle.project
    refused(bundle.credited(north, date(2024, 12, 31), date(2026, 1, 1)), "outside-crediting")
    refused(bundle.credited(north, date(2034, 1, 1), date(2035, 1, 2)), "outside-crediting")
    refused(bundle.credited(north, date(2026, 1, 1), date(2026, 1, 1)), "dates-invalid")
    refused(bundle.credited(north, date(2025, 1, 1), date(2026, 1, 1), " "), "reason-missing")
    one = done(bundle.credited(north, date(2025, 1, 1), date(2026, 1, 1)))
    assert bundle.credited(north, date(2025, 1, 1), date(2026, 1, 1)) == one
    two = done(bundle.credited(north, date(2025, 1, 1), date(2027, 1, 1)))
    assert (one.version, two.version) == (1, 2)
    assert creditings(bundle.world.conn, CITY, project.id) == {north.id: two}
    nobody = set_crediting(
        bundle.world.conn, CITY, new_id(), date(2025, 1, 1), date(2026, 1, 1), "r", "o",
        bundle.world.clock,
    )  # fmt: skip
    refused(nobody, "unknown-site")
