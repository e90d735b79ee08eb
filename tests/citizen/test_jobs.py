"""The worker's hourly round settles what is due, city by city."""

from datetime import timedelta

import pytest
from small_town import Town

from onsil.citizen import jobs
from onsil.citizen.models import Payment
from onsil.citizen.services import codes, payments, settlements
from onsil.core.clock import FixedClock
from onsil.tenancy import city_scope


def test_the_round_settles_yesterday(town: Town):
    yesterday = FixedClock(town.clock.now() - timedelta(days=1))
    shop = town.shop()
    code = codes.show_amount(shop, 500, clock=yesterday)
    row = payments.pay(code.pk, town.citizen(money=500), clock=yesterday)  # pyright: ignore
    assert isinstance(row, Payment)
    with city_scope(""):
        jobs.settle(0)
    (made,) = settlements.settlements()
    assert (made.net, made.made_by) == (500, settlements.JOB)
    with city_scope(""):
        jobs.settle(0)
    assert len(settlements.settlements()) == 1


def test_a_writer_that_is_late_is_waited_for(town: Town, monkeypatch: pytest.MonkeyPatch):
    from onsil.core.refusal import OperationError

    def late(**_: object) -> None:
        raise OperationError("not yet", retry=True)

    monkeypatch.setattr(settlements, "build_due", late)
    with city_scope(""):
        jobs.settle(0)

    def broken(**_: object) -> None:
        raise OperationError("broken", retry=False)

    monkeypatch.setattr(settlements, "build_due", broken)
    with city_scope(""), pytest.raises(OperationError):
        jobs.settle(0)
