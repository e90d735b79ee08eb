"""A programme's budget as officials read it: sources, what is left, the day it runs out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

_STATUS = {"empty": "bad", "warning": "watch", "short": "watch", "closed": "info"}


@dataclass(frozen=True)
class BudgetCard:
    """One budget year of a programme, ready to show."""

    programme: str
    name: str
    year: int
    amount: int
    used: int
    left: int
    share_used: Decimal
    status: str
    message: str
    run_out: date | None
    sources: Sequence[Any]
    chart: Mapping[str, Any]


def card(status: Any, language: str, today: date) -> BudgetCard:
    """A BudgetStatus of the rewards room with its burn-down chart."""
    state = status.forecast.state
    return BudgetCard(
        programme=status.programme, name=status.name.text(language), year=status.year,
        amount=status.amount, used=status.used, left=status.left, share_used=status.share_used,
        status=_STATUS.get(state, "good"),
        message=status.message.text(language), run_out=status.forecast.run_out,
        sources=tuple(_source(s) for s in status.sources), chart=chart(status, today),
    )  # fmt: skip


def _source(source: Any) -> dict[str, Any]:
    words = {"national": _("국비"), "province": _("도비"), "city": _("시비"), "local": _("지방비"),
             "fund": _("인센티브 기금"), "private": _("민간")}  # fmt: skip
    return {
        "word": words.get(source.source, source.source), "source": source.source,
        "amount": source.amount, "used": source.used, "confirmed": source.confirmed,
        "note": source.note,
    }  # fmt: skip


def chart(status: Any, today: date) -> dict[str, Any]:
    """What was left at each week's end, measured; from there the forecast, dashed, to its end."""
    weeks = burn(status.amount, status.days, status.year, today)
    measured: list[Any] = [left for _week, left in weeks]
    labels = [week.isoformat() for week, _left in weeks]
    modelled: list[Any] = [None] * len(weeks)
    if weeks and status.forecast.weekly_krw > 0:
        ahead = forecast_line(weeks[-1], status.forecast.weekly_krw, status.year)
        modelled[-1] = weeks[-1][1]
        labels += [week.isoformat() for week, _left in ahead]
        measured += [None] * len(ahead)
        modelled += [left for _week, left in ahead]
    return {
        "title": _("남은 예산"), "unit": _("원"), "kind": "line", "labels": labels,
        "label_name": _("주의 끝"), "description": "",
        "series": [{"name": _("실제"), "kind": "measured", "values": measured},
                   {"name": _("이대로라면"), "kind": "modelled", "values": modelled}],
    }  # fmt: skip


def burn(
    amount: int, days: Sequence[tuple[date, int]], year: int, today: date
) -> list[tuple[date, int]]:
    """What was left at each week's end from New Year to today, or to the end of a past year."""
    first, last = date(year, 1, 1), min(today, date(year, 12, 31))
    spent = sorted(days)
    left, points = amount, [(first, amount)]
    while points[-1][0] < last:
        at = points[-1][0]
        ahead = 6 - at.weekday() or 7  # to the coming Sunday
        week = min(at + timedelta(days=ahead), last)
        while spent and spent[0][0] <= week:
            left -= spent.pop(0)[1]
        points.append((week, left))
    return points


def forecast_line(last: tuple[date, int], weekly_krw: Decimal, year: int) -> list[tuple[date, int]]:
    """Week by week from the last known sum at the forecast's pace, to zero or the year's end."""
    line = []
    week, left = last
    end = date(year, 12, 31)
    while left > 0 and week < end:
        week += timedelta(days=7)
        left = max(0, int(left - weekly_krw))
        line.append((min(week, end), left))
    return line
