"""What the ledger means, in the plainest words: every coin stands alone. The tests' measure."""

from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from onsil.ledger.lots import TermsBook
from onsil.ledger.terms import Leg, LotFilter, LotTerms, TransferRequest

NEVER = datetime.max.replace(tzinfo=UTC)
Limits = dict[str, tuple[int | None, int | None, bool]]
"""code: (minimum, maximum, keeps lots)"""


@dataclass(eq=False)
class Coin:
    """One unit of value: where it is, at which place, and for which reservation it is held."""

    terms: LotTerms
    at: str
    place: int
    held: UUID | None = None


@dataclass
class Moved:
    """A leg as it went: each coin with where it came from and where it went, None outside."""

    leg: Leg
    amount: int
    coins: list[tuple[Coin, tuple[str, int] | None, tuple[str, int] | None]] = field(
        default_factory=list
    )


@dataclass
class Waiting:
    """A reservation: its legs with the coins they hold (none where no lots are kept)."""

    legs: list[tuple[Leg, list[Coin]]]
    timeout_at: datetime | None
    settled: bool = False


class NaiveLedger:
    """Balances, coins and reservations of a few accounts in one asset.

    `numbers` is asked only for the order of lots that are equal otherwise.
    """

    def __init__(self, limits: Limits, numbers: TermsBook) -> None:
        self.limits, self.numbers = limits, numbers
        self.plain = dict.fromkeys(limits, 0)
        self.coins: list[Coin] = []
        self.received = dict.fromkeys(limits, 0)
        self.ends: dict[tuple[str, LotTerms], int] = {}
        self.born: dict[tuple[str, LotTerms], int] = {}
        self.waiting: dict[UUID, Waiting] = {}
        self.done: dict[UUID, list[Moved]] = {}
        self.reversed: set[UUID] = set()

    def copy(self) -> "NaiveLedger":
        """The same once more, with coins of its own."""
        numbers, self.numbers = self.numbers, TermsBook()
        try:
            twin = deepcopy(self)
        finally:
            self.numbers = numbers
        twin.numbers = numbers
        return twin

    def keeps(self, code: str) -> bool:
        return self.limits[code][2]

    def balance(self, code: str) -> int:
        return sum(c.at == code for c in self.coins) if self.keeps(code) else self.plain[code]

    def held(self, code: str) -> int:
        return sum(
            leg.amount for w in self.waiting.values() if not w.settled
            for leg, _ in w.legs if leg.source == code
        )  # fmt: skip

    def coming(self, code: str) -> int:
        return sum(
            leg.amount for w in self.waiting.values() if not w.settled
            for leg, _ in w.legs if leg.destination == code
        )  # fmt: skip

    def apply(self, request: TransferRequest, key: UUID, now: datetime) -> str:
        """The refusal's code, or "" when it was applied; the caller undoes a refused one."""
        if request.phase in ("post", "void"):
            return self._settle(request, key, now)
        if request.phase == "pending":
            waiting = Waiting([], request.timeout_at)
            self.waiting[key] = waiting
            for leg in request.legs:
                no = self._barred(leg)
                if no:
                    return no
                coins: list[Coin] = []
                if self.keeps(leg.source):
                    found = self._chosen(leg, now)
                    if isinstance(found, str):
                        return found
                    coins = found
                    for coin in coins:
                        coin.held = key
                    self._close(leg.source)
                waiting.legs.append((leg, coins))
            return ""
        if request.reverses is not None:
            return self._reverse(request.reverses)
        moved = []
        for leg in request.legs:
            no = self._barred(leg)
            if no:
                return no
            coins = self._chosen(leg, now) if self.keeps(leg.source) else []
            if isinstance(coins, str):
                return coins
            moved.append(self._move(leg, leg.amount, coins))
        self.done[key] = moved
        return ""

    def _barred(self, leg: Leg) -> str:
        low, high = self.limits[leg.source][0], self.limits[leg.destination][1]
        if low is not None and (
            self.balance(leg.source) - self.held(leg.source) - leg.amount < low
        ):
            return "insufficient-balance"
        there = self.balance(leg.destination) + self.coming(leg.destination)
        if high is not None and there + leg.amount > high:
            return "account-limit"
        return ""

    def _chosen(self, leg: Leg, now: datetime) -> list[Coin] | str:
        if leg.lot is not None:
            return "lot-terms-fixed"
        only = leg.only or LotFilter()
        usable = [
            coin
            for coin in self.coins
            if coin.at == leg.source
            and coin.held is None
            and ((coin.terms.expires_at or NEVER) <= now) == only.expired
            and (
                only.merchant_rules is None
                or coin.terms.merchant_rule in only.merchant_rules | {""}
            )
            and (only.funds is None or coin.terms.fund in only.funds)
            and (only.refundable is None or coin.terms.refundable == only.refundable)
        ]
        if len(usable) < leg.amount:
            return "lot-rule"
        usable.sort(
            key=lambda coin: (
                coin.terms.merchant_rule == "",
                coin.terms.expires_at or NEVER,
                self.born[coin.at, coin.terms],
                self.numbers.number(coin.terms),
                coin.place,
            )
        )
        return usable[: leg.amount]

    def _move(self, leg: Leg, amount: int, coins: list[Coin]) -> Moved:
        """Move the given coins, or, from an account without lots, new ones."""
        moved = Moved(leg, amount)
        if not self.keeps(leg.source):
            self.plain[leg.source] -= amount
        if not self.keeps(leg.destination):
            self.plain[leg.destination] += amount
            for coin in coins:
                moved.coins.append((coin, (coin.at, coin.place), None))
                self.coins.remove(coin)
        else:
            if not coins:
                terms = (leg.lot or LotTerms())._replace(origin_kind="", origin_id="")
                coins = [Coin(terms, "", 0) for _ in range(amount)]
                self.coins += coins
            for coin in coins:
                before = (coin.at, coin.place) if coin.at else None
                coin.at, coin.held = "", None
                place = self._next(leg.destination, coin.terms)
                coin.at, coin.place = leg.destination, place
                moved.coins.append((coin, before, (coin.at, place)))
        self._close(leg.source)
        return moved

    def _next(self, code: str, terms: LotTerms) -> int:
        """The place that the next coin of these terms gets in an account."""
        lot = code, terms
        if lot not in self.ends:
            self.ends[lot] = self.born[lot] = self.received[code]
        self.received[code] += 1
        self.ends[lot] += 1
        return self.ends[lot] - 1

    def _close(self, code: str) -> None:
        """A lot of which nothing can be spent is forgotten."""
        there = {(c.at, c.terms) for c in self.coins if c.held is None}
        for lot in [lot for lot in self.ends if lot[0] == code and lot not in there]:
            del self.ends[lot], self.born[lot]

    def _put_back(self, coin: Coin, code: str, place: int) -> None:
        lot = code, coin.terms
        self.ends.setdefault(lot, self.received[code])
        self.born[lot] = min(self.born.get(lot, place), place)
        coin.at, coin.place, coin.held = code, place, None

    def _settle(self, request: TransferRequest, key: UUID, now: datetime) -> str:
        waiting = self.waiting.get(request.pending) if request.pending else None
        if waiting is None:
            return "pending-unknown"
        if waiting.settled:
            return "pending-settled"
        late = waiting.timeout_at is not None and waiting.timeout_at <= now
        if request.phase == "post" and late:
            return "pending-expired"
        amounts = [leg.amount for leg, _ in waiting.legs]
        if request.phase == "void":
            amounts = [0 for _ in amounts]
        elif request.legs:
            asked = [leg.amount for leg in request.legs]
            if len(asked) != len(amounts) or any(a > b for a, b in zip(asked, amounts)):  # noqa: B905
                return "malformed-request"
            amounts = asked
        waiting.settled = True
        moved = []
        for (leg, coins), amount in zip(waiting.legs, amounts, strict=True):
            if amount:
                moved.append(self._move(leg, amount, coins[:amount]))
            for coin in coins[amount:]:
                self._put_back(coin, coin.at, coin.place)
        if request.phase == "post":
            self.done[key] = moved
        return ""

    def _reverse(self, key: UUID) -> str:
        if key in self.reversed:
            return "already-reversed"
        for moved in reversed(self.done[key]):
            leg, amount = moved.leg, moved.amount
            back = Leg(leg.destination, leg.source, leg.asset, amount)
            no = self._barred(back)
            if no:
                return no
            for coin, _, after in moved.coins:
                there = (coin.at, coin.place) if coin in self.coins else None
                if after is not None and (there != after or coin.held is not None):
                    return "lot-rule"
            if not self.keeps(leg.destination):
                self.plain[leg.destination] -= amount
            if not self.keeps(leg.source):
                self.plain[leg.source] += amount
            for coin, before, after in moved.coins:
                if after is not None:
                    self.coins.remove(coin)
                if before is not None:
                    self._put_back(coin, *before)
                    self.coins.append(coin)
            self._close(leg.destination)
        self.reversed.add(key)
        return ""

    def purse(self, code: str) -> dict[LotTerms, list[int]]:
        """The places of an account's coins that are not held, by terms."""
        found: dict[LotTerms, list[int]] = {}
        for coin in self.coins:
            if coin.at == code and coin.held is None:
                found.setdefault(coin.terms, []).append(coin.place)
        return {terms: sorted(places) for terms, places in found.items()}
