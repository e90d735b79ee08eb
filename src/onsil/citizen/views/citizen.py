"""The citizen's screens, but for paying: home, joining, earning, wallet, profile."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST
from django.views.i18n import set_language

from onsil.citizen import services
from onsil.citizen.access import Request, citizens_only
from onsil.citizen.forms import ConvertForm, EnrolForm, ResidenceForm
from onsil.citizen.models import Conversion, Merchant, Residency, Role
from onsil.citizen.qr import spaced
from onsil.citizen.residence import check_of
from onsil.citizen.services import carbon, simulated_deposits
from onsil.citizen.services import movements as story
from onsil.citizen.services.wallet import expiring
from onsil.core.refusal import Refusal
from onsil.rewards import services as rewards

_HISTORY_STEP = 30
_HISTORY_MOST = 300
_SOON = timedelta(days=60)


def status_of(refusal: Refusal) -> int:
    """The HTTP status a refusal is told with."""
    return 429 if refusal.code == "too-many-attempts" else 409


@never_cache
@login_required
def join(request: Request) -> HttpResponse:
    """Prove residence; a citizen already goes home."""
    user, language = request.user, translation.get_language() or "ko"
    if Role.CITIZEN in user.roles(request.city.code):
        return redirect("app")
    check = check_of(request.city.data)
    form = ResidenceForm(check.questions, language, request.POST or None)
    refusal = None
    if request.method == "POST" and form.is_valid():
        address = request.META.get("REMOTE_ADDR", "")
        answer = services.people.prove_residence(user, form.cleaned_data, address=address)
        if not isinstance(answer, Refusal):
            messages.success(request, _("환영합니다. 거주가 확인되었고 지갑이 열렸습니다."))
            return redirect("app")
        refusal = answer
    return render(
        request, "citizen/join.html",
        {"form": form, "refusal": refusal, "steps": (_("가입"), _("거주 확인"), _("시작"))},
        status=status_of(refusal) if refusal is not None else 200,
    )  # fmt: skip


@never_cache
@citizens_only
def home(request: Request) -> HttpResponse:
    """Points, gifts that wait, what expires next, my CO2, what I can do today, the city's ring."""
    city, person = request.city.code, request.user
    offers = [o for o in rewards.offers(city, person.pk) if o.open]
    offers.sort(key=lambda o: (not o.enrolled, o.terms.code))
    wallet = services.wallet(person)
    decisions = rewards.decisions_of(city, person.pk, limit=1)
    return _page(
        request, "home", "citizen/home.html", wallet=wallet, offers=offers[:3],
        spare=max(0, 3 - len(offers)), carbon=carbon.own_carbon(person), soon=_SOON,
        latest=decisions[0] if decisions else None, gifts=services.gifts.waiting_for(person),
        shops=Merchant.objects.filter(city=city, state=Merchant.State.APPROVED).count(),
    )  # fmt: skip


@never_cache
@citizens_only
def earn(request: Request) -> HttpResponse:
    """Programmes to take part in, and why the last ones paid or did not."""
    city, person = request.city.code, request.user.pk
    return _page(
        request, "earn", "citizen/earn.html", offers=rewards.offers(city, person),
        waiting=rewards.waiting_of(city, person),
        decisions=rewards.decisions_of(city, person, limit=10),
    )  # fmt: skip


@never_cache
@citizens_only
def programme(request: Request, code: str) -> HttpResponse:
    """One programme: its rule, what is left of its caps, joining and leaving, its decisions."""
    city, person = request.city.code, request.user.pk
    offer = next((o for o in rewards.offers(city, person) if o.terms.code == code), None)
    if offer is None:
        raise Http404
    language = translation.get_language() or "ko"
    groups = [(g.code, g.name.text(language)) for g in offer.terms.groups.values()]
    form = EnrolForm(groups, request.POST or None)
    refusal = None
    if request.method == "POST":
        answer: Any = None
        if "leave" in request.POST:
            answer = rewards.leave(city, person, code, actor=f"user:{person}")
        elif form.is_valid():
            group = form.cleaned_data.get("group") or (groups[0][0] if groups else None)
            answer = rewards.enrol(city, person, code, group=group, actor=f"user:{person}")
            services.people.open_wallet(person)
        if isinstance(answer, Refusal):
            refusal = answer
        elif answer is not None:
            return redirect("app-programme", code)
    decisions = rewards.decisions_of(city, person, limit=50)
    return _page(
        request, "earn", "citizen/programme.html", offer=offer, form=form, refusal=refusal,
        decisions=[d for d in decisions if d.programme == code][:20],
        waiting=[w for w in rewards.waiting_of(city, person) if w.programme == code],
        status=409 if refusal is not None else 200,
    )  # fmt: skip


