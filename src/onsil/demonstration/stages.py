"""The demonstration from end to end, stage by stage, and what came of it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

from onsil import footprint, proof
from onsil.citizen.models import Payment
from onsil.configuration import Configuration
from onsil.core.database import connect
from onsil.core.refusal import Refusal
from onsil.demonstration import (
    books,
    checking,
    inventories,
    loop,
    own_money,
    plan,
    route,
    runs,
    sites,
    trade,
)
from onsil.demonstration import cast as people
from onsil.footprint import inventory
from onsil.portal import trace as tracer
from onsil.proof import Checkpoint
from onsil.proof.anchors import AnchorRecord
from onsil.rewards import services as rewards
from onsil.rewards.entries import log_sources
from onsil.supervisor import anchoring
from onsil.tenancy import city_scope, transaction
from onsil.tenancy.cities import city as city_profile

Tell = Callable[[int, int], None]
STAGES = (
    ("prepare", "도시와 사람", "city and people"),
    ("measure", "실측값 들이기", "measured readings in"),
    ("quantify", "감축량 산정", "tonnes quantified"),
    ("claim", "한 번만 주장", "claimed once"),
    ("credit", "승인·발행·판매·상쇄", "approved, issued, sold, retired"),
    ("route", "외부사업 전 절차", "the full offset route"),
    ("trade", "주문·정산·상쇄", "ordered, settled, retired"),
    ("inventory", "인벤토리 작성과 확정", "inventories compiled and sealed"),
    ("reward", "시민 보상", "citizens rewarded"),
    ("spend", "가게에서 사용", "spent at a shop"),
    ("books", "은행과 맞추고 마감", "matched with the bank, day closed"),
    ("prove", "증명 확인", "proof checked"),
    ("anchor", "체인에 새김", "anchored on a chain"),
)


@dataclass
class Outcome:
    """What one run of the demonstration found. `failures` are checks that did not hold."""

    readings: int = 0
    imported: int = 0
    quarantined: int = 0
    runs: list[footprint.Run] = field(default_factory=list)
    superseded: UUID | None = None
    claims: list[footprint.Claim] = field(default_factory=list)
    batch: footprint.CreditBatch | None = None
    retired: int = 0
    certified: route.Certified | None = None
    traded: trade.Traded | None = None
    inventories: list[inventory.Version] = field(default_factory=list)
    refused: int = 0
    accepted: int = 0
    points: int = 0
    payments: list[Payment] = field(default_factory=list)
    leaves: int = 0
    verified: bool = False
    trace_steps: int = 0
    anchored: AnchorRecord | None = None
    anchor_held: bool = False
    failures: list[str] = field(default_factory=list)

    def check(self, holds: bool, words: str) -> None:
        if not holds:
            self.failures.append(words)


def run(conf: Configuration, city: str, begin: Callable[[str], Tell]) -> Outcome:
    """Run every stage for a city. `begin(stage)` gives the function that is told (done, total).

    The services must be up. Raises loop.DemonstrationFailed when a stage is refused.
    """
    outcome, zone = Outcome(), city_profile(city).zone
    with city_scope(city):
        tell = begin("prepare")
        report = rewards.load_programmes(city)
        for problem in report.problems:
            outcome.failures.append(problem.en)
        cast = people.assemble()
        series = sites.register_sites(cast)
        tell(1, 1)

        tell = begin("measure")
        outcome.imported, _ = sites.import_readings(series, conf.data_folder / "measured", tell)
        outcome.readings = loop.points_stored(series.all())
        outcome.check(outcome.readings > 100_000, "fewer readings than the measured files hold")

        carbon = _carbon(conf, city, outcome, cast, series, begin)

        tell = begin("reward")
        outcome.points = loop.reward(carbon, cast, zone, series.home_electricity[0])
        outcome.check(outcome.points > 0, "no points were paid")
        tell(1, 1)

        tell = begin("spend")
        _spend(outcome, cast)
        tell(1, 1)

        tell = begin("books")
        closed = books.close_the_day(f"user:{cast.official.pk}")
        if isinstance(closed, Refusal):
            outcome.failures.append(closed.en)
        tell(1, 1)

        tell = begin("prove")
        _prove(conf, city, outcome, tell)

        tell = begin("anchor")
        _anchor(conf, city, outcome)
        tell(1, 1)
    return outcome


def _carbon(
    conf: Configuration, city: str, outcome: Outcome, cast: people.Cast,
    series: sites.DemoSites, begin: Callable[[str], Tell],
) -> list[footprint.Claim]:  # fmt: skip
    """From readings to tonnes, credits and inventories; the homes' claims, for their reward."""
    zone, official = city_profile(city).zone, f"user:{cast.official.pk}"
    tell = begin("quantify")
    found = loop.quantify(series, zone, official)
    more = runs.quantify(series.more, conf.data_folder / "measured", zone, official)
    outcome.runs = [found.solar, *found.homes, *more.all()]
    outcome.superseded = more.first.id
    outcome.check(found.solar.co2e_t > 2, "solar: less than two tonnes")
    outcome.check(found.homes[0].measurable, "home 1: savings not measurable")
    outcome.check(isinstance(found.young, Refusal), "home 2 was measured on a short baseline")
    outcome.check(more.first.id != more.office.id, "late readings changed no run")
    _recompute_all(city, outcome, tell)

    tell = begin("claim")
    solar, homes = loop.claim(found, official)
    office, plant = runs.claim(more, official)
    outcome.claims = [solar, *homes, office, plant]
    outcome.failures.extend(runs.claimed_again(more, found, official))
    outcome.refused = runs.attempts_kept(outcome.runs)
    outcome.check(outcome.refused >= 4, "a refused claim was not written down")
    tell(1, 1)

    tell = begin("credit")
    outcome.batch = loop.credit(solar, cast)
    outcome.retired = loop.RETIRED_TONNES
    plan.adopt(official, found.solar, more.office)
    tell(1, 1)

    begin("route")
    outcome.certified = route.walk(more, office, cast, zone)
    _trade(outcome, outcome.certified, cast, begin)

    tell = begin("inventory")
    approver = f"user:{cast.approver.pk}"
    outcome.inventories = inventories.compile_all(series, official, approver, tell)
    outcome.failures.extend(inventories.wrong(outcome.inventories))
    return homes


