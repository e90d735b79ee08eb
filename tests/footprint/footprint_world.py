"""A small solar site and household in the hub, and a project on its way to credits."""

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

from onsil import footprint, hub, ledger
from onsil.core.clock import FixedClock
from onsil.core.database import Connection, connect
from onsil.core.periods import Period, local_days

CITY = "pyeongtaek"
SEOUL = ZoneInfo("Asia/Seoul")
SAR_2018 = footprint.FactorAuthority("kr-offset", "kr-grid-2018", "consumption", "SAR")
GAS_2022 = footprint.FactorAuthority(
    "kr-offset", "kr-city-gas-2022", "combustion", "SAR", commodity="city-gas"
)
SOLAR = {"capacity_kw": "9000", "no_export": True}


def site(number: int = 1) -> str:
    return hub.entity_uri("Building", CITY, f"test-{number}")


def fill(
    conn: Connection,
    entity: str,
    attribute: str,
    values: Iterable[Decimal | int | None],
    start: datetime,
    *,
    unit: str = "kWh",
    interval_s: int = 3600,
    kind: str = "interval",
) -> str:
    """Record one value an interval; None leaves the interval out. Returns "entity#attribute"."""
    spec = hub.SeriesSpec(entity, attribute, unit, interval_s, kind)  # pyright: ignore
    hub.ensure_series(conn, CITY, [spec])
    step = timedelta(seconds=interval_s)
    readings = [
        hub.Reading(entity, attribute, start + i * step, value)
        for i, value in enumerate(values)
        if value is not None
    ]
    report = hub.record(conn, CITY, readings, FixedClock(datetime(2026, 1, 1, tzinfo=UTC)))
    assert not report.quarantined
    return f"{entity}#{attribute}"


@dataclass
class World:
    """Short cuts for the steps that most tests need before their own."""

    conn: Connection
    clock: FixedClock = field(default_factory=lambda: FixedClock(datetime(2026, 3, 1, tzinfo=UTC)))
    sites: int = 0

    def day(self, first: date, days: int = 1) -> Period:
        return local_days(first, first + timedelta(days=days), SEOUL)

    def solar_run(
        self, mwh: str | Decimal = "2", first: date = date(2025, 6, 1), entity: str | None = None
    ) -> footprint.Run:
        """A run over one day whose 24 hours share the energy equally."""
        if entity is None:
            self.sites += 1
            entity = site(self.sites)
        period = self.day(first)
        hourly = Decimal(mwh) * 1000 / 24
        key = fill(self.conn, entity, "generation", [hourly] * 24, period.start)
        made = footprint.quantify(
            self.conn, CITY, "solar-self-consumption", {"generation": key}, SOLAR, period,
            SAR_2018, "analyst", self.clock,
        )  # fmt: skip
        assert isinstance(made, footprint.Run), made
        return made

    def claimed(self, run: footprint.Run, programme: str = "kr-offset") -> footprint.Claim:
        made = footprint.claim(self.conn, CITY, run.id, programme, clock=self.clock)
        assert isinstance(made, footprint.Claim), made
        return made

    def project(self, code: str = "SOLAR-1", buffer_bp: int = 0) -> footprint.Project:
        spec = footprint.ProjectSpec(
            code, "시험 태양광", "Test solar", "kr-offset", "solar-self-consumption",
            date(2025, 1, 1), date(2035, 1, 1), buffer_bp,
        )  # fmt: skip
        made = footprint.register_project(self.conn, CITY, spec, "official", self.clock)
        assert isinstance(made, footprint.Project), made
        return made

    def approved(
        self, project: footprint.Project, claim_ids: list[UUID], first: date = date(2025, 6, 1)
    ) -> footprint.Monitoring:
        opened = footprint.open_monitoring_period(
            self.conn, CITY, project.id, self.day(first), "maker", self.clock
        )
        assert isinstance(opened, footprint.Monitoring), opened
        sent = footprint.submit_monitoring(
            self.conn, CITY, opened.id, claim_ids, "maker", self.clock
        )
        assert isinstance(sent, footprint.Monitoring), sent
        done = footprint.approve_monitoring(self.conn, CITY, opened.id, "checker", self.clock)
        assert isinstance(done, footprint.Monitoring), done
        return done

    def issued(
        self, mwh: str | Decimal = "10", buffer_bp: int = 0, code: str = "SOLAR-1",
        first: date = date(2025, 6, 1),
    ) -> footprint.CreditBatch:  # fmt: skip
        project = self.project(code, buffer_bp)
        held = self.claimed(self.solar_run(mwh, first))
        monitored = self.approved(project, [held.id], first)
        made = footprint.issue(self.conn, CITY, monitored.id, "official", self.clock)
        assert isinstance(made, footprint.CreditBatch), made
        return made

    def company(self, name: str, krw: int) -> str:
        """A buyer's account with money from the bank."""
        ledger.open_accounts(
            self.conn,
            CITY,
            [
                ledger.AccountSpec("external:bank", "KRW", "bank", minimum=None),
                ledger.AccountSpec(name, "KRW", "company"),
            ],
        )
        request = ledger.TransferRequest(
            f"deposit:{name}", "deposit", (ledger.Leg("external:bank", name, "KRW", krw),),
            self.clock.now(),
        )  # fmt: skip
        answer = ledger.post(self.conn, CITY, [request], self.clock)[request.key]
        assert answer.state == "applied", answer
        return name


def race(dsn: str, attempts: list[Callable[[Connection], object]]) -> list[object]:
    """Run all at once, each on a connection and in a transaction of its own."""
    gate, answers = threading.Barrier(len(attempts)), [None] * len(attempts)

    def one(index: int, attempt: Callable[[Connection], object]) -> None:
        with connect(dsn, CITY) as conn:
            gate.wait(20)
            answers[index] = attempt(conn)

    threads = [threading.Thread(target=one, args=pair) for pair in enumerate(attempts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert None not in answers
    return answers
