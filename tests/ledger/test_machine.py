"""The pure machine against a naive model, and the facts about its parts."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from onsil.core.canonical import canonical_bytes
from onsil.ledger.evidence import applied_entry, encoded
from onsil.ledger.ids import AscendingIds
from onsil.ledger.lots import LotState, Purse
from onsil.ledger.machine import AccountState, AppliedTransfer, Book, decide
from onsil.ledger.reversal import opposite
from onsil.ledger.terms import (
    Leg,
    LotFilter,
    LotTerms,
    PostedLeg,
    Transfer,
    TransferRequest,
    decode_request,
    encode_request,
)

START = datetime(2026, 3, 1, tzinfo=UTC)
ASSET = "local:x"
# code: (minimum, maximum, keeps lots)
ACCOUNTS = {
    "issuer": (None, None, False),
    "fund": (0, None, False),
    "credit": (-50, 200, False),
    "minji": (0, 300, True),
    "seoyun": (0, None, True),
    "shop": (10, None, True),
}
RULES = ["", "market", "cafe"]


def fresh_book() -> Book:
    accounts = {
        (code, ASSET): AccountState(n, code, ASSET, low, high, keeps, 0)
        for n, (code, (low, high, keeps)) in enumerate(ACCOUNTS.items(), 1)
    }
    return Book(accounts, codes=frozenset(ACCOUNTS))


def counter(start: int = 1):
    ids = AscendingIds(None, start, lambda bits: 0)
    return ids


class NaiveLedger:
    """What the ledger means, in the plainest words: every coin stands alone."""

    def __init__(self) -> None:
        self.plain = dict.fromkeys(ACCOUNTS, 0)
        self.coins: list[dict] = []  # one a unit of value in an account that keeps lots
        self.made = 0

    def balance(self, code: str) -> int:
        if ACCOUNTS[code][2]:
            return sum(coin["at"] == code for coin in self.coins)
        return self.plain[code]

    def apply(self, legs: tuple[Leg, ...], now: datetime) -> str:
        kept = dict(self.plain), [dict(coin) for coin in self.coins], self.made
        for leg in legs:
            code = self._leg(leg, now)
            if code:
                self.plain, self.coins, self.made = kept
                return code
        return ""

    def _leg(self, leg: Leg, now: datetime) -> str:
        low, high = ACCOUNTS[leg.source][0], ACCOUNTS[leg.destination][1]
        if low is not None and self.balance(leg.source) - leg.amount < low:
            return "insufficient-balance"
        if high is not None and self.balance(leg.destination) + leg.amount > high:
            return "account-limit"
        if ACCOUNTS[leg.source][2]:
            if leg.lot is not None:
                return "lot-terms-fixed"
            return self._spend(leg, now)
        self.plain[leg.source] -= leg.amount
        if ACCOUNTS[leg.destination][2]:
            self.made += 1
            terms = leg.lot or LotTerms()
            self.coins += [
                {"at": leg.destination, "terms": terms, "age": self.made} for _ in range(leg.amount)
            ]
        else:
            self.plain[leg.destination] += leg.amount
        return ""

    def _spend(self, leg: Leg, now: datetime) -> str:
        only = leg.only or LotFilter()
        usable = [
            coin
            for coin in self.coins
            if coin["at"] == leg.source
            and ((coin["terms"].expires_at or datetime.max.replace(tzinfo=UTC)) <= now)
            == only.expired
            and (
                only.merchant_rules is None
                or coin["terms"].merchant_rule in only.merchant_rules | {""}
            )
        ]
        if len(usable) < leg.amount:
            return "lot-rule"
        usable.sort(
            key=lambda coin: (
                coin["terms"].merchant_rule == "",
                coin["terms"].expires_at or datetime.max.replace(tzinfo=UTC),
                coin["age"],
            )
        )
        ages: dict[int, int] = {}
        for coin in usable[: leg.amount]:
            if ACCOUNTS[leg.destination][2]:
                if coin["age"] not in ages:
                    self.made += 1
                    ages[coin["age"]] = self.made
                coin["at"], coin["age"] = leg.destination, ages[coin["age"]]
            else:
                self.coins.remove(coin)
        if not ACCOUNTS[leg.destination][2]:
            self.plain[leg.destination] += leg.amount
        return ""

    def purse(self, code: str) -> dict[LotTerms, int]:
        found: dict[LotTerms, int] = {}
        for coin in self.coins:
            if coin["at"] == code:
                found[coin["terms"]] = found.get(coin["terms"], 0) + 1
        return found


terms = st.builds(
    LotTerms,
    fund=st.sampled_from(["city", "state"]),
    expires_at=st.sampled_from([None, START + timedelta(days=1), START + timedelta(days=3)]),
    merchant_rule=st.sampled_from(RULES),
)
filters = st.builds(
    LotFilter,
    merchant_rules=st.sampled_from([None, frozenset(), frozenset({"market"})]),
    expired=st.booleans(),
)
legs = st.builds(
    lambda pair, amount, lot, only: Leg(pair[0], pair[1], ASSET, amount, lot, only),
    st.permutations(list(ACCOUNTS)),
    st.integers(1, 120),
    st.none() | terms,
    st.none() | filters,
)


def posted(applied: AppliedTransfer) -> Transfer:
    """A transfer as it would be read again from the database."""
    request = applied.request
    legs = tuple(
        PostedLeg(
            leg.source.code, leg.destination.code, leg.source.asset, leg.amount,
            leg.source_balance, leg.destination_balance, tuple(leg.pieces),
        )
        for leg in applied.legs
    )  # fmt: skip
    return Transfer(
        applied.id, request.key, request.kind, applied.effective_at, applied.recorded_at,
        request.memo, request.origin_kind, request.origin_id, request.reverses, legs,
    )  # fmt: skip


class LedgerModel(RuleBasedStateMachine):
    """Every sequence of batches gives the answers and balances that the naive ledger gives."""

    def __init__(self) -> None:
        super().__init__()
        self.book, self.naive, self.now, self.ids = fresh_book(), NaiveLedger(), START, counter()
        self.number = 0
        self.history: dict[str, tuple[TransferRequest, str]] = {}
        self.applied: list[Transfer] = []

    @rule(batch=st.lists(st.lists(legs, min_size=1, max_size=3), min_size=1, max_size=4))
    def post_a_batch(self, batch: list[list[Leg]]) -> None:
        requests = []
        for given_legs in batch:
            self.number += 1
            requests.append(TransferRequest(f"k{self.number}", "test", tuple(given_legs)))
        decisions = decide(self.book, [(r, r.fingerprint()) for r in requests], self.now, self.ids)
        for request, decision in zip(requests, decisions, strict=True):
            expected = self.naive.apply(request.legs, self.now)
            refusal = decision.answer.refusal
            assert (refusal.code if refusal is not None else "") == expected
            self.history[request.key] = request, expected
            if decision.applied is not None:
                self.applied.append(posted(decision.applied))

    @rule(data=st.data())
    def repeat_a_request(self, data: st.DataObject) -> None:
        if not self.history:
            return
        request, expected = self.history[data.draw(st.sampled_from(sorted(self.history)))]
        before = self.balances()
        (again,) = decide(self.book, [(request, request.fingerprint())], self.now, self.ids)
        assert again.answer.state == ("refused" if expected else "replayed")
        assert again.answer.repeated
        assert self.balances() == before

    @rule(data=st.data())
    def reuse_a_key(self, data: st.DataObject) -> None:
        if not self.history:
            return
        request, _ = self.history[data.draw(st.sampled_from(sorted(self.history)))]
        other = TransferRequest(request.key, "other", request.legs)
        (no,) = decide(self.book, [(other, other.fingerprint())], self.now, self.ids)
        assert no.answer.refusal is not None
        assert no.answer.refusal.code == "key-reused"

    @rule(days=st.integers(1, 2))
    def let_time_pass(self, days: int) -> None:
        self.now += timedelta(days=days)

    @rule()
    def undo_and_redo_nothing(self) -> None:
        """A reversal right after a transfer brings every account and lot back."""
        if not self.applied:
            return
        last = self.applied[-1]
        before = self.balances(), self.purses()
        request = opposite(last, f"undo-{last.key}-{self.number}")
        redo = decide(self.book, [(request, request.fingerprint())], self.now, self.ids)[0]
        if redo.applied is None:
            assert (self.balances(), self.purses()) == before
            return
        (again,) = decide(
            self.book, [(opposite(last, f"{request.key}-2"), b"")], self.now, self.ids
        )
        assert again.answer.refusal is not None
        assert again.answer.refusal.code == "already-reversed"
        # Put the model where the machine is: what the reversal gave back is what was there before.
        self.naive = self.rebuilt()
        self.applied.pop()

    def rebuilt(self) -> NaiveLedger:
        naive = NaiveLedger()
        states = sorted(self.book.lots.values(), key=lambda lot: lot.id)
        by_id = {a.id: a for a in self.book.accounts.values()}
        for lot in states:
            naive.made += 1
            naive.coins += [
                {"at": by_id[lot.account_id].code, "terms": lot.terms, "age": naive.made}
                for _ in range(lot.remaining)
            ]
        for account in self.book.accounts.values():
            if not account.keeps_lots:
                naive.plain[account.code] = account.balance
        return naive

    def balances(self) -> dict[str, int]:
        return {a.code: a.balance for a in self.book.accounts.values()}

    def purses(self) -> dict[str, dict[LotTerms, int]]:
        found: dict[str, dict[LotTerms, int]] = {code: {} for code in ACCOUNTS}
        for account in self.book.accounts.values():
            for lot in account.purse.lots:
                if lot.remaining:
                    held = found[account.code]
                    held[lot.terms] = held.get(lot.terms, 0) + lot.remaining
        return found

    @invariant()
    def balances_agree_and_nothing_was_made(self) -> None:
        assert self.balances() == {code: self.naive.balance(code) for code in ACCOUNTS}
        assert sum(self.balances().values()) == 0

    @invariant()
    def lots_agree_with_balances_and_terms(self) -> None:
        for code, held in self.purses().items():
            if ACCOUNTS[code][2]:
                assert sum(held.values()) == self.balances()[code]
                assert held == self.naive.purse(code)

    @invariant()
    def limits_hold(self) -> None:
        for code, (low, high, keeps) in ACCOUNTS.items():
            value = self.balances()[code]
            if code != "shop":  # its minimum of 10 binds payments only, it begins at 0
                assert low is None or value >= low
            assert high is None or value <= high
            assert not keeps or value >= 0


LedgerModel.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestLedgerModel = LedgerModel.TestCase


def test_the_same_inputs_give_the_same_decisions():
    def run():
        requests = [
            TransferRequest(f"k{n}", "t", (Leg("issuer", code, ASSET, 7 * n, LotTerms("f")),))
            for n, code in enumerate(("minji", "seoyun", "fund"), 1)
        ]
        requests.append(TransferRequest("p", "t", (Leg("seoyun", "minji", ASSET, 9),)))
        pairs = [(r, r.fingerprint()) for r in requests]
        decisions = decide(fresh_book(), pairs, START, counter())
        return [encoded("x", d.applied) for d in decisions if d.applied is not None]

    assert run() == run()
    assert len(run()) == 4


@given(
    st.builds(
        TransferRequest,
        key=st.text(min_size=1, max_size=20),
        kind=st.text(max_size=10),
        legs=st.lists(legs, min_size=1, max_size=3).map(tuple),
        effective_at=st.none() | st.datetimes(timezones=st.just(UTC)),
        memo=st.text(max_size=30),
    )
)
@settings(max_examples=60)
def test_a_request_survives_the_intake_and_keeps_its_fingerprint(request: TransferRequest):
    again = decode_request(encode_request(request))
    assert again == request
    assert again.fingerprint() == request.fingerprint()


def test_the_fingerprint_leaves_out_the_time_and_holds_all_else():
    base = TransferRequest("k", "t", (Leg("a", "b", ASSET, 1),), START, "m", "o", "1")
    same = TransferRequest("k", "t", base.legs, START + timedelta(days=1), "m", "o", "1")
    assert same.fingerprint() == base.fingerprint()
    others = [
        TransferRequest("k", "u", base.legs, START, "m", "o", "1"),
        TransferRequest("k", "t", (Leg("a", "b", ASSET, 2),), START, "m", "o", "1"),
        TransferRequest("k", "t", (Leg("b", "a", ASSET, 1),), START, "m", "o", "1"),
        TransferRequest("k", "t", (Leg("a", "b", ASSET, 1, LotTerms()),), START, "m", "o", "1"),
        TransferRequest("k", "t", base.legs, START, "n", "o", "1"),
        TransferRequest("k", "t", base.legs, START, "m", "p", "1"),
        TransferRequest("k", "t", base.legs, START, "m", "o", "2"),
        TransferRequest("k", "t", base.legs, START, "m", "o", "1", UUID(int=1)),
    ]
    marks = {other.fingerprint() for other in others}
    assert len(marks) == len(others)
    assert base.fingerprint() not in marks


texts = st.text(st.characters(blacklist_categories=["Cs"]), max_size=20)


@given(texts, texts, st.integers(1, 2**62))
@settings(max_examples=60)
def test_the_fast_leaf_encoder_gives_the_canonical_bytes(memo: str, fund: str, amount: int):
    request = TransferRequest(
        "k", "t", (Leg("issuer", "seoyun", ASSET, amount, LotTerms(fund, START)),), None, memo
    )
    (decision,) = decide(fresh_book(), [(request, b"\x00" * 32)], START, counter())
    if decision.applied is None:  # a text the ledger does not take
        return
    key, raw = encoded("x", decision.applied)
    entry = applied_entry(decision.applied)
    assert raw == canonical_bytes({**entry, "kind": "transfer", "city": "x", "id": key})


@given(
    st.integers(0, 2**48 - 2),
    st.lists(st.integers(0, 2**48 - 2), min_size=1, max_size=5),
    st.integers(0, 2**32 - 1),
)
@settings(max_examples=60)
def test_ids_ascend_whatever_the_clock_does(first_ms: int, instants: list[int], step: int):
    last = AscendingIds(None, first_ms, lambda bits: (1 << bits) - 1)()
    for instant in instants:
        ids = AscendingIds(last, instant, lambda bits: min(step, (1 << bits) - 1))
        for _ in range(3):
            following = ids()
            assert following > last
            assert (following.version, following.variant) == (7, "specified in RFC 4122")
            last = following


def test_choosing_takes_nothing_and_tells_what_is_missing():
    lot = LotState(UUID(int=1), 1, 40, 40, UUID(int=9), None, LotTerms())
    purse = Purse([lot])
    assert purse.choose(100, None, START) == ([(lot, 40)], 60)
    assert lot.remaining == 40
