"""Which shops may take which value: judged per lot when it is paid, by the rules of that day.

A shop's status (kind, region, yearly sales) is kept in dated versions, checked again in the months
the rule names. From the status follow the names of the merchant rules that the shop satisfies;
value carries one of these names, or none when it may be spent anywhere in the city.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from onsil.core.refusal import Refusal
from onsil.ledger.rules import names, words
from onsil.ledger.rules.fields import Fields
from onsil.ledger.terms import LotFilter


@dataclass(frozen=True)
class SalesException:
    """Shops above the sales limit that take ordinary value all the same: by region and kind.

    Empty `kinds`: every kind that is not excluded. `sales_limit_krw` None: however much they sell.
    """

    code: str
    regions: frozenset[str]
    kinds: frozenset[str] = frozenset()
    sales_limit_krw: int | None = None


@dataclass(frozen=True)
class FundRule:
    """Where money of a fund (or group of funds) may not or may only go; empty sets bind nothing."""

    fund: str
    excluded_kinds: frozenset[str] = frozenset()
    only_kinds: frozenset[str] = frozenset()
    only_regions: frozenset[str] = frozenset()


@dataclass(frozen=True)
class MerchantRule:
    """The by-law's rules about shops. A limit of None: however much they sell.

    `recheck_months`: statuses are checked again on the first of these months; a status that stays
    unchecked for more than `recheck_grace_days` no longer takes ordinary value (None: it goes on).
    """

    sales_limit_krw: int | None
    excluded_kinds: frozenset[str] = frozenset()
    policy_sales_limit_krw: int | None = None
    exceptions: tuple[SalesException, ...] = ()
    funds: tuple[FundRule, ...] = ()
    recheck_months: tuple[int, ...] = ()
    recheck_grace_days: int | None = None


@dataclass(frozen=True)
class MerchantStatus:
    """What is known of a shop from a day on. `region` is the legal district's name; `tags` are
    marks such as `good-price`; `checked_on` is the day somebody last looked at the papers."""

    since: date
    kind: str
    region: str
    yearly_sales_krw: int
    checked_on: date
    in_city: bool = True
    tags: frozenset[str] = field(default_factory=frozenset)


@dataclass(frozen=True)
class Eligibility:
    """What a shop may take on a day. `refusal` says why it may take nothing at all.

    `exception` names the sales exception that let ordinary value in; `stale` that the yearly
    check is overdue.
    """

    rules: frozenset[str]
    status: MerchantStatus
    rule: MerchantRule
    exception: str = ""
    stale: bool = False
    refusal: Refusal | None = None

    def funds(self, held: Iterable[str]) -> frozenset[str]:
        """Those of the funds in a wallet that may be spent here."""
        if self.refusal is not None:
            return frozenset()
        return frozenset(f for f in held if fund_fits(f, self.status, self.rule))

    def filter(self, held: Iterable[str] | None = None) -> LotFilter:
        """What a payment at this shop may take. Give the funds in the wallet where the rule binds
        funds to places; without them only the merchant rules are looked at."""
        if held is None or not self.rule.funds:
            return LotFilter(merchant_rules=self.rules)
        return LotFilter(merchant_rules=self.rules, funds=self.funds(held))


def read(at: Fields) -> MerchantRule:
    """The fields of a `[[merchants]]` table."""
    grace = at.whole("recheck_grace_days", 0, 0, 400) if "recheck_grace_days" in at.table else None
    rule = MerchantRule(
        sales_limit_krw=at.maybe_won("sales_limit_krw"),
        excluded_kinds=frozenset(at.texts("excluded_kinds", [])),
        policy_sales_limit_krw=at.maybe_won("policy_sales_limit_krw"),
        exceptions=tuple(_exception(one) for one in at.tables("exception")),
        funds=tuple(_fund(one) for one in at.tables("fund")),
        recheck_months=at.wholes("recheck_months", [], 1, 12),
        recheck_grace_days=grace,
    )
    if grace is not None and not rule.recheck_months:
        at.refuse("recheck_months", "is needed where recheck_grace_days is set")
    return rule


def status_on(history: Sequence[MerchantStatus], day: date) -> MerchantStatus | None:
    """The version of a shop's status that held on a day; None before the first."""
    held = [status for status in history if status.since <= day]
    return max(held, key=lambda status: status.since, default=None)


