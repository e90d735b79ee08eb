"""Shops and settlements: deciding on applications, releasing the day's money."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from onsil.citizen import services as citizen
from onsil.citizen.models import Merchant, Role, Settlement
from onsil.console import people
from onsil.console.export import csv_response
from onsil.console.forms import ShopDecisionForm, errors_of
from onsil.console.frame import STAFF, Request, needs, page
from onsil.core.refusal import Refusal


def _tell(request: Request, outcome: object, done: str) -> None:
    if isinstance(outcome, Refusal):
        messages.error(request, outcome.text(get_language() or "ko"))
    else:
        messages.success(request, done)


@needs(*STAFF)
def listing(request: Request) -> HttpResponse:
    """Applications first, then the shops, then the settlements; `?format=csv` for the shops."""
    every = citizen.merchants.merchants()
    if request.GET.get("format") == "csv":
        header = [
            _("상호"), _("사업자번호"), _("업종"), _("연 매출(원)"), _("상태"),
            _("신청한 때"),
        ]  # fmt: skip
        rows = [
            (m.name, m.business_number, m.get_kind_display(), m.yearly_sales_krw,
             m.get_state_display(), m.applied_at)
            for m in every
        ]  # fmt: skip
        return csv_response(f"{request.city.code}-shops", header, rows)
    settlements = citizen.settlements.settlements()
    names = people.names_of(a for s in settlements for a in (s.made_by, s.released_by) if a)
    return page(
        request, "console/shops.html", section="shops",
        applied=[m for m in every if m.state == Merchant.State.APPLIED],
        shops=[m for m in every if m.state != Merchant.State.APPLIED],
        settlements=[_settlement(s, names) for s in settlements],
        may_decide=bool(request.roles & {Role.OFFICIAL, Role.APPROVER}),
        may_release=Role.APPROVER in request.roles,
    )  # fmt: skip


def _settlement(one: Settlement, names: dict[str, str]) -> dict[str, Any]:
    return {
        "one": one, "maker": names.get(one.made_by, one.made_by),
        "releaser": names.get(one.released_by, one.released_by),
    }  # fmt: skip


@require_POST
@needs(Role.OFFICIAL, Role.APPROVER)
def decide(request: Request, shop: UUID) -> HttpResponse:
    """Approve or refuse an application, stop a shop or let it go on: `decision=`."""
    get_object_or_404(Merchant, city=request.city.code, pk=shop)
    form = ShopDecisionForm(request.POST)
    if not form.is_valid():
        for line in errors_of(form):
            messages.error(request, line)
        return redirect("console-shops")
    decision, reason = form.cleaned_data["decision"], form.cleaned_data["reason"]
    merchants = citizen.merchants
    if decision == "close":
        done: object = merchants.close(shop, actor=request.user, reason=reason)
    elif decision == "reopen":
        done = merchants.reopen(shop, actor=request.user, reason=reason)
    elif decision == "refuse":
        done = merchants.decide(shop, False, actor=request.user, reason=reason)
    else:  # words meant for a refusal are no reason of an approval
        done = merchants.decide(shop, True, actor=request.user)
    _tell(request, done, _("처리했습니다."))
    return redirect("console-shops")


@require_POST
@needs(Role.APPROVER)
def release(request: Request, settlement: UUID) -> HttpResponse:
    """Pay a settlement out; not by who made it."""
    found = get_object_or_404(Settlement, city=request.city.code, pk=settlement)
    actor = str(request.user.pk)
    if found.made_by.removeprefix("user:") == actor:  # rooms write a person with the kind or not
        actor = found.made_by
    done = citizen.payouts.release(settlement, actor=actor)
    again = found.released_at is not None
    _tell(
        request, done, _("이미 지급이 승인된 정산입니다.") if again else _("지급을 승인했습니다.")
    )
    back = request.POST.get("back") == "settlements"
    return redirect("currency-settlements" if back else "console-shops")


@needs(*STAFF)
def file(request: Request, settlement: UUID) -> HttpResponse:
    """The settlement's file, byte for byte as it was digested."""
    found = get_object_or_404(Settlement, city=request.city.code, pk=settlement)
    response = HttpResponse(bytes(found.content), content_type="text/csv; charset=utf-8")
    name = f"{request.city.code}-settlement-{found.day.isoformat()}.csv"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
