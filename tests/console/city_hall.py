"""A small city with something in every room, for the officials' screens to show."""

import math
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from onsil import footprint, hub, ledger
from onsil.building import services as building
from onsil.citizen.models import Role, User
from onsil.citizen.services import people
from onsil.core.clock import FixedClock, SystemClock
from onsil.core.periods import Period, local_days
from onsil.rewards import services as rewards
from onsil.tenancy import transaction

CITY = "pyeongtaek"
SEOUL = ZoneInfo("Asia/Seoul")
PASSWORD = "correct horse battery"
SAR_2018 = footprint.FactorAuthority("kr-offset", "kr-grid-2018", "consumption", "SAR")
JUNE = local_days(date(2025, 6, 1), date(2025, 7, 1), SEOUL)
CLOCK = SystemClock()


def user(name: str, *roles: str) -> User:
    made = User.objects.create_user(f"{name}@demo.invalid", PASSWORD, name=f"데모 {name}")
    for role in roles:
        people.give_role(made, role)
    return made


def granted(answer):
    """What was asked for. Fails the test when it was refused."""
    assert answer, getattr(answer, "en", answer)
    return answer


@dataclass
class CityHall:
    """Staff of the demonstration city, and what they look at."""

    official: User
    approver: User
    both: User
    operator: User
    verifier: User
    citizen: User
    site: building.Site
    run: footprint.Run
    claim: footprint.Claim
    project: footprint.Project
    monitoring: footprint.Monitoring

    @property
    def staff(self) -> tuple[User, ...]:
        return (self.official, self.approver, self.operator)

    def submitted(self, maker: User) -> footprint.Monitoring:
        with transaction(CITY) as tx:
            return granted(
                footprint.submit_monitoring(
                    tx, CITY, self.monitoring.id, [self.claim.id], str(maker.pk), CLOCK
                )
            )


def record(
    entity: str, attribute: str, start: datetime, values: list[Decimal | None], *,
    source: str = "replayed", interval_s: int = 3600, unit: str = "kWh",
) -> hub.RecordReport:  # fmt: skip
    """Store one value an interval, each received in time; None leaves a gap."""
    spec = hub.SeriesSpec(
        entity, attribute, unit, interval_s, "interval", Decimal(0), Decimal(10_000_000),
        source=source, note="Published measurement, dates shifted" if source == "replayed" else "",
    )  # fmt: skip
    step = timedelta(seconds=interval_s)
    readings = [
        hub.Reading(entity, attribute, start + i * step, value,
                    received_at=start + (i + 1) * step)
        for i, value in enumerate(values)
        if value is not None
    ]  # fmt: skip
    with transaction(CITY) as tx:
        hub.ensure_series(tx, CITY, [spec])
        return hub.record(tx, CITY, readings, CLOCK)


def solar_day(peak: int) -> list[Decimal]:
    """Hourly energy of one clear day, in kWh."""
    return [
        Decimal(max(0, round(peak * math.sin(math.pi * (h - 6) / 13)))) if 6 <= h <= 19
        else Decimal(0)
        for h in range(24)
    ]  # fmt: skip


def _sites(person: User) -> building.Site:
    plant = granted(
        building.register_site(
            CITY,
            building.SiteSpec(
                "solar-1", "solar", "데모 태양광 1호", "Demo solar 1", Decimal("127.08"),
                Decimal("36.99"), replayed=True, capacity_kw=Decimal(1000),
                attribution_ko="공개 실측 자료", attribution_en="Published measurement",
                note_ko="다른 해의 실측을 2025년으로 옮겨 재생합니다.",
                note_en="Measured in another year, replayed as 2025.",
            ),
            [building.MeterSpec("gen", f"urn:ngsi-ld:Device:{CITY}:solar-1", "generation",
                                "electricity", "kWh", "generated")],
        )
    )  # fmt: skip
    granted(
        building.register_site(
            CITY,
            building.SiteSpec(
                "home-1", "household", "데모 가정 1", "Demo home 1", Decimal("127.11"),
                Decimal("37.02"), person=person.pk, replayed=True,
            ),
            [building.MeterSpec("power", f"urn:ngsi-ld:Device:{CITY}:home-1", "electricity",
                                "electricity", "kWh", "consumed"),
             building.MeterSpec("gas", f"urn:ngsi-ld:Device:{CITY}:home-1", "gas", "gas", "kWh",
                                "consumed")],
        )
    )  # fmt: skip
    granted(
        building.register_site(
            CITY,
            building.SiteSpec(
                "hall-1", "remodelled", "데모 그린리모델링 1", "Demo remodelled hall 1",
                Decimal("126.95"), Decimal("36.97"), simulated=True,
            ),
            [building.MeterSpec("power", f"urn:ngsi-ld:Device:{CITY}:hall-1", "electricity",
                                "electricity", "kWh", "consumed")],
        )
    )  # fmt: skip
    return plant