def _spend(outcome: Outcome, cast: people.Cast) -> None:
    """Payments, then a charge, a payment with cashback and a gift; the books must balance."""
    outcome.payments = loop.spend(cast)
    outcome.check(all(p.state == "applied" for p in outcome.payments), "a payment is open")
    outcome.failures.extend(own_money.missing(cast))
    for wrong in loop.imbalances():
        outcome.failures.append(f"ledger: {wrong}")


def _recompute_all(city: str, outcome: Outcome, tell: Tell) -> None:
    with transaction() as tx:
        for number, one in enumerate(outcome.runs, start=1):
            again = footprint.recompute(tx, city, one.id)
            outcome.check(again.identical, f"run {one.id} does not recompute to the same bytes")
            tell(number, len(outcome.runs))


def _trade(
    outcome: Outcome, certified: route.Certified, cast: people.Cast,
    begin: Callable[[str], Tell],
) -> None:  # fmt: skip
    """Orders settled and units retired; nothing made or lost by it."""
    outcome.check(route.refused_alone(certified, cast), "who handed a period in certified it")
    tell = begin("trade")
    outcome.traded = trade.trade(certified.project, certified.batches[-1], cast)
    outcome.retired += outcome.traded.retirement.tonnes
    outcome.check(
        all(one.status == "settled" for one in outcome.traded.orders), "an order is not settled"
    )
    outcome.failures.extend(checking.units_out_of_step())
    tell(1, 1)


def _prove(conf: Configuration, city: str, outcome: Outcome, tell: Tell) -> None:
    """Wait until the log has caught up, verify all of it, trace a payment back."""
    import time

    deadline = datetime.now(UTC) + timedelta(seconds=30)
    while True:
        with connect(conf.dsn, city) as conn:
            waiting = proof.status(conn, city, conf.log_home).pending
        if not waiting or datetime.now(UTC) > deadline:
            break
        time.sleep(0.2)
    outcome.check(not waiting, "the log has not caught up after 30 s")
    with connect(conf.dsn, city) as conn:
        report = proof.verify(conn, city, conf.log_home, log_sources(), progress=tell)
    outcome.leaves, outcome.verified = report.leaves, report.ok
    outcome.accepted, said = checking.second_opinion(
        [run for run in outcome.runs if run.measurable]
    )
    outcome.failures.extend(said)
    outcome.failures.extend(finding.en for finding in report.findings)
    passed: set[str] = set()
    for payment in outcome.payments:
        found = tracer.trace_back(city, "transfer", str(payment.transfer_id))
        if isinstance(found, Refusal):
            outcome.failures.append(found.en)
            continue
        outcome.trace_steps = max(outcome.trace_steps, len(found.steps))
        passed.update(found.stations)
    outcome.check(
        {"spend", "reward", "claim", "quantify", "measure"} <= passed,
        "the payments do not lead back to the meters",
    )


def _anchor(conf: Configuration, city: str, outcome: Outcome) -> None:
    """Anchor the newest checkpoint and ask the chain for it; nothing where no chain is set up."""
    answers = anchoring.anchor_city_now(conf, city, loop.CLOCK, wait_s=60)
    places = {place.place: place for place in anchoring.open_places(conf)}
    for answer in answers:
        if isinstance(answer, Refusal):
            outcome.failures.append(f"anchor: {answer.en}")
            continue
        checkpoint = Checkpoint(proof.origin(city, answer.year), answer.size, answer.root)
        check = places[answer.place].verify(checkpoint, answer.proof)
        outcome.anchored, outcome.anchor_held = answer, check.holds
        outcome.failures.extend(finding.en for finding in check.findings)
    outcome.check(outcome.anchor_held or not places, "no checkpoint was anchored")


def demo_logins() -> list[tuple[str, str]]:
    """(role, e-mail) of everybody who can be signed in as."""
    roles = ("citizen1", "merchant1", "official1", "approver1", "verifier1", "buyer1", "operator1")
    return [(name.rstrip("1"), people.email(name)) for name in roles]
