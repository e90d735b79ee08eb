"""The twenty-two tests of an auditor (ISO 14064-2 and -3): each named, each on the live parts."""

import json
import random
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, localcontext
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from auditor_kit import JUNE, Undo, archive, ask, changed_digit, grams, judge, quantified, run_of
from footprint_world import CITY, SAR_2018, SEOUL, SOLAR, World, fill, race, site
from hypothesis import given, settings
from hypothesis import strategies as st
from units_world import lost, next_period, retired, transferred, whole

from onsil import footprint, hub, proof
from onsil.core.clock import FixedClock
from onsil.core.ids import new_id
from onsil.core.periods import local_days
from onsil.core.quantities import UnitError, convert
from onsil.core.refusal import Refusal
from onsil.footprint import credits, reports
from onsil.footprint import uncertainty as u
from onsil.footprint.claims import put_inside, sold_out
from onsil.footprint.engine import ARITHMETIC
from onsil.footprint.factors import FactorError, factor_set
from onsil.footprint.factors.examples import recalculate
from onsil.footprint.projects import LegalDuty, add_calibration, link_device, record_duty
from onsil.footprint.projects.materiality import assess
from onsil.footprint.quality import estimate, findings_of, inspect_again
from onsil.footprint.quality.checks import documents_checked
from onsil.footprint.quality.sampling import drawn
from onsil.footprint.store import savepoint

_VERIFIER = (
    f"import sys; sys.path.insert(0, {str(Path(__file__).parents[2] / 'verifier')!r}); "
    "from onsil_verifier.__main__ import main; sys.exit(main(sys.argv[1:]))"
)
BEFORE = Path(__file__).parent / "runs_of_before"
PROGRAMMES = ("kr-offset", "gold-standard", "vcm", "citizen-reward", "rec", "re100", "esco", "dr",
              "inventory")  # fmt: skip


def test_01_recompute(world: World):
    run = quantified(world, [Decimal("1.25")] * 24)
    data = archive(world, run)
    found = footprint.verify_archive(data)
    assert (found.ok, found.outputs_digest) == (True, run.outputs_digest)
    for part in ("readings/", "outputs", "factors/", "inputs"):
        assert not footprint.verify_archive(changed_digit(data, part)).ok, part


def test_01_a_second_program_comes_to_the_same_bytes(world: World, tmp_path: Path):
    """A program that shares no code with the engine, run without Onsil on its path."""
    data = archive(world, quantified(world, [Decimal("2.5")] * 20 + [None] + [3] * 3))
    for content, right in ((data, True), (changed_digit(data, "outputs"), False)):
        (tmp_path / "bundle.zip").write_bytes(content)
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", _VERIFIER, str(tmp_path / "bundle.zip")],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert (done.returncode == 0) is right, done.stdout + done.stderr


def test_02_trace(world: World):
    entity = site(2)
    run = quantified(world, [None, *range(1, 24)], entity=entity)
    project = world.project()
    held = footprint.claim(world.conn, CITY, run.id, "kr-offset", (0, 9_000), clock=world.clock)
    assert isinstance(held, footprint.Claim)
    rest = footprint.claim(
        world.conn, CITY, run.id, "citizen-reward", (9_000, 10_000), clock=world.clock
    )
    monitored = world.approved(project, [held.id])
    made = footprint.issue(world.conn, CITY, monitored.id, "official", world.clock)
    assert isinstance(made, footprint.CreditBatch)
    start = world.day(JUNE).start
    (use,) = footprint.forward(world.conn, CITY, entity, "generation", start + timedelta(hours=5))
    assert (use.run, use.status) == (run, "used")
    assert set(use.claims) == {held, rest}
    assert [b.id for b in use.batches] == [made.id]
    (gap,) = footprint.forward(world.conn, CITY, entity, "generation", start)
    assert gap.status == "missing"
    back: list[Decimal] = []
    for claim_id in footprint.claims_of_batch(world.conn, CITY, made.id):
        (line,) = footprint.behind(world.conn, CITY, claim_id)  # pyright: ignore
        back.append(sum((value for _, value in line.readings), Decimal(0)) * 1000)
        assert line.line.amount * 10 == back[-1] * 9  # the claim's share of all that was read
    assert len(back) == 1


