"""The daily trust report: right to the won, once a day, and nothing in it can be changed unseen."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import psycopg
import pytest

from onsil import ledger, proof
from onsil.core.clock import FixedClock
from onsil.core.database import Connection, cursor
from onsil.ledger import AccountSpec, Leg, LotTerms, TransferRequest, trust_reports
from onsil.ledger.circulation import backing
from onsil.ledger.rules.trust import TrustRule

CITY, LOCAL = "pyeongtaek", "local:pyeongtaek"
SEOUL = ZoneInfo("Asia/Seoul")
NOW = datetime(2026, 11, 22, 15, 5, tzinfo=UTC)  # five past midnight of the 23rd in Seoul


@pytest.fixture
def town(conn: Connection) -> Connection:
    ledger.open_accounts(
        conn, CITY,
        [
            AccountSpec("external:bank", "KRW", minimum=None), AccountSpec("trust:local", "KRW"),
            AccountSpec("interest:trust", "KRW"), AccountSpec("payable:m", "KRW", "payable"),
            AccountSpec("issuer:local", LOCAL, "issuer", minimum=None),
            AccountSpec("citizen:1", LOCAL, "citizen", lots=True),
            AccountSpec("citizen:2", LOCAL, "citizen", lots=True),
            AccountSpec("merchant:m", LOCAL, "merchant", lots=True),
            AccountSpec("till:old", LOCAL, "merchant"),
        ],
    )  # fmt: skip
    own = LotTerms("own", NOW + timedelta(days=9), "ordinary", True)
    policy = LotTerms("policy:a", NOW + timedelta(days=3), "policy")
    post(
        conn,
        Leg("external:bank", "trust:local", "KRW", 10_000),
        Leg("external:bank", "interest:trust", "KRW", 70),
        Leg("issuer:local", "citizen:1", LOCAL, 6_000, lot=own),
        Leg("issuer:local", "citizen:2", LOCAL, 4_000, lot=policy),
    )
    post(conn, Leg("citizen:1", "merchant:m", LOCAL, 1_500))
    post(conn, Leg("citizen:1", "citizen:2", LOCAL, 200))
    post(conn, Leg("citizen:2", "till:old", LOCAL, 1_000))
    post(
        conn,
        Leg("merchant:m", "issuer:local", LOCAL, 300), Leg("trust:local", "payable:m", "KRW", 300),
    )  # fmt: skip
    return conn


def post(conn: Connection, *legs: Leg) -> None:
    request = TransferRequest(str(uuid4()), "test", legs)
    assert ledger.post(conn, CITY, [request], FixedClock(NOW))[request.key]


def test_everything_that_circulates_is_counted_by_holder_and_fund(town: Connection) -> None:
    found = backing(town, CITY)
    assert (found.trust, found.payable, found.interest, found.circulating) == (
        9_700,
        300,
        70,
        9_700,
    )
    assert sum(x.amount for x in found.held if x.holder == "merchant") == 2_200
    assert found.by_fund() == {"own": 5_700, "policy:a": 3_000, "": 1_000}


def test_a_report_is_made_once_a_day_and_logged(town: Connection) -> None:
    clock = FixedClock(NOW)
    made = trust_reports.record(town, CITY, TrustRule(), clock, SEOUL)
    assert (made.day.isoformat(), made.covered, made.surplus) == ("2026-11-23", True, 0)
    post(town, Leg("external:bank", "trust:local", "KRW", 5))
    assert trust_reports.record(town, CITY, TrustRule(), clock, SEOUL) == made
    clock.advance(timedelta(days=1))
    after = trust_reports.record(town, CITY, TrustRule(), clock, SEOUL)
    assert after.surplus == 5
    assert trust_reports.reports(town, CITY) == [after, made]
    assert [i for i, _ in trust_reports.entry_source.entries(town, CITY)] == [made.id, after.id]
    assert proof.leaf(town, CITY, trust_reports.LEAF, made.id) is not None


def test_a_short_trust_is_told_as_it_is(town: Connection) -> None:
    post(town, Leg("trust:local", "external:bank", "KRW", 1))
    made = trust_reports.record(town, CITY, TrustRule(), FixedClock(NOW), SEOUL)
    assert (made.covered, made.surplus) == (False, -1)


def test_another_city_has_nothing(town: Connection) -> None:
    assert backing(town, "goyang").circulating == 0


def test_a_report_cannot_be_changed(town: Connection) -> None:
    trust_reports.record(town, CITY, TrustRule(), FixedClock(NOW), SEOUL)
    with cursor(town) as run, pytest.raises(psycopg.errors.Error):
        run.execute("UPDATE trust_report SET covered = false WHERE city = %s", (CITY,))
