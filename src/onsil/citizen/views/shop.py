"""The shop's screens: taking a payment both ways, today's sales, settlement, applying."""

from typing import Any
from uuid import UUID, uuid4

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from onsil.citizen import refusals
from onsil.citizen import settlement as settlement_rules
from onsil.citizen.access import SHOP_IN_SESSION, Request, shops_only
from onsil.citizen.drawing import qr_svg
from onsil.citizen.forms import AmountForm, CancelForm, CodeForm, MerchantForm
from onsil.citizen.models import Merchant, Payment, PaymentCode, SettlementLine
from onsil.citizen.qr import ShownBy, spaced
from onsil.citizen.services import (
    cancellations,
    codes,
    merchants,
    payments,
    postings,
    settlements,
)
from onsil.citizen.views import pay as pay_views
from onsil.citizen.views.citizen import status_of
from onsil.core.refusal import Refusal


@never_cache
@shops_only
def take(request: Request) -> HttpResponse:
    """Enter an amount; it becomes a code for the customer to scan."""
    shop, refusal = _shop(request), None
    form = AmountForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        code = codes.show_amount(shop, form.cleaned_data["amount"])
        if isinstance(code, PaymentCode):
            return redirect("shop-code", code.pk)
        refusal = code
    return _page(request, "take", "citizen/shop/take.html", refusal, form=form)


@never_cache
@shops_only
def code(request: Request, identity: UUID) -> HttpResponse:
    """The code full width, with its three minutes running; used, it leads to its payment."""
    row = _own_code(request, identity)
    paid = payments.payment_of_code(row)
    if paid is not None:
        return redirect(pay_views.just_paid("shop-payment", paid))
    address = request.build_absolute_uri(reverse("app-pay", args=[codes.token_text(row)]))
    return _page(
        request, "take", "citizen/shop/code.html", None, code=row, typed=spaced(row.typed),
        picture=qr_svg(address, _("손님이 스캔할 결제 코드")), left=pay_views.seconds_left(row),
        topic=f"merchant.{row.merchant_id}",
    )  # fmt: skip


@never_cache
@shops_only
def code_state(request: Request, identity: UUID) -> HttpResponse:
    """For the page that shows a code: has it been paid yet."""
    return JsonResponse(pay_views.code_state(_own_code(request, identity), "shop-payment"))


@require_POST
@shops_only
def code_cancel(request: Request, identity: UUID) -> HttpResponse:
    """Take a code off the screen; if it was paid in that moment, show the payment instead."""
    row = codes.withdraw(_own_code(request, identity))
    if row.used_at is not None:
        return redirect("shop-code", row.pk)
    messages.info(request, _("결제 코드를 취소했습니다. 결제되지 않았습니다."))
    return redirect("shop")


@never_cache
@shops_only
def scan(request: Request) -> HttpResponse:
    """Read the customer's code with the camera, or type its eight characters."""
    form, refusal = CodeForm(request.POST or None), None
    if request.method == "POST" and form.is_valid():
        found = codes.find(
            form.cleaned_data["code"], ShownBy.CITIZEN, reader=f"shop:{_shop(request).pk}"
        )
        if isinstance(found, PaymentCode):
            return redirect("shop-charge", codes.token_text(found))
        refusal = found
    return _page(request, "scan", "citizen/shop/scan.html", refusal, form=form)


@never_cache
@shops_only
def charge(request: Request, token: str) -> HttpResponse:
    """Enter the amount for a customer's code. Who pays is not shown, here or later."""
    shop, refusal = _shop(request), None
    found = codes.find(token, ShownBy.CITIZEN, reader=f"shop:{shop.pk}")
    if isinstance(found, Refusal):
        return _page(request, "scan", "citizen/shop/refused.html", found)
    paid = payments.payment_of_code(found)
    if paid is not None and paid.merchant_id == shop.pk:
        return redirect("shop-payment", paid.pk)
    no = payments.why_not_charge(found, shop)
    if no is not None:
        return _page(request, "scan", "citizen/shop/refused.html", no)
    form = AmountForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        answer = payments.charge(found.pk, shop, form.cleaned_data["amount"])
        if isinstance(answer, Payment):
            return redirect(pay_views.just_paid("shop-payment", answer))
        refusal = answer
    return _page(
        request, "scan", "citizen/shop/charge.html", refusal, form=form, code=found,
        left=pay_views.seconds_left(found),
    )  # fmt: skip


@never_cache
@shops_only
def payment(request: Request, identity: UUID) -> HttpResponse:
    """What became of a payment: the same four characters as on the customer's phone."""
    row = _own_payment(request, identity)
    return _payment_page(request, row, CancelForm(), None)


def _payment_page(
    request: Request, row: Payment, form: CancelForm, refusal: Refusal | None
) -> HttpResponse:
    return _page(
        request, "sales", "citizen/shop/payment.html", refusal, row=row, side="shop",
        fresh=pay_views.just_now(request, row), cancelled=pay_views.is_cancelled(row),
        can_cancel=cancellations.cancellable(row), why=refusals.payer_cannot_pay(), form=form,
        form_id=uuid4(),
    )  # fmt: skip


