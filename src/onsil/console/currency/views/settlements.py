"""Settlements with their fees and subsidies: the days, and each day's shops."""

from typing import Any
from uuid import UUID

from django.db.models import Sum
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _

from onsil.citizen import services as citizen
from onsil.citizen.models import Role, Settlement, SettlementLine
from onsil.console import people
from onsil.console.frame import STAFF, Request, needs, page
from onsil.core.periods import local_day

_SUMS = ("gross", "cancelled", "shop_cashback", "fee", "subsidy")


@needs(*STAFF)
def listing(request: Request) -> HttpResponse:
    """Every settled day with its sums, when it is paid and who let it go."""
    found = citizen.settlements.settlements()
    names = people.names_of(a for s in found for a in (s.made_by, s.released_by) if a)
    sums = {
        row["settlement"]: row
        for row in SettlementLine.objects.filter(city=request.city.code)
        .values("settlement").annotate(**{name: Sum(name) for name in _SUMS})
    }  # fmt: skip
    return page(
        request, "console/currency/settlements.html", section="currency", tab="settlements",
        rows=[
            {"one": s, "sums": sums.get(s.pk), "state": _state(request, s),
             "releaser": names.get(s.released_by, s.released_by)}
            for s in found
        ],
        subsidy_left=citizen.budgets.subsidy_left(),
        may_release=Role.APPROVER in request.roles,
    )  # fmt: skip


@needs(*STAFF)
def detail(request: Request, settlement: UUID) -> HttpResponse:
    """One day: a line a shop, from its sales to what it is paid."""
    found = get_object_or_404(
        Settlement.objects.defer("content"), city=request.city.code, pk=settlement
    )
    lines = list(found.lines.select_related("merchant").order_by("merchant__name"))
    rule = citizen.rulebook.rules_on(request.city, found.day).settlement
    english = request.LANGUAGE_CODE.startswith("en")
    classes = {fee.code: fee.en if english else fee.ko for fee in rule.fees}
    names = people.names_of(a for a in (found.made_by, found.released_by) if a)
    return page(
        request, "console/currency/settlement.html", section="currency", tab="settlements",
        one=found, lines=lines, classes=classes, state=_state(request, found), days=rule.days,
        sums={name: sum(getattr(x, name) for x in lines) for name in (*_SUMS, "net")},
        maker=_maker(found.made_by, names),
        releaser=names.get(found.released_by, found.released_by),
        chart=_flow(lines), may_release=Role.APPROVER in request.roles,
    )  # fmt: skip


def _maker(made_by: str, names: dict[str, str]) -> str:
    if made_by == citizen.settlements.JOB:
        return _("날마다의 자동 정산")
    return names.get(made_by, made_by)


def _state(request: Request, one: Settlement) -> str:
    """waiting: for a second person; due: let go, its pay day lies ahead; paid."""
    if one.released_at is None:
        return "waiting"
    today = local_day(timezone.now(), request.city.zone)
    return "paid" if one.pay_day <= today else "due"


def _flow(lines: list[SettlementLine]) -> dict[str, Any] | None:
    total = {name: sum(getattr(x, name) for x in lines) for name in (*_SUMS, "net")}
    if not total["net"]:
        return None
    sales, city, bank, fee = _("결제"), _("시의 수수료 지원"), _("가맹점 통장"), _("수수료")
    links = [
        {"source": sales, "target": bank, "value": total["net"] - total["subsidy"]},
        {"source": sales, "target": fee, "value": total["fee"]},
        {"source": sales, "target": _("가맹점 부담 캐시백"), "value": total["shop_cashback"]},
        {"source": city, "target": bank, "value": total["subsidy"]},
    ]
    links = [link for link in links if link["value"]]
    return {"title": _("이날의 돈"), "kind": "sankey", "unit": _("원"), "links": links,
            "description": "", "greens": {sales: "citizen"}}  # fmt: skip