def _readings() -> None:
    device = f"urn:ngsi-ld:Device:{CITY}"
    june: list[Decimal | None] = []
    for day in range(30):
        june += solar_day(500 + 40 * (day % 7))
    record(f"{device}:solar-1", "generation", JUNE.start, june)
    use: list[Decimal | None] = [Decimal(3 + (h % 24) // 6) / 10 for h in range(720)]
    use[100:130] = [None] * 30
    record(f"{device}:home-1", "electricity", JUNE.start, use)
    record(f"{device}:home-1", "gas", JUNE.start, [Decimal("0.8")] * 720)
    start = CLOCK.now().replace(minute=0, second=0, microsecond=0) - timedelta(hours=30)
    hall: list[Decimal | None] = [Decimal(12 + i % 8) for i in range(120)]
    record(f"{device}:hall-1", "electricity", start, hall, source="simulated", interval_s=900)
    bad = record(f"{device}:solar-1", "generation", JUNE.end, [Decimal(-5)])
    assert bad.quarantined


def _rides(person: User) -> None:
    granted(rewards.enrol(CITY, person.pk, "bus-weekly", age=30,
                          since=datetime(2026, 1, 1, tzinfo=UTC)))  # fmt: skip
    monday = date.fromisocalendar(2026, 40, 1)
    for week in range(5):
        at = datetime.combine(monday + timedelta(weeks=week), datetime.min.time(), SEOUL)
        granted(
            rewards.record_evidence(
                CITY, "bus-weekly", person.pk, "bus-ride", 1450, at + timedelta(hours=9),
                "demo transit card", f"ride-{week}", f"ride-{person.pk}-{week}",
                facts={"service": "city"}, simulated=True,
                clock=FixedClock(at.astimezone(UTC) + timedelta(hours=10)),
            )
        )  # fmt: skip
    span = Period(
        datetime.combine(monday, datetime.min.time(), SEOUL),
        datetime.combine(monday + timedelta(weeks=5), datetime.min.time(), SEOUL),
    )
    granted(rewards.decide(CITY, "bus-weekly", span, clock=CLOCK))
    rewards.post_awards(CITY, clock=CLOCK)
    with transaction(CITY) as tx:
        ledger.drain(tx, CITY, CLOCK)
    rewards.post_awards(CITY, clock=CLOCK)


def furnish() -> CityHall:
    """Fill the city in scope. Takes about a second."""
    rewards.load_programmes(CITY)
    citizen = user("citizen1")
    people.admit(citizen, "counter")
    people.open_wallet(citizen.pk)
    official = user("official1", Role.OFFICIAL)
    plant = _sites(citizen)
    _readings()
    _rides(citizen)
    meter = plant.meters.get()
    actor = str(official.pk)
    with transaction(CITY) as tx:
        run = granted(
            footprint.quantify(
                tx, CITY, "solar-self-consumption", {"generation": meter.stream},
                {"capacity_kw": "1000", "no_export": True}, JUNE, SAR_2018, actor, CLOCK,
            )
        )  # fmt: skip
        claim = granted(footprint.claim(tx, CITY, run.id, "kr-offset", actor=actor))
        spec = footprint.ProjectSpec(
            "DEMO-SOLAR-1", "데모 태양광 자가소비", "Demo solar self-consumption", "kr-offset",
            "solar-self-consumption", date(2025, 1, 1), date(2035, 1, 1), 0,
        )  # fmt: skip
        project = granted(footprint.register_project(tx, CITY, spec, actor, CLOCK))
        opened = footprint.open_monitoring_period(tx, CITY, project.id, JUNE, actor, CLOCK)
    return CityHall(
        official=official, approver=user("approver1", Role.APPROVER),
        both=user("both1", Role.OFFICIAL, Role.APPROVER),
        operator=user("operator1", Role.OPERATOR), verifier=user("verifier1", Role.VERIFIER),
        citizen=citizen, site=plant, run=run, claim=claim, project=project,
        monitoring=granted(opened),
    )  # fmt: skip
