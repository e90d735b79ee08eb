"""What checking a run's data finds, calibration certificates, samples; doing all runs again."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from auditor_kit import quantified
from footprint_world import CITY, SAR_2018, World, site
from hypothesis import given
from hypothesis import strategies as st

from onsil import footprint
from onsil.core.canonical import plain
from onsil.core.ids import new_id
from onsil.core.periods import Period
from onsil.core.refusal import Refusal
from onsil.footprint import engine, quality
from onsil.footprint.quality import Certificate, calibrated, estimate, findings_of, lapses
from onsil.footprint.quality.checks import documents_checked

START = datetime(2025, 6, 1, tzinfo=UTC)
TEN = Period(START, START + timedelta(days=10))


def certificate(first: int, last: int) -> Certificate:
    return Certificate(START + timedelta(days=first), START + timedelta(days=last), f"c{first}")


spans = st.lists(st.tuples(st.integers(-3, 13), st.integers(1, 8)), max_size=5)


@given(spans)
def test_lapses_are_what_no_certificate_covers(given_spans):
    held = [certificate(first, first + length) for first, length in given_spans]
    gone = lapses(TEN, held)
    for day in range(10):
        at = START + timedelta(days=day, hours=5)
        covered = any(one.start <= at < one.end for one in held)
        assert covered != any(at in one for one in gone)
    assert all(a.end < b.start for a, b in pairwise(gone))


@pytest.mark.parametrize(
    ("held", "code", "deduct"),
    [
        ([], "calibration-unknown", None),
        ([(-9, 99)], None, None),
        ([(-9, 5), (5, 99)], None, None),
        ([(-9, 5)], "calibration-lapsed", None),
        ([(-9, -5)], "calibration-lapsed", None),
        ([(-9, 5), (7, 99)], "calibration-delayed", "0.4"),
        ([(5, 99)], "calibration-delayed", "1"),
        ([(-9, 5), (20, 99)], "calibration-delayed", "1"),
        ([(-9, 2), (3, 5)], "calibration-lapsed", None),
    ],
)
def test_calibration(held, code, deduct):
    found = calibrated(TEN, {"m": [certificate(*one) for one in held]}, {"m": Decimal(2)})
    assert [f.code for f in found] == ([] if code is None else [code])
    if deduct is not None:
        assert found[0].facts["deduct_pct"] == deduct
    for one in found:
        assert one.ko
        assert one.en


def outputs(**changes):
    return {
        "status": "quantified", "co2e_t": "0.46", "coverage": {}, "uncertainty": {
            "relative_pct": "2"},
        "lines": [{"meter": "m", "quantity": "electricity-saved", "amount": "1000000",
                   "unit": "Wh"}], **changes,
    }  # fmt: skip


INPUTS = {
    "zone": "Asia/Seoul",
    "period": {"start": "2025-05-31T15:00:00Z", "end": "2025-06-30T15:00:00Z"},
    "snapshot": {"manifest": {"start": "2025-05-31T15:00:00Z", "end": "2025-06-30T15:00:00Z"}},
    "parameters": {},
}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "codes"),
    [
        ({}, []),
        ({"co2e_t": "4.6"}, ["implausible:blocking"]),
        ({"co2e_t": "0.0001"}, ["implausible:warning"]),
        ({"uncertainty": {}}, ["uncertainty-unknown:note"]),
        ({"uncertainty": {"relative_pct": "30"}}, []),
        ({"uncertainty": {"relative_pct": "30.01"}}, ["uncertainty-high:warning"]),
        ({"uncertainty": {"relative_pct": "100.01"}}, ["uncertainty-total:blocking"]),
        ({"status": "not-yet-measurable", "lines": [], "co2e_t": None}, []),
        (
            {"coverage": {"gas": {"baseline": {"intervals": {
                "expected": 10, "used": 8, "missing": 1, "excluded": {"negative": 1},
                "used_pct": "80.00", "off_grid": 2, "gaps": [[3, 4, "missing"]]}}}}},
            ["coverage-low:warning", "excluded:note", "gaps:note", "off-grid:warning"],
        ),
        (
            {"coverage": {"a": {"expected": 3, "used": 1, "missing": 1, "excluded": {}}}},
            ["gaps:note", "incomplete:blocking"],
        ),
        (
            {"coverage": {"non_routine": {"expected": 0, "used": 0, "missing": 0, "excluded": {},
                                          "used_pct": "0.00"}}},
            [],
        ),
    ],
)  # fmt: skip
def test_checks(changes, codes):
    found = documents_checked(INPUTS, outputs(**changes), [])
    assert sorted(f"{f.code}:{f.severity}" for f in found) == codes
    assert all(f.ko and f.en for f in found)


def test_a_period_that_begins_within_a_day_is_noted():
    period = {"start": "2025-05-31T16:00:00Z", "end": "2025-06-30T15:00:00Z"}
    found = documents_checked({**INPUTS, "period": period}, outputs(), [])
    assert [f.code for f in found] == ["cut-within-a-day"]


def stop(world: World, run: footprint.Run) -> None:
    lapsed = quality.Finding("calibration-lapsed", "blocking", run.lines[0].meter, {"days": 3})
    quality.keep(world.conn, CITY, run.id, [lapsed], "official", world.clock.now())


def test_what_is_found_after_a_claim_stops_its_submission(world: World, refused):
    project, run = world.project(), world.solar_run()
    held = world.claimed(run)
    opened = footprint.open_monitoring_period(
        world.conn, CITY, project.id, world.day(date(2025, 6, 1)), "maker", world.clock
    )
    assert isinstance(opened, footprint.Monitoring)
    stop(world, run)
    sent = footprint.submit_monitoring(world.conn, CITY, opened.id, [held.id], "maker", world.clock)
    refused(sent, "quality-blocked")
    quality.keep(world.conn, CITY, run.id, [], "official", world.clock.now())
    again = footprint.submit_monitoring(
        world.conn, CITY, opened.id, [held.id], "maker", world.clock
    )
    assert isinstance(again, footprint.Monitoring)


def test_what_is_found_after_the_approval_stops_the_issuance(world: World, refused):
    run = world.solar_run()
    approved = world.approved(world.project(), [world.claimed(run).id])
    stop(world, run)
    refused(
        footprint.issue(world.conn, CITY, approved.id, "official", world.clock), "quality-blocked"
    )
    quality.keep(world.conn, CITY, run.id, [], "official", world.clock.now())
    issued = footprint.issue(world.conn, CITY, approved.id, "official", world.clock)
    assert isinstance(issued, footprint.CreditBatch)


def test_findings_are_kept_with_the_run_and_looked_at_again(world: World, refused):
    run = quantified(world, [None] + [1] * 23)
    first = findings_of(world.conn, CITY, run.id)
    assert {f.code for f in first} == {"gaps", "calibration-unknown"}
    assert quality.inspect_again(world.conn, CITY, run.id, "o", world.clock) == first
    numbers = world.conn.execute("SELECT max(number) FROM footprint_inspection").fetchone()
    assert numbers == (1,)
    refused(quality.inspect_again(world.conn, CITY, new_id(), "o", world.clock), "unknown-run")
    assert set(quality.TEXTS) >= {f.code for f in first}


def test_the_published_sample_is_met():
    """AR-TOOL14: n 34, mean 45.328, s 12.776: half-width 8.18 %."""
    low, high = Decimal("45.328") - Decimal("12.587"), Decimal("45.328") + Decimal("12.587")
    found = estimate([low, high] * 17, 10**9)
    assert found.half_width_pct.quantize(Decimal("0.01")) == Decimal("8.18")
    assert found.credited.deducted == 0


def test_all_runs_are_done_again_a_few_at_a_time(world: World, monkeypatch):
    runs = [quantified(world, [n + 1] * 24, entity=site(60 + n)) for n in range(3)]
    sweep = new_id()

    def some(limit: int | None = None) -> list[footprint.Again]:
        return list(footprint.recompute_all(
            world.conn, CITY, "o", world.clock, sweep=sweep, limit=limit))  # fmt: skip

    assert [(a.run_id, a.done, a.total) for a in some(2)] == [
        (runs[0].id, 1, 3), (runs[1].id, 2, 3)
    ]  # fmt: skip
    assert footprint.last_sweep(world.conn, CITY) == sweep
    monkeypatch.setattr(engine, "recalculate", lambda *a: b"{}")
    (last,) = some()
    assert (last.run_id, last.identical) == (runs[2].id, False)
    state = footprint.sweep_of(world.conn, CITY, sweep)
    assert (state.total, state.done, state.differing) == (3, 3, (runs[2].id,))
    assert some() == []
    assert footprint.sweep_of(world.conn, CITY, sweep, issued=True).total == 0


def test_runs_whose_tonnes_were_issued(world: World):
    quantified(world, [1] * 24, entity=site(70))
    made = world.issued("10")
    (one,) = footprint.recompute_all(world.conn, CITY, "o", world.clock, issued=True)
    (claim_id,) = footprint.claims_of_batch(world.conn, CITY, made.id)
    held = footprint.claim_of(world.conn, CITY, claim_id)
    assert held is not None
    assert one.run_id == held.run_id
    shown = footprint.run_details(world.conn, CITY, one.run_id)
    assert shown is not None
    assert [r["identical"] for r in shown["recomputations"]] == [True]


def test_a_records_way_forward_and_back(world: World):
    """Lamps are rows of a table: each leads to its own claims, and back."""
    found = footprint.methodology("led-replacement")
    assert not isinstance(found, Refusal)
    example = found.worked_example().inputs
    run = footprint.quantify(
        world.conn, CITY, "led-replacement", {}, plain(dict(example.parameters)), example.period,
        SAR_2018, "analyst", world.clock, tables=plain(dict(example.tables)),
    )  # fmt: skip
    assert isinstance(run, footprint.Run), run
    assert footprint.claims(world.conn, CITY, run.id) == []
    held = footprint.claim(world.conn, CITY, run.id, "kr-offset", clock=world.clock)
    assert isinstance(held, footprint.Claim)
    for line in run.lines:
        (use,) = footprint.forward_record(world.conn, CITY, line.meter)
        assert (use.run, use.status, use.claims) == (run, "used", (held,))
    behind = footprint.behind(world.conn, CITY, held.id)
    assert not isinstance(behind, Refusal)
    assert [b.record["id"] for b in behind if b.record] == [x.meter for x in held.lines]
    assert footprint.forward_record(world.conn, CITY, "nothing") == []
    assert isinstance(footprint.behind(world.conn, CITY, new_id()), Refusal)


def test_a_claims_line_leads_back_to_its_readings(world: World):
    held = world.claimed(quantified(world, [1] * 24))
    behind = footprint.behind(world.conn, CITY, held.id)
    assert not isinstance(behind, Refusal)
    assert [(len(b.readings), b.unit, b.record) for b in behind] == [(24, "kWh", None)]