@never_cache
@citizens_only
def wallet(request: Request) -> HttpResponse:
    """What there is, by lot; ways to pay, charge, give and convert; the newest movements."""
    terms = services.charges.terms_of(request.city)
    return _page(
        request, "wallet", "citizen/wallet.html", wallet=services.wallet(request.user),
        movements=services.history(request.user, limit=5), simulated=_simulated(request),
        expiring=expiring(request.user), charging=terms is not None,
        orders=services.charges.waiting(request.user),
        gifts=services.gifts.waiting_for(request.user),
    )  # fmt: skip


@never_cache
@citizens_only
def history(request: Request) -> HttpResponse:
    """Every movement, of one month or kind where asked, each with where it came from."""
    try:
        shown = min(max(int(request.GET.get("n", _HISTORY_STEP)), 1), _HISTORY_MOST)
    except ValueError:
        shown = _HISTORY_STEP
    months = story.months(request.user, services.postings.SYSTEM.now())
    month, group = request.GET.get("month", ""), request.GET.get("group", "")
    month, group = month if month in months else "", group if group in story.GROUPS else ""
    page = story.page(request.user, shown, group=group, month=month)
    return _page(
        request, "wallet", "citizen/history.html", movements=page.movements,
        more=shown + _HISTORY_STEP if page.more and shown < _HISTORY_MOST else None,
        simulated=_simulated(request), months=months, month=month, group=group,
        groups=story.GROUPS,
    )  # fmt: skip


def _simulated(request: Request) -> set[UUID]:
    """The transfers of simulated evidence's awards and of a simulated bank's deposits."""
    decisions = rewards.decisions_of(request.city.code, request.user.pk, limit=200)
    awards = {d.transfer_id for d in decisions if d.simulated and d.transfer_id is not None}
    return awards | simulated_deposits.postings_of(request.user)


@never_cache
@citizens_only
def convert(request: Request) -> HttpResponse:
    """Turn points into local currency."""
    refusal, purse = None, services.wallet(request.user)
    form = ConvertForm(request.POST or None, initial={"points": f"{purse.points:,}"})
    if request.method == "POST" and form.is_valid():
        answer = services.convert(
            request.user, form.cleaned_data["points"], form.cleaned_data["form_id"]
        )
        if isinstance(answer, Conversion):
            return redirect("app-conversion", answer.pk)
        refusal = answer
    return _page(
        request, "wallet", "citizen/convert.html", form=form, wallet=purse, refusal=refusal,
        form_id=uuid4(), status=409 if refusal is not None else 200,
    )  # fmt: skip


@never_cache
@citizens_only
def conversion(request: Request, identity: UUID) -> HttpResponse:
    """What became of a conversion."""
    row = get_object_or_404(Conversion, city=request.city.code, pk=identity, citizen=request.user)
    return _page(request, "wallet", "citizen/conversion.html", row=services.postings.refresh(row))


@never_cache
@citizens_only
def conversion_state(request: Request, identity: UUID) -> HttpResponse:
    """For the pending page: the conversion's state."""
    row = get_object_or_404(Conversion, city=request.city.code, pk=identity, citizen=request.user)
    row = services.postings.refresh(row)
    address = reverse("app-conversion", args=[row.pk])
    return JsonResponse({"state": row.state, "next": None if row.pending else address})


@never_cache
@citizens_only
def profile(request: Request) -> HttpResponse:
    """Language, sign-in, residence, how others find me, leaving."""
    residency = Residency.objects.filter(city=request.city.code, user=request.user).first()
    known = services.members.member(request.user)
    return _page(
        request,
        "profile",
        "citizen/profile.html",
        residency=residency,
        known=known,
        code=spaced(known.code),
    )


@require_POST
@login_required
def language(request: Request) -> HttpResponse:
    """Remember the language with the person, so that every device and message uses it."""
    chosen = request.POST.get("language", "")
    if chosen in ("ko", "en"):
        request.user.language = chosen
        request.user.save(update_fields=["language"])
    return set_language(request)


def _page(
    request: Request, section: str, template: str, *, status: int = 200, **context: Any
) -> HttpResponse:
    return render(request, template, {f"tab_{section}": True, **context}, status=status)
