"""A city in which the loop has run once: a home that saved, bus weeks, a solar site's credits.

It is built once a process; every module that wants it gets a copy of its database and its log.
"""

import atexit
import math
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from psycopg.conninfo import conninfo_to_dict

from onsil import footprint, hub, ledger, proof
from onsil.building import services as building
from onsil.citizen import services as citizen
from onsil.citizen.models import Merchant, Payment, Role, User
from onsil.configuration import configuration
from onsil.core.clock import FixedClock
from onsil.core.periods import Period, local_days
from onsil.core.refusal import Refusal
from onsil.rewards import services as rewards
from onsil.supervisor.postgres import EmbeddedPostgres
from onsil.tenancy import city_scope, transaction
from own_database import TEMPLATE, pointed_at

CITY = "pyeongtaek"
SEOUL = ZoneInfo("Asia/Seoul")
NOW = datetime(2026, 2, 10, 3, tzinfo=UTC)
PASSWORD = "correct horse battery"
COMPANY = UUID("01900000-0000-7000-8000-00000000c0de")
HOME = hub.entity_uri("Building", CITY, "home-1")
SOLAR = hub.entity_uri("Building", CITY, "solar-1")
_GRID = footprint.FactorAuthority("citizen-reward", "kr-grid-2021", "consumption", "AR5")
_SAR = footprint.FactorAuthority("kr-offset", "kr-grid-2018", "consumption", "SAR")


def granted(answer):
    """The answer, which must not be a refusal."""
    assert not isinstance(answer, Refusal), answer
    return answer


