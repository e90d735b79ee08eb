"""What the worker does by itself for the data sets and the market."""

import logging

from procrastinate.contrib.django import app

from onsil.core.clock import SystemClock
from onsil.footprint.market import lapse_orders
from onsil.tenancy import transaction
from onsil.tenancy.caring import keep_history_to_its_term, measure_data_sets
from onsil.tenancy.cities import all_cities

_log = logging.getLogger(__name__)


@app.periodic(cron="15 * * * *")
@app.task(name="data-sets.day", queueing_lock="data-sets.day")
def day(timestamp: int) -> None:
    """Once a city's day is over: measure its data sets, and keep their history to its term.

    Hourly, so that each zone's midnight is met; a day that was measured is not measured again.
    """
    for code, city in all_cities().items():
        measured = measure_data_sets(city)
        if measured:
            _log.info("%s: quality of %d days of data sets measured", code, measured)
        keep_history_to_its_term(city)


@app.periodic(cron="5 * * * *")
@app.task(name="market.lapse", queueing_lock="market.lapse")
def lapse(timestamp: int) -> None:
    """Close orders whose time is over; what was in escrow goes back to the buyers."""
    for city in all_cities():
        with transaction(city) as conn:
            closed = lapse_orders(conn, city, "system", SystemClock())
        if closed:
            _log.info("%s: %d orders lapsed", city, len(closed))
