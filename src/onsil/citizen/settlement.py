"""A day's settlement: what each shop is owed, and the file that says so."""

import csv
import hashlib
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from onsil.core.periods import Period, local_day, local_days

HEADER = (
    "정산대상일 sales day", "지급예정일 pay day", "가맹점번호 merchant id", "가맹점명 merchant",
    "사업자등록번호 business number", "결제건수 payments", "결제금액 gross KRW",
    "취소건수 cancelled", "취소금액 cancelled KRW", "지급금액 net KRW",
)  # fmt: skip
SHOP_HEADER = (
    "정산대상일 sales day", "지급예정일 pay day", "결제시각 time", "확인번호 code", "상태 state",
    "결제금액 amount KRW", "지급금액 owed KRW",
)  # fmt: skip
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class Sale:
    """One payment as settlement sees it, in won: no payer in it. `cancelled` is what of it was
    taken back."""

    merchant_id: UUID
    amount: int
    cancelled: int


@dataclass(frozen=True)
class Payee:
    """The shop a line is for."""

    merchant_id: UUID
    name: str
    business_number: str


@dataclass(frozen=True)
class Line:
    """What one shop is owed for one day, in won. `net` is `gross` less `cancelled`."""

    payee: Payee
    payments: int
    gross: int
    cancellations: int
    cancelled: int

    @property
    def net(self) -> int:
        return self.gross - self.cancelled


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
    """The latest sales day that may be settled: yesterday in the city (D+1)."""
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
        figure = figures.setdefault(sale.merchant_id, [0, 0, 0, 0])
        figure[0] += 1
        figure[1] += sale.amount
        if sale.cancelled:
            figure[2] += 1
            figure[3] += sale.cancelled
    made = [Line(known[merchant], *figure) for merchant, figure in figures.items()]
    return tuple(sorted(made, key=lambda x: (x.payee.business_number, x.payee.merchant_id)))


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
            row.cancellations, row.cancelled, row.net,
        ])  # fmt: skip
    writer.writerow([
        day.isoformat(), pay_day.isoformat(), "", "합계 total", "",
        sum(r.payments for r in rows), sum(r.gross for r in rows),
        sum(r.cancellations for r in rows), sum(r.cancelled for r in rows),
        sum(r.net for r in rows),
    ])  # fmt: skip
    return out.getvalue().encode("utf-8-sig")


def shop_file_bytes(day: date, pay_day: date, rows: Sequence[ShopRow]) -> bytes:
    """A shop's own file: one row a payment, by local time and confirmation code, and a total."""
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
    return out.getvalue().encode("utf-8-sig")


def file_digest(content: bytes) -> str:
    """SHA-256 of the file, in lower-case hex, as told beside the download."""
    return hashlib.sha256(content).hexdigest()


def _cell(text: str) -> str:
    """A name that a spreadsheet would run as a formula is told as text."""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text
