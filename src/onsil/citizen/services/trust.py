"""The trust's daily proof for officials and the public: made once a day, told as it was."""

import logging

from onsil import proof
from onsil.citizen.services import rulebook
from onsil.citizen.services.postings import SYSTEM
from onsil.core.clock import Clock
from onsil.core.periods import local_day
from onsil.ledger import reconciliation, trust_reports
from onsil.ledger.circulation import Backing, backing
from onsil.ledger.rules.trust import TrustProof
from onsil.ledger.trust_reports import TrustReport
from onsil.tenancy import current_city, transaction
from onsil.tenancy.cities import city as city_profile

JOB = "job:trust-report"
_log = logging.getLogger(__name__)


def record(*, actor: str = JOB, clock: Clock = SYSTEM) -> TrustReport:
    """Today's report, made now if there is none yet, with its leaf in the transparency log."""
    city = current_city()
    profile = city_profile(city)
    rule = rulebook.rules_at(profile, clock.now()).trust
    with transaction() as tx:
        known = trust_reports.report_of(tx, city, local_day(clock.now(), profile.zone))
        made = trust_reports.record(tx, city, rule, clock, profile.zone)
        if known is None:
            proof.audit(
                tx, city, actor, "trust-report.made", "trust-report", str(made.id), None,
                {"day": made.day.isoformat(), "covered": made.covered, "surplus_krw": made.surplus},
            )  # fmt: skip
    if not made.covered:
        _log.error("%s: the trust falls short by %s won on %s", city, -made.surplus, made.day)
    return made


def now(*, clock: Clock = SYSTEM) -> tuple[TrustProof, Backing]:
    """The proof as of now and what circulates, without recording anything."""
    city = current_city()
    rule = rulebook.rules_at(city_profile(city), clock.now()).trust
    with transaction() as tx:
        found = backing(tx, city)
        return trust_reports.prove(tx, city, rule, clock), found


def rests_on_simulation() -> bool:
    """Whether any of the bank's files came from a simulator, so that pages can say so."""
    with transaction() as tx:
        return reconciliation.has_simulated(tx, current_city())


def reports(limit: int = 90) -> list[TrustReport]:
    """The newest reports first."""
    with transaction() as tx:
        return trust_reports.reports(tx, current_city(), limit)


def latest() -> TrustReport | None:
    """The newest report; None before the first."""
    return next(iter(reports(1)), None)
