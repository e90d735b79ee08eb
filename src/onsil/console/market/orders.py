"""Orders and offers, and how revenue is shared: the market's back office and the buyer's desk."""

from uuid import UUID, uuid4

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from onsil import footprint, ledger
from onsil.citizen.models import Role
from onsil.console import people
from onsil.console.forms import errors_of
from onsil.console.frame import STAFF, Request, needs, page
from onsil.console.market.forms import OfferOrderForm, RevenueForm
from onsil.console.market.views import company_of
from onsil.core.clock import SystemClock
from onsil.core.periods import local_day
from onsil.core.refusal import Refusal
from onsil.footprint import market
from onsil.tenancy import transaction

_CLOCK = SystemClock()
_MOST = 200


def state_words() -> dict[str, tuple[str, str]]:
    """Each state as (sign, word)."""
    return {
        "offered": ("watch", _("제안함")), "accepted": ("info", _("수락됨")),
        "escrowed": ("info", _("대금 보관 중")), "settled": ("good", _("정산됨")),
        "declined": ("bad", _("거절됨")), "cancelled": ("plain", _("취소됨")),
        "lapsed": ("plain", _("기한 지남")),
    }  # fmt: skip


def _say(request: Request, outcome: object, done: str) -> bool:
    if isinstance(outcome, Refusal):
        messages.error(request, outcome.text(get_language() or "ko"))
        return False
    messages.success(request, done)
    return True


@require_safe
@needs(*STAFF, Role.BUYER)
def listing(request: Request) -> HttpResponse:
    """Orders, newest first: a company's own, or all of them for officials."""
    city, company, me = request.city.code, company_of(request), f"user:{request.user.pk}"
    with transaction(city) as conn:
        found = market.orders(conn, city, buyer=company)[:_MOST]
        batches = {o.batch_id: footprint.batch(conn, city, o.batch_id) for o in found}
    words = state_words()
    names = people.names_of(o.placed_by for o in found)
    rows = [
        {
            "order": o, "batch": batches[o.batch_id], "state": words[o.status],
            "who": names.get(o.placed_by, o.placed_by),
            "may_accept": o.status == "offered" and Role.OFFICIAL in request.roles
            and o.placed_by != me,
            "may_settle": o.status == "escrowed" and Role.APPROVER in request.roles
            and me not in (o.placed_by, o.accepted_by),
            "may_cancel": o.status in market.OPEN
            and (company is not None or Role.OFFICIAL in request.roles),
        }
        for o in found
    ]  # fmt: skip
    waiting = sum(o.amount_krw for o in found if o.status == "escrowed")
    return page(
        request, "console/market/orders.html", section="market", company=company, rows=rows,
        waiting_krw=waiting, open_orders=sum(o.status in market.OPEN for o in found),
    )  # fmt: skip


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Role.BUYER)
def place(request: Request, listing: UUID) -> HttpResponse:
    """Ask for units of a listing, at its price or below; sent twice, it is placed once."""
    city, company = request.city.code, company_of(request)
    if company is None:
        raise Http404
    with transaction(city) as conn:
        found = market.listing(conn, city, listing)
        if found is None:
            raise Http404
        batch = footprint.batch(conn, city, found.batch_id)
        money = ledger.balance(conn, city, company, "KRW")
    form = OfferOrderForm(
        request.POST or None,
        initial={"tonnes": 1, "unit_price_krw": found.unit_price_krw, "key": uuid4()},
    )
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        with transaction(city) as conn:
            made = market.place_order(
                conn, city, listing, company, data["tonnes"], data["unit_price_krw"],
                str(data["key"]), f"user:{request.user.pk}", _CLOCK, data["message"],
            )  # fmt: skip
        done = _("주문했습니다. 대금은 정산될 때까지 보관 계정에 있습니다.")
        if not isinstance(made, Refusal) and made.status == "offered":
            done = _("가격을 제안했습니다. 담당자가 수락하면 대금을 보관합니다.")
        if _say(request, made, done):
            return redirect("market-orders")
    return page(
        request, "console/market/order.html", section="market", listing=found, batch=batch,
        form=form, money=money, company=company,
    )  # fmt: skip


