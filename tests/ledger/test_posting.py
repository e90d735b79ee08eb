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


@pytest.mark.parametrize(
    ("leg", "code"),
    [
        (Leg(MINJI, SHOP, LOCAL, 1), "insufficient-balance"),
        (Leg("issuer:local", MINJI, LOCAL, 500_001), "account-limit"),
        (Leg("issuer:local", "citizen:9", LOCAL, 1), "unknown-account"),
        (Leg("citizen:9", SHOP, LOCAL, 1), "unknown-account"),
        (Leg("issuer:local", "trust:local", LOCAL, 1), "asset-mismatch"),
        (Leg("issuer:local", MINJI, LOCAL, 0), "amount-not-positive"),
        (Leg("issuer:local", MINJI, LOCAL, -5), "amount-not-positive"),
        (Leg("issuer:local", MINJI, LOCAL, True), "amount-not-positive"),
        (Leg("issuer:local", "issuer:local", LOCAL, 1), "same-account"),
        (Leg("issuer:local", MINJI, LOCAL, 2**63), "malformed-request"),
        (Leg("issuer:local", MINJI, LOCAL, 2**70), "malformed-request"),
        (Leg("issuer:local", "a\x00b", LOCAL, 1), "malformed-request"),
        (
            Leg("issuer:local", MINJI, LOCAL, 1, lot=LotTerms(fund="\x00")),
            "malformed-request",
        ),
        (
            Leg("issuer:local", MINJI, LOCAL, 1, lot=LotTerms(expires_at=datetime(2026, 1, 1))),  # noqa: DTZ001
            "malformed-request",
        ),
    ],
)
def test_each_no_has_its_code_and_words_in_both_languages(books, clock, leg, code):
    answer = ledger.post(books, CITY, [request("k", leg)], clock)["k"]
    assert answer.refusal is not None
    assert answer.refusal.code == code
    assert answer.refusal.ko != answer.refusal.en
    assert not answer
    assert ledger.conservation(books, CITY) == []


@pytest.mark.parametrize(
    "broken",
    [
        request("", Leg("issuer:local", MINJI, LOCAL, 1)),
        request("k" * 201, Leg("issuer:local", MINJI, LOCAL, 1)),
        request("k\x00", Leg("issuer:local", MINJI, LOCAL, 1)),
        request("k"),
        request("k", Leg("issuer:local", MINJI, LOCAL, 1), memo="m" * 1001),
        request("k", Leg("issuer:local", MINJI, LOCAL, 1), effective_at=datetime(2026, 1, 1)),  # noqa: DTZ001
    ],
)
def test_a_malformed_request_is_refused_and_harms_nobody(books, clock, broken):
    given = ledger.post(books, CITY, [broken, fund(5)], clock)
    assert codes(given) == {broken.key: "malformed-request", "fund": "applied"}
    assert codes(ledger.submit(books, CITY, [broken])) == {broken.key: "malformed-request"}


def test_the_same_request_again_is_told_as_replayed_and_moves_nothing(books, clock):
    first = ledger.post(books, CITY, [fund(100)], clock)["fund"]
    again = ledger.post(books, CITY, [fund(100)], clock)["fund"]
    assert (first.state, again.state) == ("applied", "replayed")
    assert again.transfer_id == first.transfer_id
    assert again.repeated
    assert ledger.balance(books, CITY, "budget:saving:2026", "KRW") == 100


def test_another_request_under_a_used_key_is_refused_whatever_became_of_the_first(books, clock):
    ledger.post(books, CITY, [fund(100), award("a", 500)], clock)
    given = ledger.post(books, CITY, [fund(200), award("a", 50)], clock)
    assert codes(given) == {"fund": "key-reused", "a": "key-reused"}
    assert ledger.balance(books, CITY, "budget:saving:2026", "KRW") == 100


def test_a_refused_key_stays_refused_even_when_the_money_is_there_later(books, clock):
    ledger.post(books, CITY, [award("a", 500)], clock)
    given = ledger.post(books, CITY, [fund(1_000), award("a", 500)], clock)
    assert codes(given) == {"fund": "applied", "a": "insufficient-balance"}
    assert given["a"].repeated
    assert codes(ledger.post(books, CITY, [award("a-2", 500)], clock)) == {"a-2": "applied"}


def test_a_key_used_twice_in_one_batch_is_decided_once(books, clock):
    given = ledger.post(books, CITY, [fund(100), fund(100), fund(300)], clock)
    assert given["fund"].state == "applied"
    assert ledger.balance(books, CITY, "budget:saving:2026", "KRW") == 100


