"""Posting on a real database: the money flow, refusals, idempotency, statements, reversal."""

from datetime import UTC, datetime, timedelta

import pytest

from onsil import ledger
from onsil.core.clock import FixedClock
from onsil.ledger import AccountSpec, Answer, Leg, LotFilter, LotTerms, TransferRequest

CITY = "pyeongtaek"
LOCAL = f"local:{CITY}"
POINT = "point:saving"
MINJI, SEOYUN, SHOP = "citizen:1", "citizen:2", "merchant:1"


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(datetime(2026, 3, 1, tzinfo=UTC))


@pytest.fixture
def books(conn):
    """A city's accounts, nothing in them yet."""
    ledger.open_accounts(
        conn,
        CITY,
        [
            AccountSpec("external:bank", "KRW", "external", minimum=None),
            AccountSpec("budget:saving:2026", "KRW", "budget"),
            AccountSpec("reserve:points", "KRW", "reserve"),
            AccountSpec("trust:local", "KRW", "trust"),
            AccountSpec("issuer:point", POINT, "issuer", minimum=None),
            AccountSpec("issuer:local", LOCAL, "issuer", minimum=None),
            AccountSpec(MINJI, POINT, "citizen", lots=True),
            AccountSpec(MINJI, LOCAL, "citizen", maximum=500_000, lots=True),
            AccountSpec(SEOYUN, LOCAL, "citizen", lots=True),
            AccountSpec(SHOP, LOCAL, "merchant", lots=True),
        ],
    )
    return conn


def request(key: str, *legs: Leg, kind: str = "test", **more) -> TransferRequest:
    return TransferRequest(key, kind, legs, **more)


def fund(amount: int, key: str = "fund") -> TransferRequest:
    return request(key, Leg("external:bank", "budget:saving:2026", "KRW", amount))


def award(key: str, points: int, expires_at: datetime | None = None) -> TransferRequest:
    terms = LotTerms("city", expires_at, origin_kind="award", origin_id=key)
    return request(
        key,
        Leg("issuer:point", MINJI, POINT, points, lot=terms),
        Leg("budget:saving:2026", "reserve:points", "KRW", points),
        kind="award",
        origin_kind="award",
        origin_id=key,
    )


def convert(key: str, points: int, rule: str = "") -> TransferRequest:
    terms = LotTerms("city", merchant_rule=rule, origin_kind="conversion", origin_id=key)
    return request(
        key,
        Leg(MINJI, "issuer:point", POINT, points),
        Leg("issuer:local", MINJI, LOCAL, points, lot=terms),
        Leg("reserve:points", "trust:local", "KRW", points),
        kind="conversion",
    )


def pay(key: str, amount: int, only: LotFilter | None = None) -> TransferRequest:
    return request(key, Leg(MINJI, SHOP, LOCAL, amount, only=only), kind="payment")


def codes(given: dict[str, Answer]) -> dict[str, str]:
    return {k: a.refusal.code if a.refusal is not None else a.state for k, a in given.items()}


def test_an_award_becomes_a_payment_and_everything_adds_up(books, clock):
    given = ledger.post(
        books, CITY, [fund(10_000), award("a", 3_000), convert("c", 2_000), pay("p", 1_500)], clock
    )
    assert set(codes(given).values()) == {"applied"}
    assert ledger.balance(books, CITY, MINJI, POINT) == 1_000
    assert ledger.balance(books, CITY, MINJI, LOCAL) == 500
    assert ledger.balance(books, CITY, SHOP, LOCAL) == 1_500
    assert ledger.conservation(books, CITY) == []


def test_a_refusal_tells_what_is_there_and_leaves_the_rest_of_the_batch_alone(books, clock):
    given = ledger.post(
        books, CITY, [fund(1_000), award("big", 1_001), award("fits", 1_000)], clock
    )
    assert codes(given) == {"fund": "applied", "big": "insufficient-balance", "fits": "applied"}
    refusal = given["big"].refusal
    assert refusal is not None
    assert refusal.facts["available"] == 1_000
    assert refusal.facts["needed"] == 1_001
    assert "1,000" in refusal.ko
    assert "1,001" in refusal.en
    assert ledger.balance(books, CITY, MINJI, POINT) == 1_000  # the refused leg left nothing
    assert ledger.conservation(books, CITY) == []