def test_03_completeness(world: World):
    run = quantified(world, [None] * 2 + [1] * 21 + [99], capacity_kw="5", coverage_min_pct="80")
    stored = footprint.run_details(world.conn, CITY, run.id)
    assert stored is not None
    found = stored["outputs"]["coverage"]["generation"]
    assert found["expected"] == found["used"] + found["missing"] + sum(found["excluded"].values())
    assert (found["used"], found["missing"], found["excluded"]) == (21, 2, {"above-capacity": 1})
    assert run.energy_wh == 21_000  # a gap adds nothing: less for a project, never zero or a guess
    assert {f.code for f in findings_of(world.conn, CITY, run.id)} >= {"gaps", "excluded"}
    broken = {**stored["outputs"], "coverage": {"generation": {**found, "missing": 1}}}
    judged = documents_checked(stored["inputs"], broken, [])
    assert ("incomplete", "blocking") in {(f.code, f.severity) for f in judged}


def test_04_cut_off(world: World):
    """Late, corrected, at the midnight of Korea and on a leap day: in one period only."""
    entity, feb = site(4), date(2024, 2, 28)
    span = local_days(feb, date(2024, 3, 2), SEOUL)
    key = fill(world.conn, entity, "generation", [1] * 72, span.start)
    name, attribute = key.split("#")
    leap = local_days(date(2024, 2, 29), date(2024, 3, 1), SEOUL)
    for at, value in ((leap.start, 5), (leap.end - timedelta(hours=1), 7), (leap.end, 11)):
        hub.record(
            world.conn, CITY, [hub.Reading(name, attribute, at, Decimal(value))],
            FixedClock(datetime(2026, 2, 1, tzinfo=UTC)),
        )  # fmt: skip
    days = [feb + timedelta(days=i) for i in range(3)]
    runs = [run_of(world, key, world.day(day)) for day in days]
    assert [run.energy_wh for run in runs] == [24_000, 34_000, 34_000]
    together = run_of(world, key, span)
    assert together.energy_wh == sum(run.energy_wh for run in runs)
    assert list(together.lines[0].parts or {}) == [day.isoformat() for day in days]
    codes = {f.code: f.facts for f in findings_of(world.conn, CITY, runs[1].id)}
    assert codes["corrected"]["count"] == 2
    for at in (leap.start, leap.end - timedelta(hours=1)):
        inside = [x.run.id for x in footprint.forward(world.conn, CITY, name, attribute, at)]
        assert inside == [runs[1].id, together.id]


asked = st.lists(
    st.tuples(
        st.sampled_from(PROGRAMMES), st.integers(0, 9), st.integers(1, 10), st.integers(0, 3),
        st.integers(1, 4), st.sampled_from(["building", "lamps", "lamps-2"]),
    ), min_size=1, max_size=14,
)  # fmt: skip


def test_05_exclusive_claim(world: World):
    """Any order: the claims on an interval never exceed it, parts of a building included."""
    runs = {
        name: quantified(world, [n + 1] * 96, entity=site(50 + n), days=4)
        for n, name in enumerate(("building", "lamps", "lamps-2"))
    }
    meter = {name: run.lines[0].meter for name, run in runs.items()}
    for part in ("lamps", "lamps-2"):
        put_inside(world.conn, CITY, meter[part], meter["building"], "o", world.clock)

    @settings(max_examples=25)
    @given(asked)
    def attempt(wanted):
        with pytest.raises(Undo), savepoint(world.conn):  # noqa: PT012
            held: dict[UUID, tuple[str, footprint.Claim]] = {}
            for programme, low, high, first, last, name in wanted:
                if low < high and first < last:
                    made = ask(world.conn, world, runs[name].id, programme, low, high, first, last)
                    if not isinstance(made, Refusal):
                        held[made.id] = (name, made)
            judge(held, runs)
            raise Undo

    attempt()