def test_bound_lots_go_first_then_the_earliest_expiry_then_the_oldest(books, clock):
    soon, late = (clock.now() + timedelta(days=d) for d in (10, 100))

    def issue(key: str, **terms) -> TransferRequest:
        lot = LotTerms(fund=key, **terms)
        return request(key, Leg("issuer:local", MINJI, LOCAL, 100, lot=lot))

    ledger.post(
        books,
        CITY,
        [
            issue("plain-1"),
            issue("late", expires_at=late),
            issue("soon", expires_at=soon),
            issue("plain-2"),
            issue("market", merchant_rule="market"),
        ],
        clock,
    )
    order = [lot.terms.fund for lot in ledger.lots(books, CITY, MINJI, LOCAL)]
    assert order == ["market", "soon", "late", "plain-1", "plain-2"]
    ledger.post(books, CITY, [pay("p", 350)], clock)
    left = [(lot.terms.fund, lot.amount) for lot in ledger.lots(books, CITY, MINJI, LOCAL)]
    assert left == [("plain-1", 50), ("plain-2", 100)]
    got = [(lot.terms.fund, lot.amount) for lot in ledger.lots(books, CITY, SHOP, LOCAL)]
    assert got == [("market", 100), ("soon", 100), ("late", 100), ("plain-1", 50)]


def test_value_bound_to_other_places_or_expired_cannot_pay(books, clock):
    issue = [
        request("m", Leg("issuer:local", MINJI, LOCAL, 100, lot=LotTerms(merchant_rule="market"))),
        request(
            "e",
            Leg(
                "issuer:local", MINJI, LOCAL, 100,
                lot=LotTerms(expires_at=clock.now() + timedelta(days=1)),
            ),
        ),
        request("f", Leg("issuer:local", MINJI, LOCAL, 100)),
    ]  # fmt: skip
    ledger.post(books, CITY, issue, clock)
    clock.advance(timedelta(days=1))
    elsewhere = LotFilter(merchant_rules=frozenset({"cafe"}))
    given = ledger.post(books, CITY, [pay("no", 101, elsewhere), pay("yes", 100, elsewhere)], clock)
    assert codes(given) == {"no": "lot-rule", "yes": "applied"}
    assert given["no"].refusal is not None
    assert given["no"].refusal.facts["usable"] == 100
    market = LotFilter(merchant_rules=frozenset({"market"}))
    given = ledger.post(books, CITY, [pay("no2", 101, market), pay("yes2", 100, market)], clock)
    assert codes(given) == {"no2": "lot-rule", "yes2": "applied"}
    lapse = request("lapse", Leg(MINJI, "issuer:local", LOCAL, 100, only=LotFilter(expired=True)))
    assert codes(ledger.post(books, CITY, [lapse], clock)) == {"lapse": "applied"}
    # Issued without cover on purpose: 200 are with the shop, and the check says so.
    assert [(i.code, i.facts["circulating"]) for i in ledger.conservation(books, CITY)] == [
        ("trust-short", 200)
    ]


def test_value_that_carries_terms_cannot_be_given_others(books, clock):
    launder = request("l", Leg(MINJI, SHOP, LOCAL, 50, lot=LotTerms(refundable=True)))
    start = request("s", Leg("issuer:local", MINJI, LOCAL, 50))
    assert codes(ledger.post(books, CITY, [start, launder], clock))["l"] == "lot-terms-fixed"


def test_a_closed_account_moves_nothing_and_only_an_empty_one_is_closed(books, clock):
    ledger.post(books, CITY, [fund(10)], clock)
    full = ledger.close_account(books, CITY, "budget:saving:2026", "KRW", clock)
    assert not isinstance(full, ledger.Account)
    assert full.code == "account-not-empty"
    closed = ledger.close_account(books, CITY, SHOP, LOCAL, clock)
    assert isinstance(closed, ledger.Account)
    assert closed.closed_at == clock.now()
    given = ledger.post(books, CITY, [request("k", Leg("issuer:local", SHOP, LOCAL, 1))], clock)
    assert codes(given) == {"k": "account-closed"}


def test_limits_hold_from_when_they_are_set(books, clock):
    ledger.post(books, CITY, [fund(100)], clock)
    no = ledger.set_limits(books, CITY, "budget:saving:2026", "KRW", 0, 99)
    assert not isinstance(no, ledger.Account)
    assert no.code == "limits-not-met"
    ledger.set_limits(books, CITY, "budget:saving:2026", "KRW", 0, 100)
    assert codes(ledger.post(books, CITY, [fund(1, "more")], clock)) == {"more": "account-limit"}


