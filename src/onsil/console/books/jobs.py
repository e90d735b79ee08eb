"""What the worker does for the books by itself."""

import logging

from procrastinate.contrib.django import app

from onsil.console.books import work
from onsil.tenancy.cities import all_cities

_log = logging.getLogger(__name__)
_MORNING = 8


@app.periodic(cron="40 * * * *")
@app.task(name="books.reconcile", queueing_lock="books.reconcile")
def reconcile(timestamp: int) -> None:
    """Every hour: show new money to who waits for it, and match what the rules explain."""
    for city in all_cities():
        work.show_money(city, work.CLOCK)
        for account, report in work.run_rules(city, work.CLOCK).items():
            if report.matches:
                _log.info("%s %s: %d matches", city, account, report.matches)


@app.periodic(cron="50 * * * *")
@app.task(name="books.close", queueing_lock="books.close")
def close(timestamp: int) -> None:
    """In each city's own morning: close yesterday if everything is in order."""
    for code, city in all_cities().items():
        now = work.CLOCK.now()
        if now.astimezone(city.zone).hour < _MORNING:
            continue
        closed, no = work.close_yesterday(code, work.CLOCK)
        for one in closed:
            _log.info("%s: closed %s", code, one.day)
        if no is not None:
            _log.info("%s: %s", code, no.en)