def test_05_exclusive_claim_under_a_race(connector, fresh_database):
    with connector() as conn:
        world = World(conn)
        run = quantified(world, [3] * 96, days=4)
        conn.commit()
    dice = random.Random(5)
    wanted = []
    for programme in PROGRAMMES:
        low, first = dice.randrange(8), dice.randrange(3)
        wanted.append((programme, low, low + 3, first, first + 2))
    answers = race(
        fresh_database, [lambda c, w=w: ask(c, World(c), run.id, *w) for w in wanted]
    )  # fmt: skip
    held = {a.id: ("building", a) for a in answers if isinstance(a, footprint.Claim)}
    assert held
    judge(held, {"building": run})
    assert {a.code for a in answers if isinstance(a, Refusal)} <= {"claim-conflict"}
    with connector() as conn:
        assert {c.id for c in footprint.claims(conn, CITY)} == set(held)


def test_05_what_was_sold_abroad_is_added_back(world: World):
    made = world.issued("50")
    transferred(world, made, 6)
    assert [(s.tonnes, s.kind) for s in sold_out(world.conn, CITY, made.vintage)] == [
        (6, "compliance")
    ]


def test_06_factor_authority(refused):
    day = date(2026, 3, 1)

    def authority(programme, factors, gwp="SAR", **more):
        return footprint.FactorAuthority(programme, factors, "consumption", gwp, **more)

    for wrong, as_of, code in (
        (authority("kr-offset", "kr-grid-2025"), day, "factor-not-for-programme"),
        (authority("kr-offset", "kr-grid-2018"), date(2018, 1, 1), "factor-not-yet-valid"),
        (authority("inventory", "kr-grid-2024", "AR5"), day, "factor-not-for-programme"),
        (authority("voluntary", "kr-grid-2018"), day, "gwp-not-for-programme"),
        (authority("nobody", "kr-grid-2018"), day, "unknown-programme"),
    ):
        refused(footprint.choose_factor(wrong, as_of), code)
    co2_only = next(
        f for s in footprint.factor_sets().values() for f in s.factors if f.co2_only
    )  # fmt: skip
    with pytest.raises(FactorError, match="CO2"):
        co2_only.co2e_kg("AR5")


def test_06_a_correction_moves_no_issued_number(world: World):
    run = quantified(world, [1] * 24)
    before = archive(world, run)
    later = factor_set("kr-grid-2021")  # another version of the grid's value changes nothing
    assert later.digest != factor_set("kr-grid-2018").digest
    again = footprint.recompute(world.conn, CITY, run.id)
    assert isinstance(again, footprint.Recomputation)
    assert again.identical
    assert archive(world, run) == before


def test_07_gwp_swap():
    factor = next(
        f for f in factor_set("kr-grid-2021").factors
        if (f.commodity, f.boundary) == ("electricity", "consumption")
    )  # fmt: skip
    shown = {name: (factor.co2e_kg(name) / 1000).quantize(Decimal("0.0001"))
             for name in ("SAR", "AR5")}  # fmt: skip
    assert shown == {"SAR": Decimal("0.4781"), "AR5": Decimal("0.4777")}


@pytest.mark.parametrize(("unit", "wanted"), [
    ("kWh", "tCO2e"), ("m3", "Nm3"), ("Nm3", "m3"), ("tC", "tCO2"), ("kg", "MWh"),
])  # fmt: skip
def test_08_units(unit, wanted):
    with pytest.raises(UnitError):
        convert(Decimal(1), unit, wanted)


def test_08_kwh_and_mwh_are_never_mixed_up(world: World, refused):
    period = world.day(JUNE)
    energy = fill(
        world.conn, site(81), "generation", [Decimal("0.001")] * 24, period.start, unit="MWh"
    )
    assert run_of(world, energy, period).energy_wh == 24_000
    water = fill(world.conn, site(82), "generation", [1] * 24, period.start, unit="m3")
    refused(footprint.quantify(
        world.conn, CITY, "solar-self-consumption", {"generation": water}, SOLAR, period, SAR_2018,
        "a", world.clock,
    ), "unit-mismatch")  # fmt: skip


