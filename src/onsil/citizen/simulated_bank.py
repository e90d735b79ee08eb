"""A bank that exists in demonstrations only: it writes the file a real one would send.

The file goes in through the same door as a real bank's, in the format `simulated-bank-csv`, and
everything from it is labelled as simulated wherever a person sees it. Pure.
"""

import csv
import io
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

FORMAT = "simulated-bank-csv"
HEADER = ("거래일자", "거래시간", "출금금액", "입금금액", "잔액", "적요", "보낸분/받는분",
          "거래메모", "거래번호")  # fmt: skip


@dataclass(frozen=True)
class PaidIn:
    """Money that somebody pays in: `memo` is what stands beside it in the bank's file."""

    at: datetime
    amount: int
    payer: str
    memo: str
    number: str


def file_bytes(paid: list[PaidIn], zone: ZoneInfo) -> bytes:
    """The bank's file, as a spreadsheet reads it."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(HEADER)
    for one in paid:
        local = one.at.astimezone(zone)
        writer.writerow([
            local.strftime("%Y-%m-%d"), local.strftime("%H:%M:%S"), "", one.amount, "",
            "모의 입금 simulated", one.payer, one.memo, one.number,
        ])  # fmt: skip
    return out.getvalue().encode("utf-8-sig")
