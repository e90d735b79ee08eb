"""What the worker does for the data sets by itself."""

import logging

from procrastinate.contrib.django import app

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