def test_09_rounding(world: World):
    project = world.project()
    carried = Decimal(0)
    for day, mwh in enumerate(("3.3333333", "7.1234567", "0.9", "12.0000001")):
        first = JUNE + timedelta(days=day)
        run = world.solar_run(mwh, first)
        with localcontext(ARITHMETIC):
            assert run.co2e_t == run.energy_wh * Decimal("0.4594106") / 1_000_000
        monitored = world.approved(project, [world.claimed(run).id], first)
        made = footprint.issue(world.conn, CITY, monitored.id, "o", world.clock)
        assert isinstance(made, footprint.CreditBatch)
        assert made.carried_in_t == carried
        assert made.quantified_t + carried == made.tonnes + made.carried_out_t
        assert 0 <= made.carried_out_t < 1
        carried = made.carried_out_t
    (block, *_) = credits.blocks(world.conn, CITY, made.id)
    left = credits.split(world.conn, CITY, block.id, 2, "split", "o", world.clock)
    assert not isinstance(left, Refusal), left
    whole(world)


def test_10_conservation(world: World):
    """A walk through everything; `test_units_lifetimes` does it in any order."""
    made = world.issued("80", buffer_bp=1_500)
    transferred(world, made, 9)
    retired(world, made.id, 4, "r1")
    lost(world, made.project_id, "2.2")
    credits.cancel(
        world.conn, CITY, made.id, f"project:{made.project_id}", 3, "duplicate", "c", "o",
        world.clock,
    )  # fmt: skip
    whole(world)
    found = credits.conservation(world.conn, CITY, made.id)
    assert found is not None
    assert sum(found.states.values()) == made.tonnes
    assert found.states["retired"] == 4


def test_11_separation_of_duties(world: World, refused):
    held = world.claimed(world.solar_run())
    period = footprint.open_monitoring_period(
        world.conn, CITY, world.project().id, world.day(JUNE), "maker", world.clock
    )
    assert isinstance(period, footprint.Monitoring)
    footprint.submit_monitoring(world.conn, CITY, period.id, [held.id], "maker", world.clock)
    refused(
        footprint.approve_monitoring(world.conn, CITY, period.id, "maker", world.clock),
        "maker-is-checker",
    )
    with pytest.raises(psycopg.errors.CheckViolation), savepoint(world.conn):
        world.conn.execute(
            """UPDATE footprint_monitoring SET status = 'approved', checker = maker,
            decided_at = now() WHERE id = %s""",
            (period.id,),
        )


def test_12_append_only(world: World):
    run = quantified(world, [1] * 24)
    for statement in ("UPDATE footprint_run SET co2e_t = 9", "DELETE FROM footprint_run",
                      "UPDATE footprint_quality_finding SET severity = 'note'"):  # fmt: skip
        with pytest.raises(psycopg.errors.InsufficientPrivilege), savepoint(world.conn):
            world.conn.execute(statement)  # pyright: ignore
    logged = proof.leaf(world.conn, CITY, "quantification", run.id)
    assert logged is not None
    told = footprint.entry_of(world.conn, CITY, "quantification", run.id)
    world.conn.execute("RESET ROLE")  # the owner of the database can; the log notices
    world.conn.execute("UPDATE footprint_run SET co2e_t = co2e_t + 1 WHERE id = %s", (run.id,))
    assert footprint.entry_of(world.conn, CITY, "quantification", run.id) != told


@pytest.mark.parametrize(("share", "material"), [("0.049", False), ("0.051", True)])
def test_13_materiality(world: World, share, material):
    run = quantified(world, [4] * 24)
    injected = run.co2e_t * Decimal(share)
    found = assess(run.co2e_t, [injected])
    assert (found.misstated_t, found.material) == (injected, material)
    halves = assess(run.co2e_t, [injected / 2, -injected / 2])
    assert (halves.net_t, halves.material) == (0, material)  # errors do not excuse each other


