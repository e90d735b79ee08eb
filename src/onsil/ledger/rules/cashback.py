"""Cashback: several funders give back part of a payment, and take it back when it is cancelled.

What counts is the spent base: the part of a payment that was paid with value the rule rewards (not
allowances, not cashback itself). Each funder has a percentage, a cap on the base a person brings
in a month, and a budget. Every funder's share is a transfer of its own, so that one whose budget
ends does not stop the others; the caps are counters in the ledger, so they hold however many
payments come at once.

Taking back: the wallet gives what is there; what is missing stands as a receivable and is collected
from the next money that comes in.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from onsil.ledger.rules import names
from onsil.ledger.rules.charging import expires_at
from onsil.ledger.rules.fields import Fields
from onsil.ledger.rules.shares import FLOOR, largest_remainder, percent_of
from onsil.ledger.rules.spending import Held
from onsil.ledger.terms import AccountSpec, Leg, LotFilter, LotTerms, TransferRequest

SHOP = "shop"
"""The funder that is the shop itself: it owes its share until the next settlement takes it off."""


@dataclass(frozen=True)
class Funder:
    """Who gives back how much. `percent` None: the shop's own rate, within the two bounds.

    `month_base_krw` caps the base that counts for a person in a month (None: no cap); `year_krw` is
    the budget planned for a year. The `only_*` sets name the shops that the share is for; empty
    ones bind nothing.
    """

    code: str
    ko: str
    en: str
    percent: Decimal | None
    least_percent: Decimal = Decimal(0)
    most_percent: Decimal = Decimal(100)
    month_base_krw: int | None = None
    year_krw: int = 0
    only_kinds: frozenset[str] = frozenset()
    only_tags: frozenset[str] = frozenset()
    only_regions: frozenset[str] = frozenset()

    @property
    def by_shop(self) -> bool:
        return self.percent is None


@dataclass(frozen=True)
class CashbackRule:
    """`excluded_funds`: groups of funds whose value brings no cashback. `rounding` is how the won
    are cut: `floor` each share by itself, `largest-remainder` the sum first, then split.

    `when_short`: a budget that no longer covers a share gives its `rest`, or `nothing`.
    """

    funders: tuple[Funder, ...]
    excluded_funds: frozenset[str] = frozenset({names.POLICY, names.CASHBACK})
    rounding: str = FLOOR
    when_short: str = "rest"
    validity_years: int = 5
    merchant_rule: str = names.ORDINARY


@dataclass(frozen=True)
class Shop:
    """What cashback asks of a shop: its id, kind, region, marks, and the rate it grants."""

    merchant: str
    kind: str
    region: str = ""
    tags: frozenset[str] = field(default_factory=frozenset)
    own_percent: Decimal = Decimal(0)


@dataclass(frozen=True)
class Grant:
    """One funder's share of one payment: `amount` won for `base` won at `percent`.

    `short` is what the budget did not cover any more.
    """

    funder: str
    percent: Decimal
    base: int
    amount: int
    short: int = 0


@dataclass(frozen=True)
class ClawBack:
    """What a cancellation takes back of a grant: won, and the base that counts no more."""

    funder: str
    amount: int
    base: int


def read(at: Fields) -> CashbackRule:
    """The fields of a `[[cashback]]` table."""
    rule = CashbackRule(
        funders=tuple(_funder(one) for one in at.tables("funder")),
        excluded_funds=frozenset(at.texts("excluded_funds", [names.POLICY, names.CASHBACK])),
        rounding=at.choice("rounding", (FLOOR, "largest-remainder"), FLOOR),
        when_short=at.choice("when_short", ("rest", "nothing"), "rest"),
        validity_years=at.whole("validity_years", 5, 1, 50),
        merchant_rule=at.text("merchant_rule", names.ORDINARY),
    )
    codes = [funder.code for funder in rule.funders]
    if len(set(codes)) < len(codes):
        at.refuse("funder", "two funders have the same code")
    return rule


def base_asset(funder: str, month: str) -> str:
    return f"quota:cashback-{funder}:{month}"


def claim_asset(funder: str) -> str:
    return f"claim:{funder}"


def accounts(rule: CashbackRule, person: str, at: datetime, zone: ZoneInfo) -> list[AccountSpec]:
    """The counters, budgets and receivables that granting and taking back need."""
    month = names.month_of(at, zone)
    year = int(month[:4])
    specs: list[AccountSpec] = []
    for funder in rule.funders:
        asset, claim = base_asset(funder.code, month), claim_asset(funder.code)
        specs += [
            AccountSpec(person, asset, "quota", maximum=funder.month_base_krw),
            AccountSpec(names.QUOTA, asset, "issuer", minimum=None),
            AccountSpec(person, claim, "receivable"),
            AccountSpec(names.CLAIMS, claim, "issuer", minimum=None),
        ]
        if not funder.by_shop:
            specs.append(AccountSpec(names.cashback_budget(funder.code, year), names.KRW, "budget"))
    return specs


def shop_account(shop: Shop) -> AccountSpec:
    """Where the shop's own share stands as its debt until the settlement."""
    return AccountSpec(names.shop_receivable(shop.merchant), names.KRW, "receivable", minimum=None)


