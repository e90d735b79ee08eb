"""The demonstration's carbon: a late delivery, the whole offset route, its market, an inventory."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from onsil import devices, footprint, ledger
from onsil.core.clock import SystemClock
from onsil.core.refusal import Refusal
from onsil.demonstration import (
    cast,
    checking,
    inventories,
    loop,
    papers,
    route,
    runs,
    shipped,
    sites,
    trade,
)
from onsil.footprint import credits, inventory
from onsil.footprint.claims import refused_attempts
from onsil.footprint.projects import all_documents, document_content, findings, steps
from onsil.supervisor.postgres import EmbeddedPostgres
from onsil.tenancy import city_scope, transaction
from own_database import own_database

CITY = "pyeongtaek"
ZONE = ZoneInfo("Asia/Seoul")


@dataclass
class Town:
    """A city of its own with the office and the college measured, and who acts in it."""

    people: cast.Cast
    series: sites.DemoSites
    folder: Path

    @property
    def official(self) -> str:
        return f"user:{self.people.official.pk}"

    def office(self) -> runs.MoreRuns:
        first, corrected = runs.office(self.series.more, self.folder, ZONE, self.official)
        return runs.MoreRuns(first, corrected, corrected)

    def claim(self, found: runs.MoreRuns) -> footprint.Claim:
        with transaction() as tx:
            return loop.granted(
                footprint.claim(tx, CITY, found.office.id, "kr-offset", actor=self.official)
            )

    def certified(self) -> route.Certified:
        found = self.office()
        return route.walk(found, self.claim(found), self.people, ZONE)


@pytest.fixture(scope="module")
def town(
    postgres: EmbeddedPostgres, django_db_blocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Town]:
    stop = threading.Event()
    folder = tmp_path_factory.mktemp("measured")
    with own_database(postgres, django_db_blocker) as dsn:
        writer = threading.Thread(target=ledger.run_writer, args=(dsn, SystemClock(), stop))
        writer.start()
        try:
            with city_scope(CITY):
                people = cast.assemble()
                series = sites.register_sites(people)
                for path, mapping in shipped.come_along(series.more, folder):
                    with transaction() as tx:
                        devices.import_table(tx, CITY, path, devices.mapping_of(mapping))
                yield Town(people, series, folder)
        finally:
            stop.set()
            writer.join(20)


def test_late_readings_make_a_new_run_and_leave_the_old_one(town: Town) -> None:
    found = town.office()
    assert found.first.id != found.office.id
    assert Decimal(159) < found.first.co2e_t < Decimal(160)
    assert Decimal(180) < found.office.co2e_t < Decimal(181)
    again = town.office()
    assert (again.first.id, again.office.id) == (found.first.id, found.office.id)
    with transaction() as tx:
        assert all(footprint.recompute(tx, CITY, one.id).identical for one in found.all())


def test_a_second_claim_is_refused_and_kept(town: Town) -> None:
    found = town.office()
    held = town.claim(found)
    with transaction() as tx:
        answer = footprint.claim(tx, CITY, found.first.id, "voluntary", actor=town.official)
    assert isinstance(answer, Refusal)
    assert answer.code == "claim-conflict"
    with transaction() as tx:
        kept = refused_attempts(tx, CITY, programme="voluntary")
    assert [side.claim_id for one in kept for side in one.sides] == [held.id]


def test_a_walk_broken_off_goes_on_where_it_stood(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = town.office()
    held = town.claim(found)

    def broken(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(route, "_meter", broken)
        with pytest.raises(KeyboardInterrupt):
            route.walk(found, held, town.people, ZONE)
    made = route.walk(found, held, town.people, ZONE)
    again = route.walk(found, held, town.people, ZONE)
    assert [one.id for one in again.batches] == [one.id for one in made.batches]
    assert sum(one.tonnes for one in made.batches) == 180
    assert made.monitoring.status == "issued"


def test_each_side_is_another_person_and_every_paper_is_a_labelled_pdf(town: Town) -> None:
    made = town.certified()
    with transaction() as tx:
        taken = [
            *steps(tx, CITY, made.project.id),
            *steps(tx, CITY, made.project.id, made.monitoring.id),
        ]
        raised = findings(tx, CITY, made.project.id)
        kept = all_documents(tx, CITY, made.project.id)
        contents = [document_content(tx, CITY, one.id) for one in kept]
    actors = {party: {s.actor for s in taken if s.party == party}
              for party in ("developer", "vvb", "registry")}  # fmt: skip
    assert all(len(acting) == 1 for acting in actors.values())
    assert len({one for acting in actors.values() for one in acting}) == 3
    assert [(one.kind, one.state) for one in raised] == [("CL", "closed"), ("CAR", "closed")]
    assert {one.kind for one in kept} == set(papers.TITLES)
    assert all("시연" in one.title for one in kept)
    assert all((content or b"").startswith(b"%PDF") for content in contents)
    assert route.refused_alone(made, town.people)


def test_units_are_sold_and_retired_once_and_none_is_lost(town: Town) -> None:
    made = town.certified()
    sold = trade.trade(made.project, made.batches[-1], town.people)
    again = trade.trade(made.project, made.batches[-1], town.people)
    assert again == sold
    assert [one.status for one in sold.orders] == ["settled", "settled"]
    assert sold.retirement.tonnes == trade.RETIRED_TONNES
    assert checking.units_out_of_step() == []
    with transaction() as tx:
        (counted,) = credits.conservation_all(tx, CITY)
    assert counted.issued == 180
    assert loop.imbalances() == []


def test_the_second_program_accepts_the_evidence(town: Town) -> None:
    accepted, said = checking.second_opinion(town.office().all()[:2])
    assert (accepted, said) == (2, [])


def test_an_inventory_holds_what_was_metered_and_ne_for_the_rest(town: Town) -> None:
    made = inventories.sealed(
        inventory.COMPANY, 2025, town.series, town.official, f"user:{town.people.approver.pk}"
    )
    assert made.sealed
    assert inventories.wrong([made]) == []
    with transaction() as tx:
        _, outputs = inventory.documents(tx, CITY, made.id)
    rows = outputs["rows"]
    assert rows["1.1"]["co2e_kg"] is not None
    assert {ref for ref, row in rows.items() if row["notation"] == ["NE"]} >= {"1.2", "1.3", "2.M"}
    again = inventories.sealed(inventory.COMPANY, 2025, town.series, "user:a", "user:b")
    assert again.id == made.id


def test_a_monday_stays_a_monday_and_the_file_holds_every_day() -> None:
    assert shipped.OFFICE_SHIFT.days % 7 == 0
    published = shipped.published_office_kwh()
    assert len(published) == (date(2015, 3, 1) - date(2012, 3, 1)).days
    assert all(kwh > 0 for kwh in published.values())


def test_signed_power_becomes_two_registers_and_nothing_missing_becomes_zero(
    tmp_path: Path,
) -> None:
    path = tmp_path / "plant.csv"
    path.write_text("measured_on,ac_power\n2016-07-01,-2.5\n2016-07-02,\n2016-07-03,10\n", "utf-8")
    assert shipped.two_registers(path).read_text("utf-8").splitlines() == [
        "measured_on,sent_w,taken_w", "2016-07-01,0,2.5", "2016-07-03,10,0",
    ]  # fmt: skip