def test_14_sampling():
    names = [f"tree-{n}" for n in range(400)]
    sample = drawn("2025-06", names, 34)
    assert sample == drawn("2025-06", reversed(names), 34)
    assert sample != drawn("2025-07", names, 34)
    dice = random.Random(14)
    sizes = [Decimal(dice.randrange(200, 700)) / 10 for _ in sample]
    found = estimate(sizes, 400)
    assert found == estimate(sizes, 400)
    assert found.half_width_pct < 10
    assert (found.credited.amount, found.credited.deducted) == (found.total, 0)
    tight = estimate([Decimal("45"), Decimal("45.1")] * 17, 400)
    assert tight.credited.deducted == 0
    wide = estimate([Decimal(10), Decimal(90)] * 5, 400)
    assert wide.credited.deducted > 0
    assert wide.total > wide.credited.amount


def test_15_calibration(world: World, refused):
    """Out of calibration to the end: blocked; calibrated again later: discounted."""
    entity = site(15)
    run = quantified(world, [1] * 240, entity=entity, days=10)
    assert [f.code for f in findings_of(world.conn, CITY, run.id)] == ["calibration-unknown"]
    linked = link_device(
        world.conn, CITY, world.project().id, "generation", f"{entity}#generation",
        date(2024, 1, 1), "official", world.clock,
    )  # fmt: skip
    assert not isinstance(linked, Refusal)

    def certified(first: date, until: date, name: str) -> None:
        add_calibration(world.conn, CITY, linked.id, first, until, name, "official", world.clock)
        inspect_again(world.conn, CITY, run.id, "official", world.clock)

    certified(date(2024, 1, 1), date(2025, 6, 6), "A-1")
    assert ("calibration-lapsed", "blocking") in {
        (f.code, f.severity) for f in findings_of(world.conn, CITY, run.id)
    }
    refused(footprint.claim(world.conn, CITY, run.id, "kr-offset"), "quality-blocked")
    with pytest.raises(psycopg.errors.CheckViolation, match="blocking"), savepoint(world.conn):
        world.conn.execute(
            """INSERT INTO footprint_claim SELECT city, %s, id, 'x', '[0,10)', period, 1, 1, 'x',
            created_at FROM footprint_run WHERE id = %s""",
            (new_id(), run.id),
        )
    certified(date(2025, 6, 9), date(2027, 1, 1), "A-2")
    found = findings_of(world.conn, CITY, run.id)
    assert [(f.code, f.facts["deduct_pct"]) for f in found] == [("calibration-delayed", "0.6")]
    made = footprint.claim(world.conn, CITY, run.id, "kr-offset", clock=world.clock)
    assert isinstance(made, footprint.Claim)  # 2 % of three days in ten
    assert made.energy_wh == run.energy_wh * Decimal("0.994")
    assert abs(made.co2e_t - run.co2e_t * Decimal("0.994")) < Decimal("1e-30")


def test_16_uncertainty():
    one = u.Term(Decimal(1_000), {"meter": Decimal(5), "factor": Decimal(2)})
    exact, simulated = u.combine_terms([one]), u.simulate_terms([one], seed=16, draws=8_000)
    assert exact.relative_pct == Decimal("5.39")
    assert exact.relative_pct is not None
    assert abs((simulated.relative_pct or 0) - exact.relative_pct) < Decimal("0.2")
    ten = [u.Term(Decimal(1), {f"m{i}": Decimal(5), "factor": Decimal(2)}) for i in range(10)]
    assert u.combine_terms(ten).relative_pct == Decimal("2.55")
    for half_width, rule, accepted in (
        ("30", "ar-tool14", True), ("30.01", "ar-tool14", False),
        ("100", "vm0047", True), ("100.01", "vm0047", False),
    ):  # fmt: skip
        found = u.discount(Decimal(100), Decimal(half_width), rule)
        assert found.accepted is accepted
    assert found.amount == 0