def test_a_statement_pages_back_with_running_balances(books, clock):
    for n in range(1, 6):
        ledger.post(books, CITY, [fund(n, f"f{n}")], clock)
    ledger.post(books, CITY, [award("a", 4)], clock)
    first = ledger.statement(books, CITY, "budget:saving:2026", "KRW", limit=4)
    assert [(e.amount, e.balance) for e in first] == [(-4, 11), (5, 15), (4, 10), (3, 6)]
    assert first[0].counterpart == "reserve:points"
    assert (first[0].kind, first[0].origin_id) == ("award", "a")
    rest = ledger.statement(
        books, CITY, "budget:saving:2026", "KRW", limit=4, before=first[-1].transfer_id
    )
    assert [(e.amount, e.balance) for e in rest] == [(2, 3), (1, 1)]


def test_a_balance_is_known_at_any_past_instant_of_either_time(books, clock):
    start = clock.now()
    ledger.post(books, CITY, [fund(10, "f1")], clock)
    clock.advance(timedelta(days=2))
    early = start + timedelta(days=1)
    late = TransferRequest("f2", "test", fund(5).legs, effective_at=early)
    ledger.post(books, CITY, [late], clock)

    def at(instant: datetime, axis) -> int:
        return ledger.balance_at(books, CITY, "budget:saving:2026", "KRW", instant, axis=axis)

    assert (at(early, "recorded"), at(early, "effective")) == (10, 15)
    assert at(clock.now(), "recorded") == 15
    assert at(start - timedelta(seconds=1), "effective") == 0


def test_recorded_time_and_ids_never_go_back_when_the_clock_does(books, clock):
    first = ledger.post(books, CITY, [fund(1, "f1")], clock)["f1"].transfer_id
    clock.advance(timedelta(days=-30))
    second = ledger.post(books, CITY, [fund(2, "f2")], clock)["f2"].transfer_id
    assert first is not None
    assert second is not None
    assert first < second
    entries = ledger.statement(books, CITY, "budget:saving:2026", "KRW")
    assert [e.amount for e in entries] == [2, 1]
    assert entries[0].at >= entries[1].at


def test_a_reversal_gives_every_lot_its_value_back_once(books, clock):
    soon = clock.now() + timedelta(days=10)
    ledger.post(
        books, CITY, [fund(900), award("a", 300, soon), award("b", 300), convert("c", 400)], clock
    )
    before = ledger.lots(books, CITY, MINJI, LOCAL), ledger.lots(books, CITY, MINJI, POINT)
    paid = ledger.post(books, CITY, [pay("p", 250)], clock)["p"].transfer_id
    assert paid is not None
    undone = ledger.reverse(books, CITY, paid, "undo", clock)
    assert isinstance(undone, Answer)
    assert undone.state == "applied"
    assert (
        ledger.lots(books, CITY, MINJI, LOCAL),
        ledger.lots(books, CITY, MINJI, POINT),
    ) == before
    assert ledger.balance(books, CITY, SHOP, LOCAL) == 0
    again = ledger.reverse(books, CITY, paid, "undo-2", clock)
    assert isinstance(again, Answer)
    assert codes({"x": again}) == {"x": "already-reversed"}
    assert undone.transfer_id is not None
    twice = ledger.reverse(books, CITY, undone.transfer_id, "redo", clock)
    assert getattr(twice, "code", "") == "not-reversible"
    done = ledger.transfer(books, CITY, paid)
    assert done is not None
    assert done.reversed_by == undone.transfer_id
    assert ledger.conservation(books, CITY) == []


def test_a_conversion_is_reversed_across_all_its_assets(books, clock):
    ledger.post(books, CITY, [fund(900), award("a", 300)], clock)
    done = ledger.post(books, CITY, [convert("c", 200)], clock)["c"].transfer_id
    assert done is not None
    ledger.reverse(books, CITY, done, "undo", clock)
    assert ledger.balance(books, CITY, MINJI, POINT) == 300
    assert ledger.balance(books, CITY, MINJI, LOCAL) == 0
    assert ledger.balance(books, CITY, "reserve:points", "KRW") == 300
    assert ledger.conservation(books, CITY) == []