@never_cache
@shops_only
def payment_state(request: Request, identity: UUID) -> HttpResponse:
    row = _own_payment(request, identity)
    return JsonResponse(pay_views.row_state(row, reverse("shop-payment", args=[row.pk])))


@require_POST
@shops_only
def cancel(request: Request, identity: UUID) -> HttpResponse:
    """Take a payment back on its own day, or a part of it."""
    row, form = _own_payment(request, identity), CancelForm(request.POST)
    if not form.is_valid():
        return _payment_page(request, row, form, None)
    answer = cancellations.cancel(
        row.pk, _shop(request), actor=request.user, amount=form.cleaned_data["amount"],
        form_id=form.cleaned_data["form_id"],
    )  # fmt: skip
    if isinstance(answer, Refusal):
        return _payment_page(request, row, form, answer)
    messages.success(request, _("결제를 취소했습니다. 손님의 지갑으로 되돌아갔습니다."))
    return redirect("shop-payment", row.pk)


@never_cache
@shops_only
def sales(request: Request) -> HttpResponse:
    """Today's sales, live."""
    return _page(
        request, "sales", "citizen/shop/sales.html", None, **_todays(_shop(request)),
        topic=f"merchant.{_shop(request).pk}",
    )  # fmt: skip


@never_cache
@shops_only
def sales_rows(request: Request) -> HttpResponse:
    """The part of the sales page that is replaced when something happens."""
    return render(request, "citizen/shop/sales_rows.html", _todays(_shop(request)))


@never_cache
@shops_only
def settlement(request: Request) -> HttpResponse:
    """What has been settled, day by day, and what will be tomorrow."""
    shop = _shop(request)
    return _page(
        request, "settlement", "citizen/shop/settlement.html", None,
        lines=settlements.lines_of(shop), **_todays(shop),
    )  # fmt: skip


@never_cache
@shops_only
def settlement_file(request: Request, identity: UUID) -> HttpResponse:
    """The shop's own file of one settlement."""
    shop = _shop(request)
    line = get_object_or_404(
        SettlementLine.objects.select_related("settlement", "merchant"), city=shop.city,
        pk=identity, merchant=shop,
    )  # fmt: skip
    content = settlements.shop_file(line)
    response = HttpResponse(content, content_type="text/csv; charset=utf-8")
    name = f"onsil-settlement-{line.settlement.day.isoformat()}.csv"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Digest"] = f"sha-256={settlement_rules.file_digest(content)}"
    return response


@never_cache
@login_required
def apply(request: Request) -> HttpResponse:
    """Ask to take part as a shop."""
    form, refusal = MerchantForm(request.POST or None), None
    if request.method == "POST" and form.is_valid():
        answer = merchants.apply(request.user, form.application())
        if isinstance(answer, Merchant):
            messages.success(request, _("신청을 받았습니다. 시청의 승인을 기다려 주세요."))
            request.session[SHOP_IN_SESSION] = str(answer.pk)
            return redirect("shop")
        refusal = answer
    context = {"form": form, "refusal": refusal}
    return render(
        request, "citizen/shop/apply.html", context, status=409 if refusal is not None else 200
    )


@require_POST
@shops_only
def choose(request: Request) -> HttpResponse:
    """Work for another of one's shops."""
    wanted = request.POST.get("shop", "")
    if all(str(shop.pk) != wanted for shop in merchants.shops_of(request.user)):
        raise Http404
    request.session[SHOP_IN_SESSION] = wanted
    return redirect("shop")


def _shop(request: Request) -> Merchant:
    assert request.shop is not None
    return request.shop


def _own_code(request: Request, identity: UUID) -> PaymentCode:
    shop = _shop(request)
    return get_object_or_404(PaymentCode, city=shop.city, pk=identity, merchant=shop)


def _own_payment(request: Request, identity: UUID) -> Payment:
    shop = _shop(request)
    row = get_object_or_404(Payment, city=shop.city, pk=identity, merchant=shop)
    return postings.refresh(row)


def _todays(shop: Merchant) -> dict[str, Any]:
    rows = payments.sales(shop)
    paid = [row for row in rows if row.applied and not pay_views.is_cancelled(row)]
    return {
        "rows": rows, "total": sum(row.kept for row in paid), "count": len(paid), "shop": shop,
        "waiting": sum(row.pending for row in rows),
    }  # fmt: skip


def _page(
    request: Request, section: str, template: str, refusal: Refusal | None, **context: Any
) -> HttpResponse:
    shops = merchants.shops_of(request.user)
    context = {f"tab_{section}": True, "refusal": refusal, "shop": request.shop, "shops": shops,
               **context}  # fmt: skip
    status = status_of(refusal) if refusal is not None else 200
    return render(request, template, context, status=status)