@require_POST
@needs(*STAFF, Role.BUYER)
def act(request: Request, order: UUID, act: str) -> HttpResponse:
    """Accept or decline (official), settle (approver), cancel (the buyer or an official)."""
    city, actor, reason = (
        request.city.code,
        f"user:{request.user.pk}",
        request.POST.get("reason", ""),
    )
    company = company_of(request)
    needed = {"accept": Role.OFFICIAL, "decline": Role.OFFICIAL, "settle": Role.APPROVER}
    with transaction(city) as conn:
        found = market.order(conn, city, order)
        if found is None or act not in (*needed, "cancel"):
            raise Http404
        own = company is not None and found.buyer == company
        allowed = needed[act] in request.roles if act in needed else (
            own or Role.OFFICIAL in request.roles
        )  # fmt: skip
        if not allowed:
            raise Http404
        if act == "accept":
            made = market.accept_offer(conn, city, order, actor, _CLOCK)
        elif act == "decline":
            made = market.decline_offer(conn, city, order, reason, actor, _CLOCK)
        elif act == "settle":
            made = market.settle_order(conn, city, order, actor, _CLOCK)
        else:
            made = market.cancel_order(conn, city, order, reason, actor, _CLOCK)
    words = {
        "accept": _("제안을 수락했습니다."), "decline": _("제안을 거절했습니다."),
        "settle": _("정산했습니다. 크레딧과 대금이 함께 옮겨졌습니다."),
        "cancel": _("주문을 취소했습니다. 보관한 대금은 모두 돌려주었습니다."),
    }  # fmt: skip
    _say(request, made, words[act])
    return redirect("market-orders")


@require_http_methods(["GET", "HEAD", "POST"])
@needs(*STAFF)
def revenue(request: Request) -> HttpResponse:
    """How revenue is shared; officials propose a rule."""
    city = request.city.code
    form = RevenueForm(request.POST or None)
    if request.method == "POST":
        if Role.OFFICIAL not in request.roles:
            raise Http404
        if form.is_valid():
            data = form.cleaned_data
            with transaction(city) as conn:
                made = market.propose_revenue_rule(
                    conn, city, form.shares(), data["starts_on"], data["reason"],
                    f"user:{request.user.pk}", _CLOCK, data["project"],
                )  # fmt: skip
            if _say(request, made, _("배분 규칙을 제안했습니다. 다른 담당자가 승인합니다.")):
                return redirect("market-revenue")
        else:
            for line in errors_of(form):
                messages.error(request, line)
    with transaction(city) as conn:
        rules = market.revenue_rules(conn, city)
        projects = {p.id: p for p in footprint.projects(conn, city)}
        today = local_day(_CLOCK.now(), request.city.zone)
        now = market.shares_on(conn, city, None, today)
    names = people.names_of(w for r in rules for w in (r.maker, r.checker) if w)
    return page(
        request, "console/market/revenue.html", section="market", company=None, rules=rules,
        projects=projects, now=now, names=names, form=form, me=f"user:{request.user.pk}",
        may_propose=Role.OFFICIAL in request.roles, may_approve=Role.APPROVER in request.roles,
    )  # fmt: skip


@require_POST
@needs(Role.APPROVER)
def approve_revenue(request: Request, rule: UUID) -> HttpResponse:
    """Put a proposed rule in force."""
    with transaction(request.city.code) as conn:
        made = market.approve_revenue_rule(
            conn, request.city.code, rule, f"user:{request.user.pk}", _CLOCK
        )
    _say(request, made, _("배분 규칙이 시행됩니다."))
    return redirect("market-revenue")
