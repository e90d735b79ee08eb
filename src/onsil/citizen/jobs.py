"""What the worker does for this room by itself."""

import logging

from procrastinate.contrib.django import app

from onsil.citizen.services import budgets, payouts, settlements
from onsil.core.refusal import OperationError
from onsil.tenancy import city_scope
from onsil.tenancy.cities import all_cities

_log = logging.getLogger(__name__)


@app.periodic(cron="20 * * * *")
@app.task(name="citizen.settle")
def settle(timestamp: int) -> None:
    """Settle every finished day of every city; hourly, so that each zone's midnight is met."""
    for city in all_cities():
        with city_scope(city):
            try:
                budgets.fund_budgets()
                for made in settlements.build_due():
                    _log.info("%s: settled %s, %s won", city, made.day, made.net)
                for made in payouts.pay_due():
                    _log.info("%s: paid out %s", city, made.day)
            except OperationError as error:
                if not error.retry:
                    raise
                _log.warning("%s; trying again in an hour", error)
