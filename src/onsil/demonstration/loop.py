"""The loop, once: claim, credit, reward, spend. Each stage may be repeated and adds nothing."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TypeVar
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from onsil import footprint, hub, ledger
from onsil.building import services as building
from onsil.citizen import services as citizen
from onsil.citizen.models import Payment, User
from onsil.citizen.services import budgets
from onsil.core.clock import FixedClock, SystemClock
from onsil.core.periods import Period, local_days
from onsil.core.refusal import Refusal
from onsil.demonstration.cast import COMPANY, Cast
from onsil.demonstration.sites import DemoSites
from onsil.rewards import services as rewards
from onsil.tenancy import current_city, transaction

Answer = TypeVar("Answer")
CLOCK = SystemClock()
SALE_TONNES = 2
RETIRED_TONNES = 1
TONNE_PRICE_KRW = 18_000
BUS_WEEKS = 6
_FARE_KRW = 1_450
_NAMESPACE = UUID("6f6e7369-6c00-5000-8000-6c6f6f700000")


class DemonstrationFailed(RuntimeError):
    """A stage got a refusal that it did not expect; the message is the refusal's."""


def granted(answer: Answer | Refusal) -> Answer:
    """The answer itself. Raises DemonstrationFailed when it is a refusal."""
    if isinstance(answer, Refusal):
        raise DemonstrationFailed(f"{answer.code}: {answer.en}")
    return answer


@dataclass(frozen=True)
class Quantified:
    """The runs of the demonstration: solar, the two half-years of one home, a home too young."""

    solar: footprint.Run
    homes: tuple[footprint.Run, ...]
    young: footprint.Run | Refusal


def quantify(sites: DemoSites, zone: ZoneInfo, actor: str) -> Quantified:
    """Run both methodologies on the stored readings."""
    city = current_city()
    year = local_days(date(2025, 1, 1), date(2026, 1, 1), zone)
    halves = (
        local_days(date(2025, 7, 1), date(2026, 1, 1), zone),
        local_days(date(2026, 1, 1), date(2026, 7, 1), zone),
    )
    grid = footprint.FactorAuthority("citizen-reward", "kr-grid-2021", "consumption", "AR5")
    gas = footprint.FactorAuthority(
        "citizen-reward", "kr-city-gas-2022", "combustion", "AR5", commodity="city-gas"
    )
    with transaction() as tx:
        solar = granted(footprint.quantify(
            tx, city, "solar-self-consumption", {"generation": sites.solar},
            {"capacity_kw": "3.4", "no_export": True, "meter_uncertainty_pct": "2.0"}, year,
            footprint.FactorAuthority("kr-offset", "kr-grid-2018", "consumption", "SAR"),
            actor, CLOCK, zone=zone,
        ))  # fmt: skip
        homes = tuple(
            granted(footprint.quantify(
                tx, city, "building-energy-savings",
                {"electricity": sites.home_electricity, "gas": sites.home_gas,
                 "temperature": sites.home_temperature},
                {"baseline_start": "2024-04-02", "baseline_end": "2025-04-02",
                 "resolution": "daily", "model_electricity": "3P-heating",
                 "model_gas": "3P-heating", "solar_added": False, "gas_energy_basis": "gcv"},
                half, (grid, gas), actor, CLOCK, zone=zone,
            ))
            for half in halves
        )  # fmt: skip
        young = footprint.quantify(
            tx, city, "building-energy-savings",
            {"electricity": sites.young_electricity, "temperature": sites.young_temperature},
            {"baseline_start": "2024-01-11", "baseline_end": "2025-01-11",
             "resolution": "daily", "model_electricity": "3P-heating", "solar_added": False},
            local_days(date(2025, 1, 11), date(2026, 1, 11), zone), grid, actor, CLOCK, zone=zone,
        )  # fmt: skip
    return Quantified(solar, homes, young)


def claim(runs: Quantified, actor: str) -> tuple[footprint.Claim, list[footprint.Claim]]:
    """Solar for the compliance project, the home's savings for the citizen programme."""
    city = current_city()
    with transaction() as tx:
        solar = granted(footprint.claim(tx, city, runs.solar.id, "kr-offset", actor=actor))
        homes = [
            granted(footprint.claim(tx, city, run.id, "household-saving", actor=actor))
            for run in runs.homes
            if run.measurable
        ]
    return solar, homes


