"""Work done in the background: awards decided, handed to the ledger, and answered."""

import logging
from datetime import UTC, datetime, timedelta

from procrastinate.contrib.django import app

from onsil.core.periods import Period
from onsil.rewards import services
from onsil.tenancy import transaction
from onsil.tenancy.cities import all_cities

_log = logging.getLogger(__name__)
# Windows are looked at again for as long as any programme takes late evidence for them.
LOOK_BACK = timedelta(days=400)


@app.periodic(cron="20 1 * * *")
@app.task(name="rewards.decide", queueing_lock="rewards.decide")
def decide_awards(timestamp: int) -> None:
    """Every night: decide the windows that are over, for every city and programme."""
    now = datetime.fromtimestamp(timestamp, UTC)
    for city in all_cities():
        with transaction(city):
            codes = [terms.code for terms in services.programmes(city)]
        for code in codes:
            report = services.decide(city, code, Period(now - LOOK_BACK, now), actor="job:rewards")
            if not isinstance(report, services.DecideReport):
                _log.warning("%s %s: %s", city, code, report.en)
                continue
            made = len(report.decisions)
            _log.info("%s %s: %d decisions, %d points", city, code, made, report.points)
        for status in services.budget_status(city):
            if status.warning:
                _log.warning("%s %s: %s", city, status.programme, status.message.en)


@app.periodic(cron="* * * * *")
@app.task(name="rewards.post", queueing_lock="rewards.post")
def post_awards(timestamp: int) -> None:
    """Every minute: hand decided awards to the ledger and take its answers in."""
    for city in all_cities():
        report = services.post_awards(city)
        if report.refused:
            _log.warning("%s: the ledger refused %d awards", city, report.refused)


@app.task(name="rewards.load")
def load_programmes(city: str) -> None:
    """Take in a city's programme files after they were changed."""
    report = services.load_programmes(city, actor="job:rewards")
    for problem in report.problems:
        _log.warning("%s: %s", city, problem.en)
