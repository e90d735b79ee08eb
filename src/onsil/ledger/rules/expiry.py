"""Expiry: until when value of a fund holds, who is told when, and who keeps what is left over.

Value ends at the city's midnight after its last day.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from onsil.core.periods import local_day, midnight
from onsil.ledger.rules import names
from onsil.ledger.rules.fields import Fields
from onsil.ledger.terms import Leg, TransferRequest


@dataclass(frozen=True)
class Term:
    """How long value of a fund (or group) holds. One of: `years` or `months` from the day it was
    issued, or the end of the calendar year it was issued in (`year_end`)."""

    fund: str
    years: int = 0
    months: int = 0
    year_end: bool = False


@dataclass(frozen=True)
class Breakage:
    """Who gets the won behind a fund's expired value, instead of `breakage:<fund>`."""

    fund: str
    account: str


@dataclass(frozen=True)
class ExpiryRule:
    """`notice_days`: how many days before the end people are told, e.g. 30, 7 and 1."""

    terms: tuple[Term, ...] = ()
    notice_days: tuple[int, ...] = (30, 7, 1)
    breakage: tuple[Breakage, ...] = ()


@dataclass(frozen=True)
class Notice:
    """`amount` won of a fund end at `expires_at`, so many days from today."""

    days: int
    fund: str
    amount: int
    expires_at: datetime


def read(at: Fields) -> ExpiryRule:
    """The fields of an `[[expiry]]` table."""
    return ExpiryRule(
        terms=tuple(_term(one) for one in at.tables("term")),
        notice_days=at.wholes("notice_days", [30, 7, 1], 0, 366),
        breakage=tuple(_breakage(one) for one in at.tables("breakage")),
    )


def expires_at(issued: date, fund: str, rule: ExpiryRule, zone: ZoneInfo) -> datetime | None:
    """The city's midnight at which value of a fund, issued on a day, ends; None: never.

    Terms are looked through in order; the first whose fund fits holds.
    """
    term = next((t for t in rule.terms if names.belongs(fund, (t.fund,))), None)
    if term is None:
        return None
    if term.year_end:
        return midnight(date(issued.year + 1, 1, 1), zone)
    months = issued.month - 1 + term.months + 12 * term.years
    year, month = issued.year + months // 12, months % 12 + 1
    try:
        return midnight(date(year, month, issued.day), zone)
    except ValueError:  # no such day in that month: the month's end
        return midnight(date(year + month // 12, month % 12 + 1, 1), zone)


def ends(last_day: date, zone: ZoneInfo) -> datetime:
    """The instant at which value ends whose last day of use is `last_day`."""
    return midnight(last_day + timedelta(days=1), zone)


def last_day(expires: datetime, zone: ZoneInfo) -> date:
    """The last day of use of value that ends at an instant."""
    return local_day(expires - timedelta(microseconds=1), zone)


def notices(
    lots: Iterable[tuple[str, datetime | None, int]], rule: ExpiryRule, today: date, zone: ZoneInfo
) -> tuple[Notice, ...]:
    """What to tell the owner of lots (fund, end, amount) today: value whose last day is one of
    `notice_days` days away, summed by fund and end, soonest first."""
    due: dict[tuple[datetime, str], int] = {}
    for fund, expires, amount in lots:
        if expires is None or amount <= 0:
            continue
        if (last_day(expires, zone) - today).days in rule.notice_days:
            due[(expires, fund)] = due.get((expires, fund), 0) + amount
    return tuple(
        Notice((last_day(expires, zone) - today).days, fund, amount, expires)
        for (expires, fund), amount in sorted(due.items())
    )


def breakage_account(fund: str, rule: ExpiryRule) -> str:
    """The KRW account that gets the won behind a fund's expired value."""
    for one in rule.breakage:
        if names.belongs(fund, (one.fund,)):
            return one.account
    return names.breakage(fund)


def breakage_request(
    *, expired: Iterable[tuple[str, int]], rule: ExpiryRule, key: str, at: datetime
) -> TransferRequest | None:
    """Won out of the trust for local currency that has expired, per (fund, amount)."""
    sums: dict[str, int] = {}
    for fund, amount in expired:
        account = breakage_account(fund, rule)
        sums[account] = sums.get(account, 0) + amount
    legs = tuple(
        Leg(names.TRUST, account, names.KRW, won) for account, won in sorted(sums.items()) if won
    )
    if not legs:
        return None
    return TransferRequest(key=key, kind="breakage", legs=legs, effective_at=at)


def _term(at: Fields) -> Term:
    made = Term(
        at.text("fund"), at.whole("years", 0, 0, 50), at.whole("months", 0, 0, 600),
        at.flag("year_end", False),
    )  # fmt: skip
    if bool(made.years or made.months) == made.year_end:
        at.refuse("years", "give years or months, or year_end = true")
    at.close()
    return made


def _breakage(at: Fields) -> Breakage:
    made = Breakage(at.text("fund"), at.text("account"))
    at.close()
    return made