def credit(solar: footprint.Claim, cast: Cast) -> footprint.CreditBatch:
    """Project, monitoring period, four eyes, issuance, sale, retirement."""
    city = current_city()
    maker, checker, buyer = (f"user:{u.pk}" for u in (cast.official, cast.approver, cast.buyer))
    with transaction() as tx:
        project = granted(footprint.register_project(
            tx, city,
            footprint.ProjectSpec(
                code="DEMO-SOLAR-1", name_ko="데모 태양광 자가소비",
                name_en="Demo solar self-consumption", programme="kr-offset",
                methodology="solar-self-consumption", starts=date(2025, 1, 1),
                ends=date(2032, 1, 1),
            ),
            maker, CLOCK,
        ))  # fmt: skip
        monitoring = next(iter(footprint.monitorings(tx, city, project.id)), None)
        if monitoring is None:
            monitoring = granted(
                footprint.open_monitoring_period(tx, city, project.id, solar.period, maker, CLOCK)
            )
        if monitoring.status == "open":
            monitoring = granted(
                footprint.submit_monitoring(tx, city, monitoring.id, [solar.id], maker, CLOCK)
            )
        if monitoring.status == "submitted":
            monitoring = granted(
                footprint.approve_monitoring(tx, city, monitoring.id, checker, CLOCK)
            )
        batch = next(iter(footprint.batches(tx, city, project.id)), None)
        if batch is None:
            batch = granted(footprint.issue(tx, city, monitoring.id, checker, CLOCK))
            granted(footprint.list_for_sale(
                tx, city, batch.id, SALE_TONNES, TONNE_PRICE_KRW, maker, CLOCK
            ))  # fmt: skip
        company = f"company:{COMPANY}"
        granted(footprint.buy(tx, city, batch.id, company, SALE_TONNES, TONNE_PRICE_KRW,
                              "demo-purchase", buyer, CLOCK))  # fmt: skip
        granted(footprint.retire(
            tx, city, batch.id, company, RETIRED_TONNES, "데모 구매 기업",
            "2025년 사업장 배출량 상쇄 (시연)", "demo-retirement", buyer, CLOCK,
        ))  # fmt: skip
    granted(rewards.fund_budget(
        city, "household-saving", 2026, "credit-revenue", SALE_TONNES * TONNE_PRICE_KRW,
        actor=maker, account="fund:incentive", key="demo-fund-2026", clock=CLOCK,
    ))  # fmt: skip
    return batch


def reward(claims: list[footprint.Claim], cast: Cast, zone: ZoneInfo, site_uri: str) -> int:
    """Hand in the evidence, decide, pay; the points the ledger has applied so far."""
    city = current_city()
    saver = cast.citizens[0]
    granted(rewards.enrol(city, saver.pk, "household-saving", "household", subject=site_uri,
                          since=datetime(2025, 4, 1, tzinfo=UTC), clock=CLOCK))  # fmt: skip
    for held in claims:
        granted(building.record_savings(
            city, "demo-home-1", held.id, programme="household-saving", clock=CLOCK
        ))  # fmt: skip
    _bus_evidence(cast.citizens, zone)
    now = CLOCK.now()
    for code, since in (("household-saving", datetime(2025, 1, 1, tzinfo=UTC)),
                        ("bus-weekly", now - timedelta(weeks=BUS_WEEKS + 2))):  # fmt: skip
        granted(rewards.decide(city, code, Period(since, now), clock=CLOCK))
    for _ in range(100):
        report = rewards.post_awards(city, clock=CLOCK)
        if not report.pending:
            break
        _wait(0.05)
    return sum(
        d.points
        for person in cast.citizens
        for d in rewards.decisions_of(city, person.pk, limit=200)
        if d.state == "applied"
    )


def _bus_evidence(citizens: tuple[User, ...], zone: ZoneInfo) -> None:
    """Simulated taps of a transit card: two rides on some weekdays of the last full weeks."""
    city, today = current_city(), CLOCK.now().astimezone(zone).date()
    monday = today - timedelta(days=today.weekday())
    for number, person in enumerate(citizens):
        granted(rewards.enrol(
            city, person.pk, "bus-weekly", "adult", clock=CLOCK,
            since=datetime(monday.year, monday.month, monday.day, tzinfo=zone)
            - timedelta(weeks=BUS_WEEKS + 1),
        ))  # fmt: skip
        for week in range(1, BUS_WEEKS + 1):
            day = monday - timedelta(weeks=week) + timedelta(days=(number + week) % 5)
            for ride, hour in enumerate((8, 18)):
                tap = datetime(day.year, day.month, day.day, hour, 7 * number + 10, tzinfo=zone)
                key = f"demo-tap:{number}:{day.isoformat()}:{ride}"
                granted(rewards.record_evidence(
                    city, "bus-weekly", person.pk, "bus-ride", _FARE_KRW, tap,
                    source="simulated-transit-card", reference=str(uuid5(_NAMESPACE, key)),
                    key=key, level="server", facts={"service": "city"}, simulated=True,
                    clock=CLOCK,
                ))  # fmt: skip


def spend(cast: Cast) -> list[Payment]:
    """Convert points, pay yesterday and today by QR, settle yesterday's sales."""
    city, saver = current_city(), cast.citizens[0]
    known = list(Payment.objects.filter(city=city, citizen=saver, merchant=cast.merchant))
    if not known:
        have = citizen.wallet(saver).points
        granted(citizen.convert(saver, have - have % 1000, uuid5(_NAMESPACE, "conversion")))
        yesterday = FixedClock(CLOCK.now() - timedelta(days=1))
        for amount, clock in ((9_500, yesterday), (12_300, CLOCK)):
            code = granted(citizen.codes.show_amount(cast.merchant, amount, clock=clock))
            known.append(granted(citizen.payments.pay(code.pk, saver, clock=clock)))
    budgets.fund_budgets()  # the city's part of the fees is settled with the sales
    citizen.settlements.build_due()
    return known


def imbalances() -> list[ledger.Imbalance]:
    """What does not add up in the ledger; empty when all does."""
    with transaction() as tx:
        return ledger.conservation(tx, current_city())


def points_stored(series: list[tuple[str, str]]) -> int:
    """How many points the hub holds of the named series."""
    with transaction() as tx:
        found = [s for e, a in series for s in hub.find_series(tx, current_city(), entities=[e],
                                                               attribute=a)]  # fmt: skip
        ever = Period(datetime(2000, 1, 1, tzinfo=UTC), CLOCK.now() + timedelta(days=1))
        return sum(
            roll.count
            for s in found
            for roll in hub.rollups(tx, current_city(), s.id, ever, "month")
        )


def _wait(seconds: float) -> None:
    import time

    time.sleep(seconds)
