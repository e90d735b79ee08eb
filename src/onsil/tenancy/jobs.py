"""What the worker does for the ledger, which has no jobs of its own: what is due is handed in."""

import logging

from procrastinate.contrib.django import app

from onsil import ledger
from onsil.core.clock import Clock, SystemClock
from onsil.tenancy.cities import all_cities
from onsil.tenancy.scope import transaction

_log = logging.getLogger(__name__)


@app.periodic(cron="* * * * *")
@app.task(name="ledger.run_due")
def run_due(timestamp: int) -> None:
    """Hand every city's scheduled transfers to the posting writer once they are due; each minute.

    Pending transfers past their time-out need no job: the writer releases them itself.
    """
    hand_in_due(SystemClock())


def hand_in_due(clock: Clock) -> int:
    """The same at an instant; how many were handed in."""
    handed_in = 0
    for city in all_cities():
        with transaction(city) as tx:
            due = ledger.run_due(tx, city, clock)
        if due:
            _log.info("%s: handed in %s scheduled transfers", city, due)
        handed_in += due
    return handed_in
