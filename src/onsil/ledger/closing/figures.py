"""A day's figures, cut at the city's midnight, and what stands in the way of closing it."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from onsil.core.clock import Clock
from onsil.core.database import Connection
from onsil.core.periods import Period, local_day, local_days
from onsil.core.refusal import Refusal
from onsil.ledger import reconciliation
from onsil.ledger.accounts import accounts
from onsil.ledger.closing import judging
from onsil.ledger.closing.terms import AccountFigures, Adjustment, Figures
from onsil.ledger.conservation import conservation
from onsil.ledger.queries import balance_at, statement
from onsil.ledger.reconciliation import BankAccount, Finding, Setup
from onsil.ledger.statements import read_statement
from onsil.ledger.terms import Account

WON = "KRW"
AGES = ((1, "0-1"), (7, "2-7"), (30, "8-30"))
OLDEST = "31-"
_INSTANT = timedelta(microseconds=1)
_PEOPLE = ("citizen:", "merchant:", "company:", "quota:")
_MANY = "payable:"


def day_period(day: date, zone: ZoneInfo) -> Period:
    """The instants of a day, cut at the city's own midnights."""
    return local_days(day, day + timedelta(days=1), zone)


def figures(
    conn: Connection, city: str, setup: Setup, day: date, zone: ZoneInfo, clock: Clock,
    last_closed: date | None,
) -> Figures:  # fmt: skip
    """What a day comes to as known now. Reads only; matching is brought up to date before it."""
    period = day_period(day, zone)
    cut = period.end - _INSTANT
    won = [a for a in accounts(conn, city, asset=WON) if not a.code.startswith(_PEOPLE)]
    held = {a.code: _balance(conn, city, a, cut) for a in won}
    balances = {code: amount for code, amount in held.items() if not code.startswith(_MANY)}
    balances["payable"] = sum(a for code, a in held.items() if code.startswith(_MANY))
    circulating = -balance_at(conn, city, "issuer:local", f"local:{city}", cut)
    found = tuple(
        _account(conn, city, one, day, held) for one in sorted(
            setup.accounts.values(), key=lambda a: a.code)
    )  # fmt: skip
    adjustments = tuple(_adjustments(conn, city, won, period, zone, last_closed, clock))
    pending = sum(a.held for a in accounts(conn, city))
    trust = held.get("trust:local", 0)
    reasons = judging.reasons(
        setup, found, conservation(conn, city), circulating, trust, pending, adjustments,
        len(reconciliation.waiting_proposals(conn, city)),
    )  # fmt: skip
    return Figures(
        city, day, period.end, balances, circulating, trust, pending, found, adjustments, reasons
    )


def _balance(conn: Connection, city: str, account: Account, cut: datetime) -> int:
    """The balance at an instant; for an account at rest since then it is the present one."""
    newest = statement(conn, city, account.code, account.asset, 1)
    if not newest or newest[0].at <= cut:
        return account.balance
    return balance_at(conn, city, account.code, account.asset, cut)


def _account(
    conn: Connection, city: str, one: BankAccount, day: date, held: Mapping[str, int]
) -> AccountFigures:
    sums = reconciliation.sums(conn, city, one.code, day)
    open_now = reconciliation.exceptions(conn, city, one, day + timedelta(days=1), day)
    return AccountFigures(
        code=one.code,
        covered=reconciliation.is_covered(conn, city, one.code, day),
        book=_book(one, held),
        bank=reconciliation.balance_on(conn, city, one.code, day) if one.holds else None,
        matched=sums.matched, matched_sum=sums.matched_sum,
        open_bank=sums.open_bank, open_bank_sum=sums.open_bank_sum,
        open_book=sums.open_book, open_book_sum=sums.open_book_sum,
        tolerated=sums.tolerated,
        exceptions=by_age(open_now),
        oldest_days=max((f.age_days for f in open_now), default=0),
    )  # fmt: skip


def _book(one: BankAccount, held: Mapping[str, int]) -> int:
    """What the ledger says the bank account holds; corrections lie in it, too."""
    if not one.holds:
        return 0
    exact = {c.account for c in one.corrections} | {h for h in one.holds if not h.endswith(":")}
    prefixes = tuple(h for h in one.holds if h.endswith(":"))
    return sum(
        amount for code, amount in held.items()
        if code in exact or (prefixes and code.startswith(prefixes))
    )  # fmt: skip


def by_age(found: Iterable[Finding]) -> dict[str, int]:
    """How many exceptions are how old; every span is named."""
    ages = {**{name: 0 for _, name in AGES}, OLDEST: 0}
    for one in found:
        ages[next((name for most, name in AGES if one.age_days <= most), OLDEST)] += 1
    return ages


def _adjustments(
    conn: Connection, city: str, won: Iterable[Account], period: Period, zone: ZoneInfo,
    last_closed: date | None, clock: Clock,
) -> Iterable[Adjustment]:  # fmt: skip
    """Postings of the day that count for a day already closed."""
    if last_closed is None:
        return
    closed_until = day_period(last_closed, zone).end
    for account in won:
        newest = statement(conn, city, account.code, WON, 1)
        if not newest or newest[0].at < period.start:
            continue
        made = read_statement(conn, city, account.code, WON, period, clock)
        if isinstance(made, Refusal):
            continue
        for line in made.lines():
            if line.effective_at < closed_until:
                yield Adjustment(
                    line.transfer_id, line.kind, account.code, local_day(line.effective_at, zone),
                    line.amount,
                )  # fmt: skip
