"""Gifts: to whom and how much, confirming, and what became of them on both sides."""

from uuid import UUID, uuid4

from django.contrib import messages
from django.db.models import Q
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache

from onsil.citizen.access import Request, citizens_only
from onsil.citizen.contact import masked
from onsil.citizen.forms import GiftForm
from onsil.citizen.models import Gift
from onsil.citizen.qr import spaced
from onsil.citizen.services import gifts, members
from onsil.citizen.views.citizen import status_of
from onsil.core.refusal import Refusal

_ACTS = {"accept": gifts.accept, "decline": gifts.decline, "withdraw": gifts.withdraw}


@never_cache
@citizens_only
def give(request: Request) -> HttpResponse:
    """Who gets how much; the next page shows the name in part and asks to confirm."""
    refusal, found, form = None, None, GiftForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        answer: object = members.find(said["to"], asked_by=request.user)
        if isinstance(answer, members.Found) and "confirmed" in request.POST:
            answer = gifts.offer(
                request.user, said["to"], said["amount"], said["form_id"], words=said["words"]
            )
        if isinstance(answer, Gift):
            return redirect("app-gift-page", answer.pk)
        if isinstance(answer, members.Found):
            found = answer
        if isinstance(answer, Refusal):
            refusal = answer
    return render(
        request, "citizen/gift.html",
        {"tab_wallet": True, "form": form, "refusal": refusal, "found": found,
         "form_id": form.cleaned_data["form_id"] if found else uuid4(),
         "rule": gifts.rule_now(), "giftable": gifts.giftable(request.user),
         "code": spaced(members.member(request.user).code),
         "waiting": _told(gifts.waiting_for(request.user), request),
         "sent": _told(gifts.sent(request.user, 10), request),
         "received": _told(gifts.received(request.user, 10), request)},
        status=status_of(refusal) if refusal is not None else 200,
    )  # fmt: skip


@never_cache
@citizens_only
def page(request: Request, identity: UUID) -> HttpResponse:
    """One gift, as its giver or its receiver sees it; `act` accepts, declines or withdraws."""
    gift, refusal = _mine(request, identity), None
    act = _ACTS.get(request.POST.get("act", ""))
    if request.method == "POST" and act is not None:
        answer = act(gift, request.user)
        if isinstance(answer, Gift):
            return redirect("app-gift-page", gift.pk)
        refusal, gift = answer, _mine(request, identity)
        messages.error(request, refusal.text(request.LANGUAGE_CODE))  # pyright: ignore
    mine = gift.giver_id == request.user.pk
    return render(
        request, "citizen/gift_page.html",
        {"tab_wallet": True, "gift": gift, "mine": mine, "other": _other(gift, request),
         "wallet_topic": f"wallet.{request.user.pk}"},
        status=status_of(refusal) if refusal is not None else 200,
    )  # fmt: skip


@never_cache
@citizens_only
def state(request: Request, identity: UUID) -> HttpResponse:
    """For the page that waits: reload once the other side or the time has decided."""
    gift = _mine(request, identity)
    waits = gift.pending or gift.open
    address = reverse("app-gift-page", args=[gift.pk])
    return JsonResponse({"state": gift.end or gift.state, "next": None if waits else address})


def _mine(request: Request, identity: UUID) -> Gift:
    ours = Q(giver=request.user) | Q(receiver=request.user)
    row = get_object_or_404(
        Gift.objects.select_related("giver", "receiver").filter(ours), city=request.city.code,
        pk=identity,
    )  # fmt: skip
    gift = gifts.refresh(row)
    if gift.receiver_id == request.user.pk and not gift.applied:
        raise Http404  # what was never set aside is nobody's but the giver's
    return gift


def _other(gift: Gift, request: Request) -> str:
    person = gift.receiver if gift.giver_id == request.user.pk else gift.giver
    return masked(person.name)


def _told(rows: list[Gift], request: Request) -> list[tuple[Gift, str]]:
    return [(gift, _other(gift, request)) for gift in rows]
