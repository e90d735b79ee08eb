"""Settlement: when a shop is paid for a day, at what fee, and how much of the fee the city repays.

A day's sales less cancellations are paid on the n-th business day after (D+n). The fee is by the
shop's yearly sales; the city's subsidy repays a part of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from onsil.core.refusal import Refusal
from onsil.ledger.rules import names, words
from onsil.ledger.rules.business_days import business_days_later
from onsil.ledger.rules.fields import Fields
from onsil.ledger.rules.shares import FLOOR, ROUNDINGS, percent_of
from onsil.ledger.terms import Leg, LotFilter, TransferRequest


@dataclass(frozen=True)
class FeeClass:
    """The fee of shops that sell up to a bound a year (None: any), and the city's share of it."""

    code: str
    ko: str
    en: str
    percent: Decimal
    subsidy_percent: Decimal = Decimal(0)
    up_to_sales_krw: int | None = None


@dataclass(frozen=True)
class SettlementRule:
    """`days`: D+n in business days. `fees` by ascending bound. A day's net below `minimum_krw` is
    carried to the next settlement. `closed_days` are added to Korea's holidays. `subsidy_year_krw`
    is what the city plans to repay of fees in a year."""

    days: int
    fees: tuple[FeeClass, ...]
    rounding: str = FLOOR
    minimum_krw: int = 0
    closed_days: tuple[date, ...] = ()
    subsidy_year_krw: int = 0


@dataclass(frozen=True)
class Figure:
    """What a shop is owed for a day. `gross` less `cancelled` less `cashback` (what the shop itself
    gave back) less `fee` plus `subsidy` is `net`.

    `carried`: below the rule's minimum, so it waits for the next settlement.
    """

    merchant: UUID
    gross: int
    cancelled: int
    fee: int
    subsidy: int
    pay_day: date
    fee_class: str
    carried: bool = False
    cashback: int = 0

    @property
    def sales(self) -> int:
        return self.gross - self.cancelled

    @property
    def net(self) -> int:
        return self.sales - self.cashback - self.fee + self.subsidy


def read(at: Fields) -> SettlementRule:
    """The fields of a `[[settlement]]` table."""
    fees = tuple(_fee(one) for one in at.tables("fee"))
    rule = SettlementRule(
        days=at.whole("days", least=0, most=30),
        fees=tuple(sorted(fees, key=lambda f: (f.up_to_sales_krw is None, f.up_to_sales_krw or 0))),
        rounding=at.choice("rounding", ROUNDINGS, FLOOR),
        minimum_krw=at.won("minimum_krw", 0),
        closed_days=at.days("closed_days"),
        subsidy_year_krw=at.won("subsidy_year_krw", 0),
    )
    bounds = [fee.up_to_sales_krw for fee in fees]
    if len(set(bounds)) < len(bounds):
        at.refuse("fee", "two fees have the same up_to_sales_krw")
    if None not in bounds:
        at.refuse("fee", "needs one entry without up_to_sales_krw")
    return rule


def pay_day(sales_day: date, rule: SettlementRule) -> date:
    """The day on which sales of a day are paid: the n-th business day after it."""
    return business_days_later(sales_day, rule.days, rule.closed_days)


def fee_class(yearly_sales: int, rule: SettlementRule) -> FeeClass | Refusal:
    """The fee class of a shop. Refusal: `fee-class-missing`."""
    for fee in rule.fees:
        if fee.up_to_sales_krw is None or yearly_sales <= fee.up_to_sales_krw:
            return fee
    return words.fee_class_missing(yearly_sales)


def fee_of(sales: int, fee: FeeClass, rounding: str = FLOOR) -> tuple[int, int]:
    """The fee of a day's sales and the subsidy that repays a part of it, in whole won.

    The fee never is above the sales, the subsidy never above the fee.
    """
    charged = min(sales, percent_of(sales, fee.percent, rounding))
    return charged, min(charged, percent_of(charged, fee.subsidy_percent, rounding))


def figure(
    merchant: UUID, gross: int, cancelled: int, yearly_sales: int, sales_day: date,
    rule: SettlementRule, cashback: int = 0,
) -> Figure | Refusal:  # fmt: skip
    """A shop's settlement of a day. Refusal: `fee-class-missing`."""
    fee = fee_class(yearly_sales, rule)
    if isinstance(fee, Refusal):
        return fee
    charged, repaid = fee_of(gross - cancelled, fee, rule.rounding)
    paid = pay_day(sales_day, rule)
    made = Figure(merchant, gross, cancelled, charged, repaid, paid, fee.code, cashback=cashback)
    if made.sales and made.net < rule.minimum_krw:
        return Figure(merchant, gross, cancelled, 0, 0, paid, fee.code, True, cashback)
    return made


def settle_legs(
    *, merchant: object, shop: str, payable: str, local: str, sales: int, fee: int, cashback: int,
    expired: int = 0,
) -> tuple[Leg, ...]:  # fmt: skip
    """The local currency back to its issuer, its won to the shop's payable, and out of these the
    fee and the cashback that the shop itself gave.

    `expired`: so much of the takings was valid when it was paid and has ended since; the shop is
    owed it all the same.
    """
    ended = min(expired, sales)
    legs = [Leg(names.TRUST, payable, names.KRW, sales)]
    if sales > ended:
        legs.append(Leg(shop, names.ISSUER, local, sales - ended))
    if ended:
        legs.append(Leg(shop, names.ISSUER, local, ended, only=LotFilter(expired=True)))
    if fee:
        legs.append(Leg(payable, names.FEES, names.KRW, fee))
    if cashback:
        legs.append(Leg(payable, names.shop_receivable(merchant), names.KRW, cashback))
    return tuple(legs)


def subsidy_request(*, payable: str, subsidy: int, key: str, origin_id: str) -> TransferRequest:
    """The city's repayment of the fee. A transfer of its own: where the subsidy's budget is empty,
    the shop still gets the rest."""
    return TransferRequest(
        key=key, kind="fee-subsidy", origin_kind="settlement", origin_id=origin_id,
        legs=(Leg(names.SUBSIDY, payable, names.KRW, subsidy),),
    )  # fmt: skip


def add_up(figures: Sequence[Figure]) -> dict[str, int]:
    """The sums of a day's figures, by name of the column."""
    columns = ("gross", "cancelled", "cashback", "fee", "subsidy", "net")
    return {name: sum(getattr(f, name) for f in figures if not f.carried) for name in columns}


def _fee(at: Fields) -> FeeClass:
    made = FeeClass(
        at.text("code"), at.text("ko"), at.text("en"), at.percent("percent"),
        at.percent("subsidy_percent", 0), at.maybe_won("up_to_sales_krw"),
    )  # fmt: skip
    at.close()
    return made
