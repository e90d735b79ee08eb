"""Revenue in the long run: stated tonnes along stated prices, and the double-sale check first."""

from decimal import Decimal
from typing import Any

from django.http import HttpResponse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from onsil.console.frame import STAFF, Request, needs, page
from onsil.console.market.forms import ForecastForm
from onsil.core.clock import SystemClock
from onsil.core.periods import local_day
from onsil.core.refusal import Refusal
from onsil.footprint import market

_CLOCK = SystemClock()
_WHOLE = 100


def stream(data: dict[str, Any], name: str, programme: str, source: str) -> market.Stream:
    """One programme's stream as the form states it, with three price paths."""
    first, growth = data[f"{name}_price"], data["growth_pct"]
    paths = (
        market.PricePath("low", first, -growth),
        market.PricePath("base", first),
        market.PricePath("high", first, growth),
    )
    share = (int(data[f"{name}_from"] * _WHOLE), int(data[f"{name}_to"] * _WHOLE))
    tonnes = data["tonnes"] * (share[1] - share[0]) / (_WHOLE * 100)
    return market.Stream(
        name, programme, data["first_year"], data[f"{name}_years"], tonnes, {source: share}, paths
    )


@require_safe
@needs(*STAFF)
def projection(request: Request) -> HttpResponse:
    """What compliance and voluntary credits may bring; refused when they sell the same tonnes."""
    this_year = local_day(_CLOCK.now(), request.city.zone).year
    form = ForecastForm(request.GET or None, initial={"first_year": this_year + 1})
    found: list[market.Projection] = []
    twice = ""
    if form.is_bound and form.is_valid():
        data = form.cleaned_data
        source = _("같은 감축량")
        made = market.project(
            [
                stream(data, "compliance", "kr-offset", source),
                stream(data, "voluntary", "voluntary", source),
            ]
        )
        if isinstance(made, Refusal):
            twice = made.text(get_language() or "ko")
        else:
            found = made
    words = {"compliance": _("규제시장"), "voluntary": _("자발적 시장")}
    paths = {"low": _("낮은 가격"), "base": _("기준 가격"), "high": _("높은 가격")}
    rows = [
        {"stream": words[p.stream], "path": paths[p.path], "years": len(p.by_year),
         "total_krw": p.total_krw, "base": p.path == "base"}
        for p in found
    ]  # fmt: skip
    return page(
        request, "console/market/projection.html", section="market", company=None, form=form,
        rows=rows, twice=twice, chart=_chart(found, words) if found else None,
        base_krw=sum(p.total_krw for p in found if p.path == "base"), plan=_plan(),
    )  # fmt: skip


def _chart(found: list[market.Projection], words: dict[str, str]) -> dict[str, Any]:
    years = sorted({year for p in found for year in p.by_year})
    by_key = {(p.stream, p.path): p.by_year for p in found}
    return {
        "title": _("해마다 들어올 돈"), "kind": "line", "unit": _("원"),
        "description": _(
            "가정한 가격의 계산이며 예측이 아닙니다. 띠는 낮은 가격과 높은 가격 사이입니다."
        ),
        "labels": [str(y) for y in years], "label_name": _("연도"),
        "series": [
            {"name": words[name], "kind": "modelled",
             "values": [by_key[name, "base"].get(y) for y in years],
             "low": [by_key[name, "low"].get(y) for y in years],
             "high": [by_key[name, "high"].get(y) for y in years]}
            for name in words
        ],
    }  # fmt: skip


def _plan() -> list[dict[str, Any]]:
    """The first city's plan, and the price a tonne that its totals mean."""
    tonnes = Decimal(12_540)
    return [
        {"name": _("규제시장"), "total": Decimal(5_200_000_000), "years": 21,
         "price": market.implied_price(Decimal(5_200_000_000), 21, tonnes)},
        {"name": _("자발적 시장"), "total": Decimal(1_700_000_000), "years": 30,
         "price": market.implied_price(Decimal(1_700_000_000), 30, tonnes)},
    ]  # fmt: skip
