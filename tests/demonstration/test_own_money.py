"""The demonstration's money of a citizen's own: charged, spent, given; again changes nothing."""

import threading
from collections.abc import Iterator
from uuid import uuid4

import pytest
from django.db import connections

from onsil import ledger
from onsil.core.clock import SystemClock
from onsil.demonstration import cast, loop, own_money
from onsil.rewards import services as rewards
from onsil.supervisor.postgres import EmbeddedPostgres
from onsil.tenancy import city_scope
from onsil.web.settings import _database

CITY = "pyeongtaek"


@pytest.fixture
def town(postgres: EmbeddedPostgres, django_db_blocker) -> Iterator[None]:
    """A city on a database of its own with its posting writer."""
    name = f"own_{uuid4().hex[:12]}"
    dsn = postgres.create_database(name, "onsil_template")
    table = connections["default"].settings_dict
    before = {key: table[key] for key in ("NAME", "HOST", "USER", "OPTIONS")}
    stop = threading.Event()
    writer = threading.Thread(target=ledger.run_writer, args=(dsn, SystemClock(), stop))
    with django_db_blocker.unblock():
        connections["default"].close()
        table.update(_database(dsn))
        table["OPTIONS"]["assume_role"] = "onsil_app"  # pyright: ignore
        writer.start()
        try:
            with city_scope(CITY):
                rewards.load_programmes(CITY)
                yield
        finally:
            stop.set()
            writer.join(20)
            connections["default"].close()
    table.update(before)
    postgres.drop_database(name)


def test_it_is_done_once_however_often_it_is_run(town: None) -> None:
    people = cast.assemble()
    order, payment, gift = own_money.charge_pay_and_give(people)
    assert (order.outcome, payment.state, gift.end) == ("done", "applied", "accepted")
    assert {c.funder: c.amount for c in payment.cashbacks.all()} == {"city": 1_000, "shop": 200}
    again = own_money.charge_pay_and_give(cast.assemble())
    assert tuple(row.pk for row in again) == (order.pk, payment.pk, gift.pk)
    assert loop.imbalances() == []
