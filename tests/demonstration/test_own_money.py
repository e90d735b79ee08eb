"""The demonstration's money of a citizen's own: charged, spent, given; again changes nothing."""

import threading
from collections.abc import Iterator

import pytest

from onsil import ledger
from onsil.core.clock import SystemClock
from onsil.demonstration import cast, loop, own_money
from onsil.rewards import services as rewards
from onsil.supervisor.postgres import EmbeddedPostgres
from onsil.tenancy import city_scope
from own_database import own_database

CITY = "pyeongtaek"


@pytest.fixture
def town(postgres: EmbeddedPostgres, django_db_blocker) -> Iterator[None]:
    """A city on a database of its own with its posting writer."""
    stop = threading.Event()
    with own_database(postgres, django_db_blocker) as dsn:
        writer = threading.Thread(target=ledger.run_writer, args=(dsn, SystemClock(), stop))
        writer.start()
        try:
            with city_scope(CITY):
                rewards.load_programmes(CITY)
                yield
        finally:
            stop.set()
            writer.join(20)


def test_it_is_done_once_however_often_it_is_run(town: None) -> None:
    people = cast.assemble()
    order, payment, gift = own_money.charge_pay_and_give(people)
    assert (order.outcome, payment.state, gift.end) == ("done", "applied", "accepted")
    assert {c.funder: c.amount for c in payment.cashbacks.all()} == {"city": 1_000, "shop": 200}
    again = own_money.charge_pay_and_give(cast.assemble())
    assert tuple(row.pk for row in again) == (order.pk, payment.pk, gift.pk)
    assert loop.imbalances() == []
