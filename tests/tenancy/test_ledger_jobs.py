"""The minute job hands scheduled transfers in, once, for every city."""

from datetime import UTC, datetime, timedelta

import pytest

from onsil import ledger
from onsil.core.clock import FixedClock
from onsil.ledger import AccountSpec, Leg, TransferRequest
from onsil.tenancy import jobs, transaction

CITY = "pyeongtaek"


@pytest.mark.django_db
def test_scheduled_transfers_go_to_the_writer_when_they_are_due():
    clock = FixedClock(datetime(2026, 3, 1, tzinfo=UTC))
    leg = Leg("external:bank", "trust:local", "KRW", 5)
    with transaction(CITY) as tx:
        bank = AccountSpec("external:bank", "KRW", minimum=None)
        specs = [bank, AccountSpec("trust:local", "KRW")]
        ledger.open_accounts(tx, CITY, specs)
        request = TransferRequest("later", "test", (leg,))
        answer = ledger.schedule(tx, CITY, request, clock.now() + timedelta(hours=1))
    assert answer.state == "pending"
    assert jobs.hand_in_due(clock) == 0
    clock.advance(timedelta(hours=1))
    assert jobs.hand_in_due(clock) == 1
    jobs.run_due(0)  # what the worker calls: nothing is left for it
    with transaction(CITY) as tx:
        assert ledger.drain(tx, CITY, clock) == 1
        assert ledger.balance(tx, CITY, "trust:local", "KRW") == 5
