"""Refunds: what the rule gives now and why, what is missing, asking for it, what became of it."""

from uuid import UUID, uuid4

from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache

from onsil.citizen.access import Request, citizens_only
from onsil.citizen.forms import RefundForm
from onsil.citizen.models import Refund
from onsil.citizen.services import postings, refunds
from onsil.citizen.services.rulebook import rules_at
from onsil.citizen.views.citizen import status_of
from onsil.core.refusal import Refusal


@never_cache
@citizens_only
def refund(request: Request) -> HttpResponse:
    """Each charge with what it gives back or lacks; the chosen ones are asked for together."""
    refusal, form = None, RefundForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        answer = _asked(request, form)
        if isinstance(answer, Refund):
            return redirect("app-refund-page", answer.pk)
        refusal = answer
    return render(
        request, "citizen/refund.html",
        {"tab_wallet": True, "form": form, "refusal": refusal, "form_id": uuid4(),
         "quote": refunds.quote(request.user), "past": refunds.of_citizen(request.user, 5),
         "rule": rules_at(request.city, postings.SYSTEM.now()).refund},
        status=status_of(refusal) if refusal is not None else 200,
    )  # fmt: skip


@never_cache
@citizens_only
def page(request: Request, identity: UUID) -> HttpResponse:
    """What became of a refund."""
    return render(
        request, "citizen/refund_page.html", {"tab_wallet": True, "row": _mine(request, identity)}
    )


@never_cache
@citizens_only
def state(request: Request, identity: UUID) -> HttpResponse:
    """For the pending page: the refund's state."""
    row = _mine(request, identity)
    address = reverse("app-refund-page", args=[row.pk])
    return JsonResponse({"state": row.state, "next": None if row.pending else address})


def _asked(request: Request, form: RefundForm) -> Refund | Refusal:
    said = form.cleaned_data
    account = refunds.BankAccount.read(said["bank"], said["number"], said["holder"])
    if isinstance(account, Refusal):
        return account
    return refunds.ask(request.user, said["lines"], account, said["form_id"])


def _mine(request: Request, identity: UUID) -> Refund:
    row = get_object_or_404(Refund, city=request.city.code, pk=identity, citizen=request.user)
    return postings.refresh(row)