def test_what_has_been_spent_on_cannot_be_reversed(books, clock):
    ledger.post(books, CITY, [fund(900), award("a", 300), convert("c", 200), pay("p", 150)], clock)
    issued = ledger.transfers_of(books, CITY, "award", "a")[0].id
    answer = ledger.reverse(books, CITY, issued, "undo", clock)
    assert isinstance(answer, Answer)
    assert answer.refusal is not None
    assert answer.refusal.code in ("lot-rule", "insufficient-balance")
    assert ledger.conservation(books, CITY) == []


def test_a_payment_is_traced_back_to_what_it_was_issued_for(books, clock):
    ledger.open_accounts(books, CITY, [AccountSpec("merchant:2", LOCAL, "merchant", lots=True)])
    ledger.post(books, CITY, [fund(900), award("a", 300), convert("c", 200), pay("p", 150)], clock)
    onward = request("o", Leg(SHOP, "merchant:2", LOCAL, 100), kind="payment")
    last = ledger.post(books, CITY, [onward], clock)["o"].transfer_id
    assert last is not None
    steps = ledger.trace_back(books, CITY, last)
    assert [(s.depth, s.kind, s.amount, s.issued) for s in steps] == [
        (0, "payment", 100, False),
        (1, "payment", 100, False),
        (2, "conversion", 100, True),
    ]
    assert (steps[2].origin_kind, steps[2].origin_id) == ("conversion", "c")
    spent = ledger.transfer(books, CITY, steps[2].transfer_id)
    assert spent is not None
    back = ledger.trace_back(books, CITY, spent.id)
    assert ("award", "a") in {(s.origin_kind, s.origin_id) for s in back if s.depth == 1}
    (lot,) = ledger.lots(books, CITY, "merchant:2", LOCAL)
    (brought,) = ledger.credits_of(books, CITY, "merchant:2", LOCAL, lot.terms, *lot.spans[0])
    assert (brought.transfer_id, brought.amount) == (last, 100)
    (took,) = ledger.debits_of(books, CITY, SHOP, LOCAL, lot.terms, 0, 150)
    assert (took.transfer_id, took.amount) == (last, 100)


def test_opening_again_changes_nothing_and_lots_cannot_be_switched(books):
    from onsil.core.refusal import OperationError

    spec = AccountSpec(MINJI, LOCAL, "citizen", maximum=1, lots=True)
    assert ledger.open_accounts(books, CITY, [spec])[MINJI, LOCAL].maximum == 500_000
    with pytest.raises(OperationError, match="lots"):
        ledger.open_accounts(books, CITY, [AccountSpec(MINJI, LOCAL, "citizen")])


def test_requests_handed_in_wait_for_the_writer_and_are_then_answered(books, clock):
    assert codes(ledger.submit(books, CITY, [fund(10), award("a", 11)])) == {
        "fund": "pending",
        "a": "pending",
    }
    assert codes(ledger.answers(books, CITY, ["fund", "nobody"])) == {"fund": "pending"}
    assert codes(ledger.submit(books, CITY, [fund(10)])) == {"fund": "pending"}
    assert codes(ledger.submit(books, CITY, [fund(11)])) == {"fund": "key-reused"}
    assert ledger.drain(books, CITY, clock) == 2
    assert ledger.drain(books, CITY, clock) == 0
    assert codes(ledger.answers(books, CITY, ["fund", "a"])) == {
        "fund": "applied",
        "a": "insufficient-balance",
    }
    assert codes(ledger.submit(books, CITY, [fund(10)])) == {"fund": "replayed"}
    assert codes(ledger.submit(books, CITY, [fund(11)])) == {"fund": "key-reused"}
    assert codes(ledger.answers(books, CITY, [fund(11)])) == {"fund": "key-reused"}
    assert codes(ledger.answers(books, CITY, [fund(10)])) == {"fund": "applied"}


def test_texts_with_quotes_and_hangul_are_kept_as_they_are(books, clock):
    memo = 'He said "5 % off", \\ and 가나다 {NULL}'
    ledger.post(books, CITY, [request("q", *fund(1).legs, memo=memo)], clock)
    assert ledger.statement(books, CITY, "budget:saving:2026", "KRW")[0].memo == memo


def test_another_city_sees_nothing_of_it(books, clock):
    from onsil.core.database import scope

    ledger.post(books, CITY, [fund(100)], clock)
    scope(books, "goyang")
    assert ledger.balance(books, CITY, "budget:saving:2026", "KRW") == 0
    assert ledger.statement(books, CITY, "budget:saving:2026", "KRW") == []
