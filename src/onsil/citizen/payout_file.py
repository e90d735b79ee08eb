"""The file that tells the bank which refunds to pay: one row a refund, and a total. Pure."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

HEADER = (
    "지급일 pay day", "은행 bank", "계좌번호 account", "예금주 holder", "금액 amount KRW",
    "통장표시 reference",
)  # fmt: skip
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class Payout:
    """One payment the bank is to make; `reference` is what stands in both statements."""

    bank: str
    account: str
    holder: str
    amount: int
    reference: str


def file_bytes(day: date, payouts: Sequence[Payout]) -> bytes:
    """CSV with a byte-order mark, account numbers as text, and a closing total."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(HEADER)
    for one in payouts:
        writer.writerow([
            day.isoformat(), _cell(one.bank), one.account, _cell(one.holder), one.amount,
            one.reference,
        ])  # fmt: skip
    total = sum(one.amount for one in payouts)
    writer.writerow([day.isoformat(), "", "", "합계 total", total, f"{len(payouts)}"])
    return out.getvalue().encode("utf-8-sig")


def _cell(text: str) -> str:
    """A name that a spreadsheet would run as a formula is told as text."""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text