@dataclass
class World:
    """The people and things of the scenario, once `run` is done."""

    dsn: str
    company: UUID = COMPANY
    clock: FixedClock = field(default_factory=lambda: FixedClock(NOW))
    saver: User = None  # pyright: ignore
    stranger: User = None  # pyright: ignore
    verifier: User = None  # pyright: ignore
    official: User = None  # pyright: ignore
    approver: User = None  # pyright: ignore
    buyer: User = None  # pyright: ignore
    shop: Merchant = None  # pyright: ignore
    home_run: footprint.Run = None  # pyright: ignore
    home_claim: footprint.Claim = None  # pyright: ignore
    solar_run: footprint.Run = None  # pyright: ignore
    batch: footprint.CreditBatch = None  # pyright: ignore
    retirement: footprint.Retirement = None  # pyright: ignore
    payments: list[Payment] = field(default_factory=list)

    def run(self) -> "World":
        """Run the loop once and sign the log."""
        self.people()
        self.sites()
        self.quantify()
        self.credits()
        with self.writer():
            self.rewards()
            self.spend()
        self.seal()
        return self

    def user(self, name: str, *roles: str, organisation: UUID | None = None) -> User:
        made = User.objects.create_user(f"{name}@demo.invalid", PASSWORD, name=name)
        for role in roles:
            citizen.people.give_role(made, role, organisation)
        return made

    def people(self) -> None:
        self.saver, self.stranger = self.user("citizen1"), self.user("citizen2")
        for person in (self.saver, self.stranger):
            citizen.people.admit(person, "counter")
        self.verifier = self.user("verifier1", Role.VERIFIER)
        self.official = self.user("official1", Role.OFFICIAL)
        self.approver = self.user("approver1", Role.APPROVER)
        self.buyer = self.user("buyer1", Role.BUYER, organisation=COMPANY)
        owner = self.user("merchant1")
        terms = citizen.Application("데모 가맹점", "000-00-00000", "bakery", "데모로 1", 90_000_000)
        shop = granted(citizen.merchants.apply(owner, terms))
        self.shop = granted(citizen.merchants.decide(shop.pk, True, actor=self.approver))

    def sites(self) -> None:
        first = datetime(2024, 7, 1, tzinfo=SEOUL)
        with transaction(CITY) as tx:
            hours = [first + timedelta(hours=i) for i in range(24 * 550)]
            fill(tx, HOME, "temperature", "degC", "gauge", hours, outdoor)
            fill(tx, HOME, "electricity", "kWh", "interval", hours, home_use)
            june = datetime(2025, 6, 1, tzinfo=SEOUL)
            days = [june + timedelta(hours=i) for i in range(48)]
            fill(tx, SOLAR, "generation", "kWh", "interval", days, sunshine)
        home = building.SiteSpec(
            "home-1", "household", "데모 시민 1의 집", "The home of demo citizen 1",
            Decimal("127.05"), Decimal("37.0"), entity=HOME, person=self.saver.pk, replayed=True,
        )  # fmt: skip
        meters = [
            building.MeterSpec("power", HOME, "electricity", "electricity", "kWh", "consumed"),
            building.MeterSpec("air", HOME, "temperature", "temperature", "degC", "ambient"),
        ]
        granted(building.register_site(CITY, home, meters))
        plant = building.SiteSpec(
            "solar-1", "solar", "데모 태양광", "Demo solar plant", Decimal("127.08"),
            Decimal("36.99"), entity=SOLAR, replayed=True, capacity_kw=Decimal(9000),
        )  # fmt: skip
        meter = building.MeterSpec("pv", SOLAR, "generation", "electricity", "kWh", "generated")
        granted(building.register_site(CITY, plant, [meter]))

    def quantify(self) -> None:
        with transaction(CITY) as tx:
            self.home_run = granted(footprint.quantify(
                tx, CITY, "building-energy-savings",
                {"electricity": f"{HOME}#electricity", "temperature": f"{HOME}#temperature"},
                {"baseline_start": "2024-07-01", "baseline_end": "2025-07-01",
                 "resolution": "daily", "model_electricity": "3P-heating", "solar_added": False},
                local_days(date(2025, 7, 1), date(2026, 1, 1), SEOUL), _GRID, "analyst", self.clock,
            ))  # fmt: skip
            assert self.home_run.measurable, self.home_run.refusal
            self.home_claim = granted(
                footprint.claim(tx, CITY, self.home_run.id, "household-saving", clock=self.clock)
            )
            self.solar_run = granted(footprint.quantify(
                tx, CITY, "solar-self-consumption", {"generation": f"{SOLAR}#generation"},
                {"capacity_kw": "9000", "no_export": True},
                local_days(date(2025, 6, 1), date(2025, 6, 2), SEOUL), _SAR, "analyst", self.clock,
            ))  # fmt: skip

    def credits(self) -> None:
        with transaction(CITY) as tx:
            claim = granted(
                footprint.claim(tx, CITY, self.solar_run.id, "kr-offset", clock=self.clock)
            )
            project = granted(footprint.register_project(
                tx, CITY,
                footprint.ProjectSpec("SOLAR-1", "데모 태양광", "Demo solar", "kr-offset",
                                      "solar-self-consumption", date(2025, 1, 1), date(2035, 1, 1)),
                "maker", self.clock,
            ))  # fmt: skip
            opened = granted(footprint.open_monitoring_period(
                tx, CITY, project.id, claim.period, "maker", self.clock
            ))  # fmt: skip
            granted(footprint.submit_monitoring(
                tx, CITY, opened.id, [claim.id], "maker", self.clock
            ))  # fmt: skip
            granted(footprint.approve_monitoring(tx, CITY, opened.id, "checker", self.clock))
            self.batch = granted(footprint.issue(tx, CITY, opened.id, "checker", self.clock))
            granted(footprint.list_for_sale(
                tx, CITY, self.batch.id, 3, 18_000, "maker", self.clock
            ))  # fmt: skip
            company = f"company:{self.company}"
            ledger.open_accounts(tx, CITY, [
                ledger.AccountSpec("external:bank", "KRW", "bank", minimum=None),
                ledger.AccountSpec(company, "KRW", "company"),
            ])  # fmt: skip
            deposit = ledger.TransferRequest(
                "deposit", "deposit", (ledger.Leg("external:bank", company, "KRW", 500_000),)
            )
            assert ledger.post(tx, CITY, [deposit], self.clock)["deposit"]
            granted(footprint.buy(
                tx, CITY, self.batch.id, company, 2, 18_000, "first", "buyer", self.clock
            ))  # fmt: skip
            self.retirement = granted(footprint.retire(
                tx, CITY, self.batch.id, company, 1, "데모 구매 기업", "2025년 배출 상쇄", "first",
                "buyer", self.clock,
            ))  # fmt: skip

    def rewards(self) -> None:
        report = rewards.load_programmes(CITY, clock=self.clock)
        assert not report.problems
        citizen.people.open_wallet(self.saver.pk)
        since = datetime(2025, 1, 1, tzinfo=UTC)
        granted(rewards.enrol(CITY, self.saver.pk, "household-saving", "household", since=since,
                              subject=HOME, clock=self.clock))  # fmt: skip
        granted(rewards.enrol(CITY, self.saver.pk, "bus-weekly", "adult", since=since,
                              clock=self.clock))  # fmt: skip
        granted(building.record_savings(CITY, "home-1", self.home_claim.id, clock=self.clock))
        for week in range(3):
            ride = datetime(2026, 1, 5, 8, 10, tzinfo=SEOUL) + timedelta(weeks=week)
            granted(rewards.record_evidence(
                CITY, "bus-weekly", self.saver.pk, "bus-ride", 1450, ride, "demo-card",
                f"tap-{week}", f"tap-{week}", facts={"service": "city"}, simulated=True,
                clock=self.clock,
            ))  # fmt: skip
        span = Period(since, NOW)
        granted(rewards.decide(CITY, "household-saving", span, clock=self.clock))
        granted(rewards.decide(CITY, "bus-weekly", span, clock=self.clock))
        for _ in range(200):
            if not rewards.post_awards(CITY, clock=self.clock).pending:
                break
            threading.Event().wait(0.02)

    def spend(self) -> None:
        points = citizen.wallet(self.saver, clock=self.clock).points
        made = citizen.convert(self.saver, points - 100, uuid4(), clock=self.clock)
        assert granted(made).applied
        for amount in (4_500, 9_000):
            code = granted(citizen.codes.show_amount(self.shop, amount, clock=self.clock))
            paid = granted(citizen.payments.pay(code.pk, self.saver, clock=self.clock))
            assert paid.applied
            self.payments.append(paid)

    def seal(self) -> None:
        """Sign what has happened so far."""
        signer = proof.load_or_create_signer(configuration().key_folder, CITY)
        with transaction(CITY) as tx:
            proof.sequence(tx, CITY, Path(configuration().log_folder), signer, self.clock)

    @contextmanager
    def writer(self) -> Iterator[None]:
        """The posting writer at work."""
        stop = threading.Event()
        thread = threading.Thread(
            target=ledger.run_writer, args=(self.dsn, self.clock, stop), daemon=True
        )
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join(20)


