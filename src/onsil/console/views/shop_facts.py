"""What is known of a shop since when, and writing down what a check has found."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from onsil.citizen.models import Merchant, Role
from onsil.citizen.services import facts
from onsil.console.frame import STAFF, Request, needs, page
from onsil.core.clock import SystemClock
from onsil.core.periods import local_day
from onsil.core.refusal import Refusal


class FactsForm(forms.Form):
    """What the papers say; it holds from today."""

    yearly_sales_krw = forms.IntegerField(label=gettext_lazy("연 매출(원)"), min_value=0)
    kind = forms.ChoiceField(label=gettext_lazy("업종"), choices=Merchant.Kind.choices)
    region = forms.CharField(label=gettext_lazy("법정동(읍·면·동)"), max_length=40, required=False)
    in_city = forms.BooleanField(label=gettext_lazy("우리 시에 있음"), required=False, initial=True)
    good_price = forms.BooleanField(label=gettext_lazy("착한가격업소"), required=False)
    source = forms.CharField(label=gettext_lazy("확인한 자료"), max_length=300)


@never_cache
@needs(*STAFF)
def check(request: Request, shop: UUID) -> HttpResponse:
    """The dated facts of a shop, newest first, and the form for a new check."""
    merchant = get_object_or_404(Merchant, city=request.city.code, pk=shop)
    known = facts.history(merchant)
    newest = known[-1]
    form = FactsForm(
        request.POST or None,
        initial={"yearly_sales_krw": newest.yearly_sales_krw, "kind": newest.kind,
                 "region": newest.region, "in_city": newest.in_city,
                 "good_price": "good-price" in newest.tags},
    )  # fmt: skip
    may_note = bool(request.roles & {Role.OFFICIAL, Role.APPROVER})
    if request.method == "POST" and may_note and form.is_valid():
        said = form.cleaned_data
        marked = newest.tags - {"good-price"}
        made = facts.note(
            merchant, yearly_sales_krw=said["yearly_sales_krw"], kind=said["kind"],
            region=said["region"], in_city=said["in_city"], source=said["source"],
            tags=marked | {"good-price"} if said["good_price"] else marked,
            actor=f"user:{request.user.pk}",
        )  # fmt: skip
        if not isinstance(made, Refusal):
            messages.success(request, _("적었습니다. 오늘부터 이 사실로 판단합니다."))
            return redirect("console-shop-facts", shop)
        messages.error(request, made.text(get_language() or "ko"))
    today = local_day(SystemClock().now(), request.city.zone)
    place = facts.eligibility(merchant, today)
    kinds: dict[str, Any] = dict(Merchant.Kind.choices)
    return page(
        request, "console/shop_facts.html", section="shops", merchant=merchant, form=form,
        known=[(one, kinds.get(one.kind, one.kind)) for one in reversed(known)], place=place,
        may_note=may_note, due=merchant in facts.due_for_check(),
    )  # fmt: skip
