"""Budgets: which source pays what, and on which day the money will be gone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_FLOOR, Decimal

from onsil.rewards.terms import Pot, Share

WEEKS_LOOKED_BACK = 8
# Two-sided 80 % of a normal distribution.
NORMAL_80 = Decimal("1.2816")


def allot(krw: int, pots: Sequence[Pot]) -> tuple[Share, ...]:
    """Pay an amount from sources in their order, each until it is empty.

    The caller has made sure that they hold enough together.
    """
    shares: list[Share] = []
    for pot in pots:
        part = min(krw, pot.left)
        if part > 0:
            shares.append(Share(pot.source, part))
            krw -= part
    assert krw == 0, "an award was decided beyond its budget"
    return tuple(shares)


@dataclass(frozen=True)
class Forecast:
    """When a year's budget will be used up, at the pace of the last weeks.

    `state`: `lasts` (beyond the year's end), `short` (ends before), `warning` (ends before, and
    within the weeks for which a warning is due), `empty`, `unspent` (no spending to go by) and
    `closed` (the year is over). The interval holds four cases in five.
    """

    state: str
    weekly_krw: Decimal
    run_out: date | None = None
    run_out_earliest: date | None = None
    run_out_latest: date | None = None
    weeks_left: Decimal | None = None


def forecast(
    amount_krw: int,
    spent_krw: Mapping[date, int],
    today: date,
    year: int,
    warn_weeks: int,
) -> Forecast:
    """Project a year's spending by the mean of up to eight whole weeks before `today`.

    `spent_krw` holds what was awarded for each local day. The spread of those weeks gives the
    interval (mean ± 1.28 standard errors).
    """
    left = amount_krw - sum(spent_krw.values())
    year_end = date(year + 1, 1, 1)
    weeks = _weekly(spent_krw, today)
    mean = sum(weeks, Decimal(0)) / len(weeks) if weeks else Decimal(0)
    if left <= 0:
        return Forecast("empty", mean, run_out=None, weeks_left=Decimal(0))
    if today >= year_end:
        return Forecast("closed", mean)
    if mean <= 0:
        return Forecast("unspent", mean)
    error = _standard_error(weeks, mean) * NORMAL_80
    run_out = _day_after(today, left, mean)
    weeks_left = (Decimal(left) / mean).quantize(Decimal("0.1"), rounding=ROUND_FLOOR)
    if run_out is None or run_out >= year_end:
        state = "lasts"
    elif weeks_left <= warn_weeks:
        state = "warning"
    else:
        state = "short"
    return Forecast(
        state,
        mean,
        run_out,
        _day_after(today, left, mean + error),
        _day_after(today, left, mean - error),
        weeks_left,
    )


def _weekly(spent: Mapping[date, int], today: date) -> list[Decimal]:
    """Spending of each whole week before today, newest first, back to the first day of any."""
    if not spent:
        return []
    first = min(spent)
    sums: list[Decimal] = []
    for back in range(WEEKS_LOOKED_BACK):
        end = today - timedelta(weeks=back)
        start = end - timedelta(weeks=1)
        if end <= first:
            break
        sums.append(Decimal(sum(krw for day, krw in spent.items() if start <= day < end)))
    return sums


def _standard_error(weeks: Sequence[Decimal], mean: Decimal) -> Decimal:
    if len(weeks) < 2:
        return Decimal(0)
    variance = sum(((w - mean) ** 2 for w in weeks), Decimal(0)) / (len(weeks) - 1)
    return (variance / len(weeks)).sqrt()


def _day_after(today: date, left: int, weekly: Decimal) -> date | None:
    """The day on which `left` is gone at a pace; None when that is over a century away or never."""
    if weekly <= 0:
        return None
    days = (Decimal(left) * 7 / weekly).to_integral_value(ROUND_FLOOR)
    return None if days > 36_500 else today + timedelta(days=int(days))
