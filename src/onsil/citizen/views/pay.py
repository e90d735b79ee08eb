"""Paying, from the citizen's side: scan and confirm, or show a code; and what became of it."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from onsil.citizen import services
from onsil.citizen.access import Request, citizens_only
from onsil.citizen.drawing import qr_svg
from onsil.citizen.forms import CodeForm
from onsil.citizen.models import Payment, PaymentCode
from onsil.citizen.qr import ShownBy, spaced
from onsil.citizen.services import cashbacks, codes, payments, postings
from onsil.citizen.views.citizen import status_of
from onsil.core.refusal import Refusal

DONE = "done"
_FRESH = timedelta(minutes=2)


@never_cache
@citizens_only
def scan(request: Request) -> HttpResponse:
    """Read the shop's code with the camera, or type its eight characters."""
    form, refusal = CodeForm(request.POST or None), None
    if request.method == "POST" and form.is_valid():
        found = codes.find(
            form.cleaned_data["code"], ShownBy.MERCHANT, reader=f"user:{request.user.pk}"
        )
        if isinstance(found, PaymentCode):
            return redirect("app-pay", codes.token_text(found))
        refusal = found
    return render(
        request, "citizen/scan.html", {"tab_pay": True, "form": form, "refusal": refusal},
        status=status_of(refusal) if refusal is not None else 200,
    )  # fmt: skip


@never_cache
@citizens_only
def pay(request: Request, token: str) -> HttpResponse:
    """Confirm the amount a shop's code shows; a code paid already leads to its payment."""
    citizen = request.user
    found = codes.find(token, ShownBy.MERCHANT, reader=f"user:{citizen.pk}")
    if isinstance(found, Refusal):
        return _refused(request, found)
    paid = payments.payment_of_code(found)
    if paid is not None and paid.citizen_id == citizen.pk:
        return redirect(just_paid("app-payment", paid))
    if request.method == "POST":
        answer = payments.pay(found.pk, citizen)
        if isinstance(answer, Payment):
            return redirect(just_paid("app-payment", answer))
        return _refused(request, answer, found)
    no = payments.why_not(found, citizen)
    if no is not None:
        return _refused(request, no, found)
    purse = services.wallet(citizen)
    return render(
        request, "citizen/pay.html",
        {"tab_pay": True, "code": found, "wallet": purse, "left": seconds_left(found),
         "after": purse.money - (found.amount or 0)},
    )  # fmt: skip


@never_cache
@citizens_only
def show(request: Request) -> HttpResponse:
    """A code of one's own for the shop to scan: the one still running, or a new one."""
    if request.method == "POST":
        codes.show_wallet(request.user)
        return redirect("app-show")
    code = codes.running(request.user) or codes.show_wallet(request.user)
    address = request.build_absolute_uri(reverse("shop-charge", args=[codes.token_text(code)]))
    return render(
        request, "citizen/show.html",
        {"tab_pay": True, "code": code, "typed": spaced(code.typed),
         "picture": qr_svg(address, _("가맹점이 스캔할 결제 코드")), "left": seconds_left(code),
         "wallet": services.wallet(request.user), "wallet_topic": f"wallet.{request.user.pk}"},
    )  # fmt: skip


@never_cache
@citizens_only
def shown(request: Request, identity: UUID) -> HttpResponse:
    """For the waiting page: has the shop charged the code yet, and where to go then."""
    code = get_object_or_404(PaymentCode, city=request.city.code, pk=identity, citizen=request.user)
    return JsonResponse(code_state(code, "app-payment"))


@never_cache
@citizens_only
def payment(request: Request, identity: UUID) -> HttpResponse:
    """What became of a payment: paid, on its way, or refused; which money paid, and cashback."""
    row = _mine(request, identity)
    shares = cashbacks.given(row)
    return render(
        request, "citizen/payment.html",
        {"tab_pay": True, "row": row, "side": "app", "fresh": just_now(request, row),
         "cancelled": is_cancelled(row), "parts": payments.taken(row) if row.kept else (),
         "cashbacks": shares, "cashback_sum": sum(x.kept for x in shares if x.applied)},
    )  # fmt: skip


@never_cache
@citizens_only
def payment_state(request: Request, identity: UUID) -> HttpResponse:
    """For the pending page: the payment's state."""
    row = _mine(request, identity)
    return JsonResponse(row_state(row, reverse("app-payment", args=[row.pk])))


def _mine(request: Request, identity: UUID) -> Payment:
    row = get_object_or_404(
        Payment.objects.select_related("merchant"), city=request.city.code, pk=identity,
        citizen=request.user,
    )  # fmt: skip
    return postings.refresh(row)


def is_cancelled(row: Payment) -> bool:
    """Whether the shop has taken all of the payment back."""
    return row.applied and row.kept == 0


def seconds_left(code: PaymentCode) -> int:
    """Whole seconds that a code still holds."""
    left = code.expires_at - postings.SYSTEM.now()
    return max(0, int(left.total_seconds()))


def _refused(request: Request, refusal: Refusal, code: PaymentCode | None = None) -> HttpResponse:
    context = {"tab_pay": True, "refusal": refusal, "code": code}
    return render(request, "citizen/refused.html", context, status=status_of(refusal))


def code_state(code: PaymentCode, payment_name: str) -> dict[str, Any]:
    """What a page that shows a code is told: where to go once it is used, and when it ends."""
    paid = payments.payment_of_code(code)
    if paid is not None:
        return {"state": paid.state, "next": just_paid(payment_name, paid)}
    if code.cancelled_at is not None:
        return {"state": "cancelled", "next": None}
    left = seconds_left(code)
    return {"state": "open" if left else "expired", "next": None, "left": left}


def row_state(row: Payment, address: str) -> dict[str, Any]:
    """What a pending page is told: reload once there is an answer."""
    return {"state": row.state, "next": None if row.pending else f"{address}?{DONE}=1"}


def just_paid(name: str, row: Payment) -> str:
    """The address of a payment's page that celebrates it: full screen, sound and vibration."""
    return f"{reverse(name, args=[row.pk])}?{DONE}=1"


def just_now(request: Request, row: Payment) -> bool:
    """Whether to celebrate: only right after paying, so that a reload later is a plain receipt."""
    if DONE not in request.GET or not row.applied or row.decided_at is None:
        return False
    return postings.SYSTEM.now() - row.decided_at < _FRESH