def eligibility(status: MerchantStatus, rule: MerchantRule, day: date) -> Eligibility:
    """What a shop may take on a day, by the rule of that day.

    `ordinary`: sales within the limit or an exception, and not overdue for its check. `policy`:
    policy money's own limit. `kind:<kind>`, `region:<region>`, `tag:<tag>`: value bound to these.
    Shops outside the city and excluded kinds take nothing.
    """
    if status.kind in rule.excluded_kinds or not status.in_city:
        no = words.shop_excluded(status.kind)
        return Eligibility(frozenset(), status, rule, refusal=no)
    exception = _exception_of(status, rule)
    stale = overdue(status, rule, day)
    met = {f"kind:{status.kind}", f"region:{status.region}"}
    met.update(f"tag:{tag}" for tag in status.tags)
    within = _within(status, rule.sales_limit_krw)
    if (within or exception) and not stale:
        met.add(names.ORDINARY)
    if _within(status, rule.policy_sales_limit_krw):
        met.add(names.POLICY_RULE)
    return Eligibility(frozenset(met), status, rule, "" if within else exception, stale)


def fund_fits(fund: str, status: MerchantStatus, rule: MerchantRule) -> bool:
    """Whether money of a fund may be spent at a shop, as far as the rule binds that fund."""
    return all(
        status.kind not in bound.excluded_kinds
        and (not bound.only_kinds or status.kind in bound.only_kinds)
        and (not bound.only_regions or status.region in bound.only_regions)
        for bound in rule.funds
        if names.belongs(fund, (bound.fund,))
    )


def last_recheck(rule: MerchantRule, day: date) -> date | None:
    """The latest first-of-month on or before a day on which statuses were to be checked again."""
    if not rule.recheck_months:
        return None
    days = [date(y, m, 1) for y in (day.year - 1, day.year) for m in rule.recheck_months]
    return max(d for d in days if d <= day)


def needs_recheck(status: MerchantStatus, rule: MerchantRule, day: date) -> bool:
    """Whether a status has not been looked at since the last check day."""
    due = last_recheck(rule, day)
    return due is not None and status.checked_on < due


def overdue(status: MerchantStatus, rule: MerchantRule, day: date) -> bool:
    """Whether the check is so late that the rule stops ordinary value."""
    due = last_recheck(rule, day)
    if due is None or rule.recheck_grace_days is None or status.checked_on >= due:
        return False
    return day > due + timedelta(days=rule.recheck_grace_days)


def _within(status: MerchantStatus, limit: int | None) -> bool:
    return limit is None or status.yearly_sales_krw <= limit


def _exception_of(status: MerchantStatus, rule: MerchantRule) -> str:
    for one in rule.exceptions:
        if (
            status.region in one.regions
            and (not one.kinds or status.kind in one.kinds)
            and _within(status, one.sales_limit_krw)
        ):
            return one.code
    return ""


def _exception(at: Fields) -> SalesException:
    made = SalesException(
        at.text("code"), frozenset(at.texts("regions")), frozenset(at.texts("kinds", [])),
        at.maybe_won("sales_limit_krw"),
    )  # fmt: skip
    at.close()
    return made


def _fund(at: Fields) -> FundRule:
    made = FundRule(
        at.text("fund"), frozenset(at.texts("excluded_kinds", [])),
        frozenset(at.texts("only_kinds", [])), frozenset(at.texts("only_regions", [])),
    )  # fmt: skip
    at.close()
    return made