def base_of(paid: Iterable[tuple[str, int]], rule: CashbackRule) -> int:
    """The spent base of a payment: what was paid, per fund, without the excluded funds."""
    return sum(amount for fund, amount in paid if not names.belongs(fund, rule.excluded_funds))


def rate(funder: Funder, shop: Shop) -> Decimal:
    """The percentage of a funder at a shop; 0 where the share is not for such a shop."""
    fits = (
        (not funder.only_kinds or shop.kind in funder.only_kinds)
        and (not funder.only_tags or bool(shop.tags & funder.only_tags))
        and (not funder.only_regions or shop.region in funder.only_regions)
    )
    if not fits:
        return Decimal(0)
    if funder.percent is not None:
        return funder.percent
    if shop.own_percent < funder.least_percent:
        return Decimal(0)
    return min(shop.own_percent, funder.most_percent)


def grants(
    rule: CashbackRule, shop: Shop, base: int, counted: Mapping[str, int],
    budgets: Mapping[str, int],
) -> tuple[Grant, ...]:  # fmt: skip
    """Each funder's share of a payment with the spent base `base`.

    `counted`: the base that this person already brought this month, per funder. `budgets`: won left
    per funder (a funder without an entry has no budget); the shop pays from the payment itself.
    Never above a cap, a budget or, all shares together, the base. Shares of nothing are left out.
    """
    bases, rates = [], []
    for funder in rule.funders:
        cap = funder.month_base_krw
        room = base if cap is None else max(0, min(base, cap - counted.get(funder.code, 0)))
        bases.append(room)
        rates.append(rate(funder, shop))
    amounts = _shares(rule, bases, rates, base)
    made = []
    for funder, part, percent, due in zip(rule.funders, bases, rates, amounts, strict=True):
        left = base if funder.by_shop else budgets.get(funder.code, 0)
        amount = due if due <= left else left if rule.when_short == "rest" else 0
        if due > 0:
            made.append(Grant(funder.code, percent, part, amount, due - amount))
    return tuple(made)


def claw_back(
    rule: CashbackRule, granted: Sequence[Grant], base: int, cancelled: int
) -> tuple[ClawBack, ...]:
    """What comes back when `cancelled` of a payment's spent base `base` is undone.

    Judged against what the rest of the payment would have brought, by the rule of the payment: so
    several part cancellations take back exactly what was granted in the end, never more. `granted`
    is what still stands of the payment's grants.
    """
    rest = base - cancelled
    if not 0 <= rest <= base:
        raise ValueError(f"cannot cancel {cancelled} of a base of {base}")
    bases = [min(grant.base, rest) for grant in granted]
    due = _shares(rule, bases, [grant.percent for grant in granted], rest)
    back = [
        ClawBack(grant.funder, grant.amount - min(grant.amount, keeps), grant.base - part)
        for grant, keeps, part in zip(granted, due, bases, strict=True)
    ]
    return tuple(one for one in back if one.amount or one.base)


def grant_requests(
    *, rule: CashbackRule, granted: Sequence[Grant], city: str, person: str, shop: Shop,
    payment_id: str, at: datetime, zone: ZoneInfo,
) -> tuple[TransferRequest, ...]:  # fmt: skip
    """One transfer a funder: the counter of the base up, the funder's won into the trust, local
    currency to the citizen. The shop's own share stands on its receivable until it is settled."""
    month = names.month_of(at, zone)
    made = []
    for grant in granted:
        if not grant.amount:
            continue
        terms = LotTerms(
            fund=names.cashback_fund(grant.funder), merchant_rule=rule.merchant_rule,
            expires_at=expires_at(at, rule.validity_years, zone), origin_kind="cashback",
            origin_id=payment_id,
        )  # fmt: skip
        payer = _payer(rule, grant.funder, shop.merchant, int(month[:4]))
        legs = [
            Leg(names.QUOTA, person, base_asset(grant.funder, month), grant.base),
            Leg(payer, names.TRUST, names.KRW, grant.amount),
            Leg(names.ISSUER, person, names.local_asset(city), grant.amount, lot=terms),
        ]
        made.append(
            TransferRequest(
                key=f"cashback:{payment_id}:{grant.funder}", kind="cashback", legs=tuple(legs),
                effective_at=at, origin_kind="payment", origin_id=payment_id,
            )
        )  # fmt: skip
    return tuple(made)


