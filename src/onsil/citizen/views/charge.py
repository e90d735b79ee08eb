"""Charging with own money: what is left of the caps, ordering, and where to pay it in."""

from uuid import UUID, uuid4

from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from onsil.citizen import reference
from onsil.citizen.access import Request, citizens_only
from onsil.citizen.forms import ChargeForm
from onsil.citizen.models import ChargeOrder
from onsil.citizen.services import charges, simulated_deposits
from onsil.citizen.views.citizen import status_of
from onsil.core.refusal import Refusal


@never_cache
@citizens_only
def charge(request: Request) -> HttpResponse:
    """Order an amount; above it what is left of each cap."""
    refusal, form = None, ChargeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        answer = charges.order(
            request.user, form.cleaned_data["amount"], form.cleaned_data["form_id"]
        )
        if isinstance(answer, ChargeOrder):
            return redirect("app-charge-order", answer.pk)
        refusal = answer
    return render(
        request, "citizen/charge.html",
        {"tab_wallet": True, "form": form, "refusal": refusal, "form_id": uuid4(),
         "room": charges.room(request.user), "terms": charges.terms_of(request.city),
         "orders": charges.orders(request.user, limit=5)},
        status=status_of(refusal) if refusal is not None else 200,
    )  # fmt: skip


@never_cache
@citizens_only
def order(request: Request, identity: UUID) -> HttpResponse:
    """Where to pay an order in, until when; or what became of it."""
    row = _mine(request, identity)
    terms = charges.terms_of(request.city)
    return render(
        request, "citizen/charge_order.html",
        {"tab_wallet": True, "row": row, "terms": terms,
         "number": reference.grouped(row.reference),
         "last_day": terms.last_day(row.submitted_at, request.city.zone) if terms else None,
         "deposit": row.deposits.filter(fate__in=("matched", "assigned")).first(),
         "wallet_topic": f"wallet.{request.user.pk}"},
    )  # fmt: skip


@never_cache
@citizens_only
def state(request: Request, identity: UUID) -> HttpResponse:
    """For the page that waits for the deposit: reload once something has happened."""
    row = _mine(request, identity)
    address = reverse("app-charge-order", args=[row.pk])
    waits = row.pending or row.open
    return JsonResponse({"state": row.outcome, "next": None if waits else address})


@require_POST
@citizens_only
def withdraw(request: Request, identity: UUID) -> HttpResponse:
    """Give an order up that has not been paid."""
    answer = charges.withdraw(_mine(request, identity))
    if isinstance(answer, Refusal):
        messages.error(request, answer.text(request.LANGUAGE_CODE))  # pyright: ignore
    else:
        messages.info(request, _("충전 주문을 취소했습니다. 입금하지 말아 주세요."))
    return redirect("app-charge-order", identity)


@require_POST
@citizens_only
def simulate(request: Request, identity: UUID) -> HttpResponse:
    """Where the city's bank is simulated: let it send the deposit's file."""
    answer = simulated_deposits.pay_in(_mine(request, identity))
    if isinstance(answer, Refusal):
        messages.error(request, answer.text(request.LANGUAGE_CODE))  # pyright: ignore
    return redirect("app-charge-order", identity)


def _mine(request: Request, identity: UUID) -> ChargeOrder:
    row = get_object_or_404(ChargeOrder, city=request.city.code, pk=identity, citizen=request.user)
    return charges.refresh(row)
