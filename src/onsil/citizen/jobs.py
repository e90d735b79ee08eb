"""What the worker does for this room by itself."""

import logging

from procrastinate.contrib.django import app

from onsil.citizen.services import (
    budgets,
    cashbacks,
    charges,
    deposits,
    erasure,
    expiry,
    gifts,
    payouts,
    settlements,
    trust,
)
from onsil.core.refusal import OperationError
from onsil.tenancy import city_scope
from onsil.tenancy.cities import all_cities

_log = logging.getLogger(__name__)


@app.periodic(cron="5 * * * *")
@app.task(name="citizen.day")
def day(timestamp: int) -> None:
    """What a new day brings, in every city: people are told what ends soon, expired value leaves
    wallets, then the trust's proof is recorded. Hourly, so that each zone's midnight is met; a
    day's work is done once."""
    for city in all_cities():
        with city_scope(city):
            told = expiry.tell()
            if told:
                _log.info("%s: %s letters about value that ends soon", city, told)
            for asset, wallets in expiry.run().items():
                if wallets:
                    _log.info("%s: %s expired in %s wallets", city, asset, wallets)
            made = trust.record()
            _log.info("%s: trust report of %s, surplus %s won", city, made.day, made.surplus)


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


@app.periodic(cron="*/10 * * * *")
@app.task(name="citizen.tidy_wallets")
def tidy_wallets(timestamp: int) -> None:
    """Let orders and gifts lapse whose time is over; give cashback that a crash left ungiven."""
    for city in all_cities():
        with city_scope(city):
            deposits.refresh_open()
            lapsed = charges.lapse_due() + gifts.lapse_due()
            seen = cashbacks.reward_due()
            if lapsed or seen:
                _log.info("%s: %s lapsed, %s payments looked at for cashback", city, lapsed, seen)


@app.periodic(cron="40 18 * * *")
@app.task(name="citizen.erase_due")
def erase_due(timestamp: int) -> None:
    """Erase what the law no longer asks to keep of people who were erased; nightly in Korea."""
    for city in all_cities():
        with city_scope(city):
            gone = erasure.erase_due()
            if gone:
                _log.info("%s: %s leaves of erased people are past their keeping", city, gone)
