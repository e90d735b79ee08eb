"""The pure machine against a naive model, and the facts about its parts."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from naive import NaiveLedger

from onsil.ledger.book import AccountState, Applied, Book, Decision
from onsil.ledger.evidence import KIND, LeafWriter, posted, transfer_entry_of
from onsil.ledger.ids import AscendingIds
from onsil.ledger.lots import TermsBook, choose
from onsil.ledger.machine import decide
from onsil.ledger.reversal import opposite
from onsil.ledger.terms import PHASES, Leg, LotFilter, LotTerms, Phase, Transfer, TransferRequest
from onsil.ledger.wire import decode, encode
from onsil.proof.entries import entry_bytes

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
    return Book(accounts, codes=set(ACCOUNTS))


def counter(start: int = 1):
    ids = AscendingIds(None, start, lambda bits: 0)
    return ids


terms = st.builds(
    LotTerms,
    fund=st.sampled_from(["city", "state"]),
    expires_at=st.sampled_from([None, START + timedelta(days=1), START + timedelta(days=3)]),
    merchant_rule=st.sampled_from(RULES),
    refundable=st.booleans(),
    origin_kind=st.just("award"),
    origin_id=st.sampled_from(["", "7"]),
)
filters = st.builds(
    LotFilter,
    merchant_rules=st.sampled_from([None, frozenset(), frozenset({"market"})]),
    funds=st.sampled_from([None, frozenset({"city"})]),
    refundable=st.sampled_from([None, True, False]),
    expired=st.booleans(),
)
legs = st.builds(
    lambda pair, amount, lot, only: Leg(pair[0], pair[1], ASSET, amount, lot, only),
    st.permutations(list(ACCOUNTS)),
    st.integers(1, 60),
    st.none() | terms,
    st.none() | filters,
)


class LedgerModel(RuleBasedStateMachine):
    """Every sequence of batches gives the answers and balances that the naive ledger gives."""

    def __init__(self) -> None:
        super().__init__()
        self.book, self.now, self.ids = fresh_book(), START, counter()
        self.naive = NaiveLedger(ACCOUNTS, self.book.terms)
        self.number = 0
        self.history: dict[str, tuple[TransferRequest, str]] = {}
        self.applied: list[Transfer] = []
        self.pending: list[Applied] = []

    def key(self) -> str:
        self.number += 1
        return f"k{self.number}"

    def expect(self, chain: list[TransferRequest], decisions: list[Decision]) -> None:
        """Hold one request's or chain's decisions against the naive ledger."""
        kept = self.naive.copy()
        expected = [""] * len(chain)
        for n, (request, decision) in enumerate(zip(chain, decisions, strict=True)):
            code = self.naive.apply(
                request, decision.transfer_id or UUID(int=self.number), self.now
            )
            if code:
                self.naive = kept
                expected = ["linked-failed"] * len(chain)
                expected[n] = code
                break
        for request, decision, code in zip(chain, decisions, expected, strict=True):
            assert (decision.refusal.code if decision.refusal is not None else "") == code
            self.history[request.key] = request, code
            if decision.applied is not None:
                self.remember(decision.applied)

    def remember(self, applied: Applied) -> None:
        raw = LeafWriter("x", self.book.terms).encoded(applied)[1]
        entry = transfer_entry_of(posted(applied, self.book.terms))
        assert raw == entry_bytes("x", KIND, applied.id, entry)
        if applied.request.phase == "pending":
            self.pending.append(applied)
        elif applied.request.phase != "void" and applied.request.reverses is None:
            self.applied.append(posted(applied, self.book.terms))

    def post(self, requests: list[TransferRequest]) -> list[Decision]:
        return decide(self.book, [(r, r.fingerprint()) for r in requests], self.now, self.ids)

    @rule(batch=st.lists(st.lists(legs, min_size=1, max_size=3), min_size=1, max_size=4))
    def post_a_batch(self, batch: list[list[Leg]]) -> None:
        requests = [TransferRequest(self.key(), "test", tuple(given_legs)) for given_legs in batch]
        for request, decision in zip(requests, self.post(requests), strict=True):
            self.expect([request], [decision])

    @rule(batch=st.lists(st.lists(legs, min_size=1, max_size=2), min_size=2, max_size=3))
    def post_a_chain(self, batch: list[list[Leg]]) -> None:
        chain = [
            TransferRequest(self.key(), "test", tuple(given_legs), linked=n < len(batch) - 1)
            for n, given_legs in enumerate(batch)
        ]
        self.expect(chain, self.post(chain))

    @rule(given_legs=st.lists(legs, min_size=1, max_size=2), days=st.none() | st.integers(1, 2))
    def reserve(self, given_legs: list[Leg], days: int | None) -> None:
        request = TransferRequest(
            self.key(), "test", tuple(given_legs), phase="pending",
            timeout_at=None if days is None else self.now + timedelta(days=days),
        )  # fmt: skip
        self.expect([request], self.post([request]))

    @rule(data=st.data(), phase=st.sampled_from(["post", "void"]))
    def settle(self, data: st.DataObject, phase: Phase) -> None:
        if not self.pending:
            return
        made = data.draw(st.sampled_from(self.pending))
        part: tuple[Leg, ...] = ()
        if phase == "post" and data.draw(st.booleans()):
            part = tuple(
                leg._replace(amount=data.draw(st.integers(1, leg.amount)), lot=None, only=None)
                for leg in made.request.legs
            )
        request = TransferRequest(self.key(), "test", part, phase=phase, pending=made.id)
        self.expect([request], self.post([request]))

    @rule(data=st.data())
    def repeat_a_request(self, data: st.DataObject) -> None:
        if not self.history:
            return
        request, expected = self.history[data.draw(st.sampled_from(sorted(self.history)))]
        if request.linked:
            return
        before = self.balances(), self.purses()
        (again,) = self.post([request])
        assert again.answer.state == ("refused" if expected else "replayed")
        assert again.answer.repeated
        assert not again.fresh
        assert (self.balances(), self.purses()) == before

    @rule(data=st.data())
    def reuse_a_key(self, data: st.DataObject) -> None:
        if not self.history:
            return
        request, _ = self.history[data.draw(st.sampled_from(sorted(self.history)))]
        (no,) = self.post([TransferRequest(request.key, "other", request.legs)])
        assert no.answer.refusal is not None
        assert no.answer.refusal.code == "key-reused"

    @rule(days=st.integers(1, 2))
    def let_time_pass(self, days: int) -> None:
        self.now += timedelta(days=days)

    @rule(data=st.data())
    def reverse(self, data: st.DataObject) -> None:
        """Value goes back to its very positions, unless it has moved on, and once only."""
        if not self.applied:
            return
        request = opposite(data.draw(st.sampled_from(self.applied)), self.key())
        self.expect([request], self.post([request]))

    def balances(self) -> dict[str, tuple[int, int, int]]:
        return {a.code: (a.balance, a.held, a.coming) for a in self.book.accounts.values()}

    def purses(self) -> dict[str, dict[LotTerms, list[int]]]:
        return {
            a.code: {
                self.book.terms.terms[layer[0]]: [
                    place
                    for start, stop in zip(layer[3::2], layer[4::2], strict=True)
                    for place in range(start, stop)
                ]
                for layer in a.purse
            }
            for a in self.book.accounts.values()
        }

    @invariant()
    def balances_agree_and_nothing_was_made(self) -> None:
        naive = self.naive
        assert self.balances() == {
            code: (naive.balance(code), naive.held(code), naive.coming(code)) for code in ACCOUNTS
        }
        assert sum(balance for balance, _, _ in self.balances().values()) == 0

    @invariant()
    def lots_agree_place_by_place(self) -> None:
        for code, held in self.purses().items():
            assert held == self.naive.purse(code)
        for account in self.book.accounts.values():
            order = [self.book.terms.order(layer) for layer in account.purse]
            assert order == sorted(order)
            spans = [layer[3:] for layer in account.purse]
            assert all(flat == sorted(set(flat)) and flat for flat in spans)

    @invariant()
    def limits_hold(self) -> None:
        for code, (low, high, keeps) in ACCOUNTS.items():
            balance, held, coming = self.balances()[code]
            if code != "shop":  # its minimum of 10 binds payments only, it begins at 0
                assert low is None or balance - held >= low
            assert high is None or balance + coming <= high
            assert not keeps or balance >= held >= 0


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
        book = fresh_book()
        decisions = decide(book, pairs, START, counter())
        leaves = LeafWriter("x", book.terms)
        return [leaves.encoded(d.applied) for d in decisions if d.applied is not None]

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
        reverses=st.none() | st.uuids(),
        phase=st.sampled_from(PHASES),
        pending=st.none() | st.uuids(),
        timeout_at=st.none() | st.datetimes(timezones=st.just(UTC)),
        linked=st.booleans(),
    )
)
@settings(max_examples=60)
def test_a_request_survives_the_intake_and_keeps_its_fingerprint(request: TransferRequest):
    mark = request.fingerprint()
    ((again, kept),) = decode(encode([(request, mark)]))
    assert again == request
    assert again.fingerprint() == mark == kept


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
        TransferRequest("k", "t", base.legs, START, "m", "o", "1", None, "pending"),
        TransferRequest("k", "t", base.legs, START, "m", "o", "1", None, "post", UUID(int=1)),
        TransferRequest("k", "t", base.legs, START, "m", "o", "1", linked=True),
    ]
    marks = {other.fingerprint() for other in others}
    assert len(marks) == len(others)
    assert base.fingerprint() not in marks


texts = st.text(st.characters(blacklist_categories=["Cs"]), max_size=20)


@given(texts, texts, texts, st.integers(1, 2**62))
@settings(max_examples=80)
def test_the_fast_leaf_encoder_gives_the_canonical_bytes(
    memo: str, fund: str, origin: str, amount: int
):
    request = TransferRequest(
        "k", "t", (Leg("issuer", "seoyun", ASSET, amount, LotTerms(fund, START, origin_id=origin)),
                   Leg("seoyun", "credit", ASSET, 7)), None, memo, memo, origin,
    )  # fmt: skip
    book = fresh_book()
    (decision,) = decide(book, [(request, b"\x00" * 32)], START, counter())
    if decision.applied is None:  # a text the ledger does not take
        return
    key, raw = LeafWriter("x", book.terms).encoded(decision.applied)
    entry = transfer_entry_of(posted(decision.applied, book.terms))
    assert raw == entry_bytes("x", KIND, key, entry)


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
    book = TermsBook()
    purse = [[book.number(LotTerms()), 0, 40, 0, 40]]
    chosen, missing = choose(purse, book, 100, None, START)
    assert (chosen, missing) == ([(purse[0], 40)], 60)
    assert purse == [[1, 0, 40, 0, 40]]
