"""A day's settlement: what each shop is owed, and the file that says so."""

import csv
import hashlib
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from onsil.core.periods import Period, local_day, local_days
from onsil.core.refusal import OperationError, Refusal
from onsil.ledger import rules
from onsil.ledger.rules.settlement import SettlementRule

HEADER = (
    "정산대상일 sales day", "지급예정일 pay day", "가맹점번호 merchant id", "가맹점명 merchant",
    "사업자등록번호 business number", "결제건수 payments", "결제금액 gross KRW",
    "취소건수 cancelled", "취소금액 cancelled KRW", "가맹점 부담 캐시백 shop cashback KRW",
    "수수료 fee KRW", "수수료 지원금 subsidy KRW", "지급금액 net KRW",
)  # fmt: skip
SHOP_HEADER = (
    "정산대상일 sales day", "지급예정일 pay day", "결제시각 time", "확인번호 code", "상태 state",
    "결제금액 amount KRW", "지급금액 owed KRW",
)  # fmt: skip
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class Sale:
    """One payment as settlement sees it, in won: no payer in it. `cancelled` is what of it was
    taken back, `shop_cashback` what the shop itself gave back for it."""

    merchant_id: UUID
    amount: int
    cancelled: int
    shop_cashback: int = 0


@dataclass(frozen=True)
class Payee:
    """The shop a line is for."""

    merchant_id: UUID
    name: str
    business_number: str


@dataclass(frozen=True)
class Line:
    """What one shop is owed for one day, in won.

    `net` is `gross` less `cancelled`, the shop's own cashback and the fee, with the city's subsidy
    of the fee added.
    """

    payee: Payee
    payments: int
    gross: int
    cancellations: int
    cancelled: int
    shop_cashback: int = 0
    fee: int = 0
    subsidy: int = 0
    fee_class: str = ""

    @property
    def sales(self) -> int:
        return self.gross - self.cancelled

    @property
    def net(self) -> int:
        return self.sales - self.shop_cashback - self.fee + self.subsidy


@dataclass(frozen=True)
class ShopRow:
    """One payment in a shop's own file; `at` is in the city's zone."""

    at: datetime
    confirmation: str
    amount: int
    cancelled: int

    @property
    def owed(self) -> int:
        return self.amount - self.cancelled

    @property
    def state(self) -> str:
        if not self.cancelled:
            return "결제 paid"
        return "취소 cancelled" if not self.owed else "부분취소 partly cancelled"


def day_period(day: date, zone: ZoneInfo) -> Period:
    """The instants of a sales day, cut at the city's own midnight."""
    return local_days(day, day + timedelta(days=1), zone)


def due_day(now: datetime, zone: ZoneInfo) -> date:
    """The latest sales day that may be settled: yesterday in the city."""
    return local_day(now, zone) - timedelta(days=1)


def cancellable(paid_at: datetime, now: datetime, zone: ZoneInfo) -> bool:
    """A shop can cancel on the payment's own local day, before it goes into a settlement."""
    return local_day(paid_at, zone) == local_day(now, zone)


def lines(sales: Iterable[Sale], payees: Iterable[Payee]) -> tuple[Line, ...]:
    """One line a shop that sold anything, by business number and id; a payee for every sale.

    Raises KeyError when a sale's shop is not among the payees.
    """
    known = {payee.merchant_id: payee for payee in payees}
    figures: dict[UUID, list[int]] = {}
    for sale in sales:
        figure = figures.setdefault(sale.merchant_id, [0, 0, 0, 0, 0])
        figure[0] += 1
        figure[1] += sale.amount
        if sale.cancelled:
            figure[2] += 1
            figure[3] += sale.cancelled
        figure[4] += sale.shop_cashback
    made = [
        Line(known[merchant], *figure[:4], shop_cashback=figure[4])
        for merchant, figure in figures.items()
    ]
    return tuple(sorted(made, key=lambda x: (x.payee.business_number, x.payee.merchant_id)))


def with_fees(
    rows: Iterable[Line], yearly_sales: Mapping[UUID, int], day: date, rule: SettlementRule
) -> tuple[tuple[Line, ...], frozenset[UUID]]:
    """The lines with the fee and subsidy of the day's rule, and the shops that are carried over.

    Whoever is owed less than the rule's minimum is left out and paid with the next settlement.
    Raises KeyError when a shop's yearly sales are not given, OperationError when the rule names no
    fee for them.
    """
    made, carried = [], set()
    for row in rows:
        shop = row.payee.merchant_id
        figure = rules.settlement.figure(
            shop, row.gross, row.cancelled, yearly_sales[shop], day, rule,
            cashback=row.shop_cashback,
        )  # fmt: skip
        if isinstance(figure, Refusal):
            raise OperationError(figure.en, retry=False)
        if figure.carried:
            carried.add(shop)
        else:
            made.append(
                replace(row, fee=figure.fee, subsidy=figure.subsidy, fee_class=figure.fee_class)
            )
    return tuple(made), frozenset(carried)


def file_bytes(day: date, pay_day: date, rows: Sequence[Line]) -> bytes:
    """The settlement file: CSV with a byte-order mark so that Excel reads the Korean, and a total.

    The same day's same sales give the same bytes; nothing in it depends on when it was made.
    """
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(HEADER)
    for row in rows:
        writer.writerow([
            day.isoformat(), pay_day.isoformat(), str(row.payee.merchant_id),
            _cell(row.payee.name), _cell(row.payee.business_number), row.payments, row.gross,
            row.cancellations, row.cancelled, row.shop_cashback, row.fee, row.subsidy, row.net,
        ])  # fmt: skip
    writer.writerow([
        day.isoformat(), pay_day.isoformat(), "", "합계 total", "",
        sum(r.payments for r in rows), sum(r.gross for r in rows),
        sum(r.cancellations for r in rows), sum(r.cancelled for r in rows),
        sum(r.shop_cashback for r in rows), sum(r.fee for r in rows),
        sum(r.subsidy for r in rows), sum(r.net for r in rows),
    ])  # fmt: skip
    return out.getvalue().encode("utf-8-sig")


def shop_file_bytes(
    day: date, pay_day: date, rows: Sequence[ShopRow], *, cashback: int = 0, fee: int = 0,
    subsidy: int = 0,
) -> bytes:  # fmt: skip
    """A shop's own file: one row a payment, by local time and confirmation code, a total, what is
    taken off and added, and what is paid."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(SHOP_HEADER)
    for row in rows:
        time = row.at.strftime("%Y-%m-%d %H:%M:%S")
        writer.writerow([
            day.isoformat(), pay_day.isoformat(), time, row.confirmation, row.state, row.amount,
            row.owed,
        ])  # fmt: skip
    gross = sum(r.amount for r in rows)
    owed = sum(r.owed for r in rows)
    writer.writerow([
        day.isoformat(), pay_day.isoformat(), "", "", "합계 total", gross, owed,
    ])  # fmt: skip
    for word, won in (
        ("가맹점 부담 캐시백 shop cashback", -cashback), ("수수료 fee", -fee),
        ("수수료 지원금 subsidy", subsidy),
        ("지급금액 net", owed - cashback - fee + subsidy),
    ):  # fmt: skip
        writer.writerow([day.isoformat(), pay_day.isoformat(), "", "", word, "", won])
    return out.getvalue().encode("utf-8-sig")


def file_digest(content: bytes) -> str:
    """SHA-256 of the file, in lower-case hex, as told beside the download."""
    return hashlib.sha256(content).hexdigest()


def _cell(text: str) -> str:
    """A name that a spreadsheet would run as a formula is told as text."""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text