def claw_back_request(
    *, rule: CashbackRule, back: ClawBack, city: str, person: str, shop: Shop, payment_id: str,
    cancellation_id: str, there: int, paid_at: datetime, zone: ZoneInfo,
) -> TransferRequest:  # fmt: skip
    """Take back one funder's share of a cancelled payment; what the wallet lacks is remembered.

    `there`: won of the citizen that may be taken (`reclaimable`). The rest of `back.amount` is
    counted on the citizen's receivable `claim:<funder>`. When the wallet has changed meanwhile the
    machine refuses; look again and ask under a new `cancellation_id` suffix.
    """
    month, taken = names.month_of(paid_at, zone), min(there, back.amount)
    payer = _payer(rule, back.funder, shop.merchant, int(month[:4]))
    legs = _collected(rule, city, person, payer, taken)
    if back.amount > taken:
        legs.append(Leg(names.CLAIMS, person, claim_asset(back.funder), back.amount - taken))
    if back.base:
        legs.append(Leg(person, names.QUOTA, base_asset(back.funder, month), back.base))
    return TransferRequest(
        key=f"clawback:{cancellation_id}:{back.funder}", kind="cashback-return", legs=tuple(legs),
        origin_kind="payment", origin_id=payment_id,
    )  # fmt: skip


def collection_request(
    *, rule: CashbackRule, funder: str, owed: int, there: int, city: str, person: str,
    merchant: str, year: int, key: str,
) -> TransferRequest | None:  # fmt: skip
    """Settle a citizen's debt from money that has come in since; None while nothing can be taken.

    `merchant` is looked at for the shop's share only, `year` for a budget's.
    """
    taken = min(owed, there)
    if taken <= 0:
        return None
    payer = _payer(rule, funder, merchant, year)
    legs = _collected(rule, city, person, payer, taken)
    legs.append(Leg(person, names.CLAIMS, claim_asset(funder), taken))
    return TransferRequest(key=key, kind="claim-collected", legs=tuple(legs))


def reclaimable(lots: Iterable[Held], rule: CashbackRule, now: datetime) -> int:
    """Won in a wallet that a claim may take: unexpired and ordinary; policy money never."""
    bound = _taken_back(rule)
    return sum(
        lot.amount
        for lot in lots
        if (not lot.terms.merchant_rule or lot.terms.merchant_rule in bound)
        and (lot.terms.expires_at is None or lot.terms.expires_at > now)
    )


def _taken_back(rule: CashbackRule) -> frozenset[str]:
    """The merchant rules of value that a claim may take. Policy money always carries another."""
    return frozenset({names.ORDINARY, rule.merchant_rule})


def _collected(rule: CashbackRule, city: str, person: str, payer: str, taken: int) -> list[Leg]:
    """Cashback out of the wallet, and its won from the trust back to who had paid them."""
    if not taken:
        return []
    only = LotFilter(merchant_rules=_taken_back(rule))
    return [
        Leg(person, names.ISSUER, names.local_asset(city), taken, only=only),
        Leg(names.TRUST, payer, names.KRW, taken),
    ]


def _payer(rule: CashbackRule, code: str, merchant: str, year: int) -> str:
    """The KRW account that a funder's share comes from and returns to."""
    if any(funder.code == code and funder.by_shop for funder in rule.funders):
        return names.shop_receivable(merchant)
    return names.cashback_budget(code, year)


def _shares(
    rule: CashbackRule, bases: Sequence[int], rates: Sequence[Decimal], most: int
) -> tuple[int, ...]:
    """Each funder's won, in whole won; together never above `most`."""
    if rule.rounding == FLOOR:
        due = [percent_of(b, r) for b, r in zip(bases, rates, strict=True)]
    else:
        weights = [Decimal(b) * r for b, r in zip(bases, rates, strict=True)]
        due = list(largest_remainder(int(sum(weights) // 100), weights))
    left, kept = most, []
    for won in due:
        kept.append(min(won, left))
        left -= kept[-1]
    return tuple(kept)


def _funder(at: Fields) -> Funder:
    fixed = "percent" in at.table
    made = Funder(
        code=at.text("code"), ko=at.text("ko"), en=at.text("en"),
        percent=at.percent("percent") if fixed else None,
        least_percent=Decimal(0) if fixed else at.percent("least_percent"),
        most_percent=Decimal(100) if fixed else at.percent("most_percent"),
        month_base_krw=at.maybe_won("month_base_krw"),
        year_krw=at.won("year_krw", 0),
        only_kinds=frozenset(at.texts("only_kinds", [])),
        only_tags=frozenset(at.texts("only_tags", [])),
        only_regions=frozenset(at.texts("only_regions", [])),
    )  # fmt: skip
    if not fixed and made.code != SHOP:
        at.refuse("percent", f"is missing; only the funder {SHOP!r} leaves it to each shop")
    at.close()
    return made
