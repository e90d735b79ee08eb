"""Values of a file's cells, and the one list of everything in it that cannot be read. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from zoneinfo import ZoneInfo

from onsil.ledger.reconciliation.formats import Format
from onsil.ledger.reconciliation.terms import BadLine, RawLine
from onsil.ledger.terms import AMOUNT_MAX

BAD_LINES_MAX = 50
_SHOWN = 60
_SPACES = re.compile(r"\s+")


@dataclass
class Problems:
    """What was wrong with a file, in the order found; further ones only counted."""

    found: list[BadLine] = field(default_factory=list)
    more: int = 0

    def add(self, number: int, name: str, value: object, ko: str, en: str) -> None:
        if len(self.found) >= BAD_LINES_MAX:
            self.more += 1
            return
        self.found.append(BadLine(number, name, str(value)[:_SHOWN], ko, en))

    def __bool__(self) -> bool:
        return bool(self.found)


def as_day(value: object, formats: tuple[str, ...]) -> date | None:
    """A date from a typed cell or a text in one of the formats; None when it is none."""
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    return next((t.date() for f in formats if (t := _parsed(str(value).strip(), f))), None)


def as_time(value: object, formats: tuple[str, ...]) -> time | None:
    if isinstance(value, datetime):
        return value.time()
    if isinstance(value, time):
        return value
    return next((t.time() for f in formats if (t := _parsed(str(value).strip(), f))), None)


def _parsed(text: str, form: str) -> datetime | None:
    try:
        return datetime.strptime(text, form)  # noqa: DTZ007 - a bank writes local time without a zone
    except ValueError:
        return None


def as_won(value: object) -> int | None:
    """Whole won from `1,234`, `1234.00`, `₩1,234`, `-5` or a number; None when it is none."""
    text = _SPACES.sub("", str(value)).replace(",", "").removeprefix("₩").removesuffix("원")
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    if not number.is_finite() or number != number.to_integral_value():
        return None
    return int(number) if abs(number) <= AMOUNT_MAX else None


def is_empty(value: object) -> bool:
    return value is None or not str(value).strip()


def line_of(
    number: int, cells: Mapping[str, object], form: Format, zone: ZoneInfo, problems: Problems
) -> RawLine | None:
    """One line from its cells by field name; None when something in it is wrong, which is told.

    A line of no amount (a bank's remark) is None without a problem.
    """
    before = len(problems.found) + problems.more
    day = as_day(cells.get("day", ""), form.date_formats)
    if day is None:
        wanted = ", ".join(form.date_formats)
        problems.add(number, "day", cells.get("day", ""), f"날짜가 아닙니다({wanted}).",
                     f"not a date ({wanted})")  # fmt: skip
    moment = time()
    if not is_empty(cells.get("time")):
        found = as_time(cells["time"], form.time_formats)
        if found is None:
            problems.add(number, "time", cells["time"], "시각이 아닙니다.", "not a time of day")
        moment = found or moment
    elif isinstance(raw := cells.get("day"), datetime):
        moment = raw.time()
    elif day is not None:
        moment = as_time(cells["day"], form.date_formats) or moment
    amount = _amount(number, cells, form, problems)
    balance = _optional_won(number, "balance", cells, problems)
    if len(problems.found) + problems.more > before or day is None or not amount:
        return None
    at = datetime.combine(day, moment, zone)
    words = {name: _text(cells.get(name)) for name in ("reference", "text", "party", "bank_id")}
    return RawLine(number, day, at, amount, balance, **words)


def _text(value: object) -> str:
    """A cell as text; a whole number that a spreadsheet keeps as 12.0 is 12."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return _SPACES.sub(" ", str(value)).strip()


def _optional_won(
    number: int, name: str, cells: Mapping[str, object], problems: Problems
) -> int | None:
    if is_empty(cells.get(name)):
        return None
    found = as_won(cells[name])
    if found is None:
        problems.add(
            number, name, cells[name], "원 단위 금액이 아닙니다.", "not an amount in whole won"
        )
    return found


def _amount(
    number: int, cells: Mapping[str, object], form: Format, problems: Problems
) -> int | None:
    if "amount" in cells:
        if is_empty(cells["amount"]):
            problems.add(number, "amount", "", "금액이 비어 있습니다.", "the amount is missing")
            return None
        found = _optional_won(number, "amount", cells, problems)
        return found if found is None or "sign" not in cells else _signed(
            number, found, cells["sign"], form, problems
        )  # fmt: skip
    came = _optional_won(number, "incoming", cells, problems) or 0
    went = _optional_won(number, "outgoing", cells, problems) or 0
    if came and went:
        problems.add(number, "outgoing", cells.get("outgoing"), "입금과 출금이 함께 적혀 있습니다.",
                     "both a credit and a debit")  # fmt: skip
        return None
    if came < 0 or went < 0:
        problems.add(number, "incoming", came or went, "금액이 0보다 작습니다.", "below zero")
        return None
    return came - went


def _signed(number: int, amount: int, sign: object, form: Format, problems: Problems) -> int | None:
    word = _text(sign)
    if word in form.in_words:
        return amount
    if word in form.out_words:
        return -amount
    wanted = ", ".join(sorted(form.in_words | form.out_words))
    problems.add(number, "sign", word, f"입출금 구분을 알 수 없습니다({wanted}).",
                 f"neither in nor out ({wanted})")  # fmt: skip
    return None