def test_17_plausibility(world: World, refused):
    run = quantified(world, [1] * 22 + [50, 6], capacity_kw="5")
    details = footprint.run_details(world.conn, CITY, run.id)
    assert details is not None
    assert details["outputs"]["coverage"]["generation"]["excluded"] == {"above-capacity": 2}
    refused(footprint.use_plan_coefficient("pine", "yearly-removal"), "cumulative-not-yearly")
    line = {"meter": "tree-1", "quantity": "tree-year", "amount": "100", "unit": "tree-year"}
    grown = {"status": "quantified", "coverage": {}, "lines": [line], "co2e_t": "16.66"}
    judged = documents_checked(details["inputs"], grown, [])
    assert ("implausible", "blocking") in {(f.code, f.severity) for f in judged}
    fine = documents_checked(details["inputs"], {**grown, "co2e_t": "2.54"}, [])
    assert "implausible" not in {f.code for f in fine}
    assert grams(Decimal(70_000), Decimal(1_180_000)) == Decimal("59.3")
    assert not 8 <= grams(Decimal(70_000), Decimal(118_000)) <= 70


def test_18_additionality_clock(world: World, refused):
    project = world.project()
    early = world.claimed(world.solar_run(first=JUNE))
    late = world.claimed(world.solar_run(first=JUNE + timedelta(days=1)))
    record_duty(
        world.conn, CITY,
        LegalDuty("시험법 제1조", "옥상 태양광 의무", JUNE + timedelta(days=1), project.id),
        "official", world.clock,
    )  # fmt: skip
    world.approved(project, [early.id])
    period = footprint.open_monitoring_period(
        world.conn, CITY, project.id, world.day(JUNE + timedelta(days=1)), "maker", world.clock
    )
    assert isinstance(period, footprint.Monitoring)
    refused(footprint.submit_monitoring(
        world.conn, CITY, period.id, [late.id], "maker", world.clock), "legal-duty")  # fmt: skip


def test_19_reversal(world: World, refused):
    made = world.issued("50", buffer_bp=2_000)
    lost(world, made.project_id, "3.2")
    assert credits.shortfall(world.conn, CITY, made.project_id).units == 0
    lost(world, made.project_id, "2.7", "second")
    assert credits.shortfall(world.conn, CITY, made.project_id).units == 1
    period = next_period(world, "SOLAR-1", JUNE + timedelta(days=1), "10")
    refused(footprint.issue(world.conn, CITY, period.id, "o", world.clock), "issuance-blocked")


def test_20_goldens():
    verdicts = {example.id: recalculate(example)[1] for example in footprint.published_examples()}
    stated = {example.id: example.verdict for example in footprint.published_examples()}
    assert verdicts == stated
    assert len(stated) >= 15
    assert set(stated.values()) == {"match", "match-if-rounded-constant", "publisher-error"}


@pytest.mark.parametrize("language", ["ko", "en"])
def test_21_report_is_the_database(world: World, language):
    """Every number in the monitoring report resolves to a stored output and holds; none is free."""
    project = world.project("REP-1", 500)
    held = world.claimed(world.solar_run("7.123456"))
    period = world.approved(project, [held.id])
    footprint.issue(world.conn, CITY, period.id, "official", world.clock)
    report = reports.monitoring_report(
        world.conn, CITY, "평택시", period.id, language, world.clock.now(), SEOUL
    )
    assert isinstance(report, reports.Report), report
    checked = reports.numbers(world.conn, CITY, report)
    assert len(checked) >= 10
    assert [number.figure for number in checked if not number.holds] == []
    assert str(held.run_id) in {number.figure.source.subject for number in checked}


def test_22_method_upgrade(world: World):
    """Runs made by the engine and the forms of before give the very bytes of before."""
    for path in sorted(BEFORE.glob("*.json")):
        found = footprint.verify_bundle(path.read_bytes())
        assert found.ok, (path.name, found.findings)
        assert json.loads(path.read_bytes())["inputs"]["format"] == "onsil-run-1"
    run = quantified(world, [1] * 24)
    done = list(footprint.recompute_all(world.conn, CITY, "operator", world.clock))
    assert [(one.run_id, one.identical, one.done, one.total) for one in done] == [
        (run.id, True, 1, 1)
    ]
