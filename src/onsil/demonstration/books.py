"""The end of the day: a simulated bank file of the trust account, matched, and yesterday closed."""

from itertools import groupby

from onsil.console.books import work
from onsil.core.clock import SystemClock
from onsil.core.refusal import Refusal
from onsil.ledger import closing, reconciliation
from onsil.ledger.reconciliation import Line
from onsil.tenancy import current_city, transaction
from onsil.tenancy.cities import city as city_profile

CLOCK = SystemClock()
ACCOUNT, FORM = "trust", "simulated-bank-csv"
INTEREST_KRW = 120
_HEAD = "거래일자,거래시간,출금금액,입금금액,잔액,적요,보낸분/받는분,거래메모,거래번호"


def close_the_day(actor: str) -> closing.Close | Refusal | None:
    """Bring the bank's word of today in once, leave one exception to resolve, close yesterday.

    None when yesterday was closed before, or the city keeps no such account.
    """
    city = current_city()
    if ACCOUNT not in work.setup_of(city).accounts:
        return None
    work.run_rules(city, CLOCK)
    with transaction() as tx:
        known = reconciliation.imported_files(tx, city, 1, ACCOUNT)
        lines = reconciliation.open_lines(tx, city, ACCOUNT, "book")
    if not known and lines:
        done = work.bring_in(
            city, ACCOUNT, FORM, "simulated-bank.csv", bank_file(lines), actor, CLOCK
        )
        if isinstance(done, Refusal):
            return done
    made, no = work.close_yesterday(city, CLOCK)
    return made[-1] if made else no


def bank_file(lines: list[Line]) -> bytes:
    """What a bank would say of these book lines: transfers from the budgets as one sum a day,
    others singly, and interest that the books do not know yet."""
    zone = city_profile(current_city()).zone
    rows, balance = [_HEAD], 0

    def say(day: str, amount: int, text: str, reference: str = "") -> None:
        nonlocal balance
        balance += amount
        out, come = (0, amount) if amount > 0 else (-amount, 0)
        rows.append(f"{day},00:00:00,{out},{come},{balance},{text},,{reference},S{len(rows)}")

    for day, group in groupby(sorted(lines, key=lambda line: (line.day, line.at)), lambda x: x.day):
        of_day = list(group)
        swept = sum(line.amount for line in of_day if not line.text.startswith("external:"))
        if swept:
            say(day.isoformat(), swept, "예산 일괄 이체(모의)")
        for line in of_day:
            if line.text.startswith("external:"):
                say(day.isoformat(), line.amount, "이체(모의)", line.reference.replace(",", " "))
    today = CLOCK.now().astimezone(zone).date()
    say(today.isoformat(), INTEREST_KRW, "예금이자(모의)")
    return ("\r\n".join(rows) + "\r\n").encode("utf-8-sig")