def fill(conn, entity, attribute, unit, kind, times, value) -> None:
    """One reading an hour."""
    spec = hub.SeriesSpec(entity, attribute, unit, 3600, kind, source="replayed", note="2012→2025")
    hub.ensure_series(conn, CITY, [spec])
    readings = [hub.Reading(entity, attribute, time, value(time)) for time in times]
    report = hub.record(conn, CITY, readings, FixedClock(NOW))
    assert not report.quarantined


def outdoor(time: datetime) -> Decimal:
    """A year's and a day's wave, in degrees."""
    day = time.timetuple().tm_yday
    year = 12 - 14 * math.cos(2 * math.pi * (day - 20) / 365)
    return Decimal(round((year + 3 * math.sin(2 * math.pi * (time.hour - 9) / 24)) * 100)) / 100


def home_use(time: datetime) -> Decimal:
    """0.4 kWh an hour and heating below 15 degrees; a quarter less from July 2025 on."""
    cold = max(Decimal(0), 15 - outdoor(time))
    wiggle = Decimal((time.toordinal() * 7 + time.hour * 3) % 11 - 5) / 100
    use = Decimal("0.4") + cold * Decimal("0.03") + wiggle
    saved = Decimal("0.75") if time >= datetime(2025, 7, 1, tzinfo=SEOUL) else Decimal(1)
    return (use * saved).quantize(Decimal("0.001"))


def sunshine(time: datetime) -> Decimal:
    return Decimal(max(0, 7 - abs(time.hour - 12)) * 300)


_built: dict[str, World] = {}
_kept = Path(tempfile.mkdtemp(prefix="onsil-world-"))
atexit.register(shutil.rmtree, _kept, ignore_errors=True)


@contextmanager
def served(postgres: EmbeddedPostgres, blocker) -> Iterator[World]:
    """Django on a copy of the scenario's database, in the city's scope, with a copy of its log."""
    if not _built:
        original = postgres.create_database(f"portal_{uuid4().hex[:12]}", TEMPLATE)
        with _data_in(_kept), pointed_at(original, blocker), city_scope(CITY):
            _built["world"] = World(original).run()
    name = f"portal_{uuid4().hex[:12]}"
    dsn = postgres.create_database(name, str(conninfo_to_dict(_built["world"].dsn)["dbname"]))
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(_kept, folder, dirs_exist_ok=True)
        with _data_in(Path(folder)), pointed_at(dsn, blocker), city_scope(CITY):
            yield replace(_built["world"], dsn=dsn)
    postgres.drop_database(name)


@contextmanager
def _data_in(folder: Path) -> Iterator[None]:
    """The installation's log and keys lie in a folder of this scenario's own meanwhile."""
    settings = configuration()
    before = settings.data_folder
    object.__setattr__(settings, "data_folder", folder)
    try:
        yield
    finally:
        object.__setattr__(settings, "data_folder", before)
