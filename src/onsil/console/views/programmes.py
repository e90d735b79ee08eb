"""Programmes and budgets: the rules in words, the burn-down, awards, topping up from the fund."""

from datetime import date
from uuid import uuid4

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from onsil import ledger
from onsil.citizen.models import Role
from onsil.console import programmes
from onsil.console.export import csv_response
from onsil.console.forms import FundForm, errors_of
from onsil.console.frame import STAFF, Request, needs, page
from onsil.console.loop import FUND
from onsil.core.clock import SystemClock
from onsil.core.refusal import Refusal
from onsil.rewards import services as rewards
from onsil.rewards.models import Award, BudgetFunding, Programme
from onsil.tenancy import transaction

_CLOCK = SystemClock()
_PAGE = 50


def _fund(city: str) -> int:
    with transaction(city) as conn:
        return ledger.balance(conn, city, FUND, "KRW")


def _today(request: Request) -> date:
    return _CLOCK.now().astimezone(request.city.zone).date()


@needs(*STAFF)
def listing(request: Request) -> HttpResponse:
    """Every programme with its budgets by year and source; `?format=csv` for the budgets."""
    city = request.city.code
    views = programmes.programme_views(city, get_language() or "ko", _today(request))
    if request.GET.get("format") == "csv":
        header = [
            _("사업"), _("연도"), _("재원"), _("예산(원)"), _("사용(원)"), _("확정 여부"),
            _("비고"),
        ]  # fmt: skip
        rows = [
            (v.name, b.year, s["word"], s["amount"], s["used"], s["confirmed"], s["note"])
            for v in views for b in v.budgets for s in b.sources
        ]  # fmt: skip
        return csv_response(f"{city}-budgets", header, rows)
    return page(
        request, "console/programmes.html", section="programmes", views=views, fund=_fund(city),
        services=request.city.data.get("service_budget", ()),
    )  # fmt: skip


@needs(*STAFF)
def detail(request: Request, code: str) -> HttpResponse:
    """One programme: rules, burn-down, the awards newest first."""
    city = request.city.code
    views = programmes.programme_views(city, get_language() or "ko", _today(request))
    view = next((v for v in views if v.terms.code == code), None)
    if view is None:
        raise Http404
    awards = (
        Award.objects.filter(city=city, programme__code=code)
        .select_related("decision", "posting").order_by("-awarded_at", "-id")
    )  # fmt: skip
    if request.GET.get("format") == "csv":
        header = [_("지급 번호"), _("때"), _("점수"), _("원"), _("이유"), _("등록"), _("원장 상태")]
        rows = [
            (str(a.pk), a.awarded_at, a.points, a.krw, a.decision.reason_ko,
             str(a.claim_id or ""), _posting(a)[0])
            for a in awards.iterator(chunk_size=2000)
        ]  # fmt: skip
        return csv_response(f"{city}-{code}-awards", header, rows)
    shown = Paginator(awards, _PAGE).get_page(request.GET.get("page"))
    english = (get_language() or "ko").startswith("en")
    lines = [
        {"award": a, "why": a.decision.reason_en if english else a.decision.reason_ko,
         "state": _posting(a)[0], "transfer": _posting(a)[1]}
        for a in shown
    ]  # fmt: skip
    return page(
        request, "console/programme.html", section="programmes", view=view, lines=lines,
        shown=shown, fund=_fund(city), form=FundForm(initial={"key": uuid4()}),
        may_fund=Role.APPROVER in request.roles,
    )  # fmt: skip


def _posting(award: Award) -> tuple[str, object]:
    posting = getattr(award, "posting", None)
    return (posting.state, posting.transfer_id) if posting else ("none", None)


def _other_funding(city: str, code: str, amount: int, key: str) -> int | None:
    """The won that a key brought before, when it was not this sum for this programme."""
    made = BudgetFunding.objects.select_related("budget__programme").get(city=city, key=key)
    return None if (made.krw, made.budget.programme.code) == (amount, code) else made.krw


@require_POST
@needs(Role.APPROVER)
def fund(request: Request, code: str) -> HttpResponse:
    """Top up this year's budget from the incentive fund; the ledger refuses an overdraft."""
    city = request.city.code
    get_object_or_404(Programme, city=city, code=code)
    form = FundForm(request.POST)
    if not form.is_valid():
        for line in errors_of(form):
            messages.error(request, line)
        return redirect("console-programme", code)
    amount, key = form.cleaned_data["amount"], f"console:{form.cleaned_data['key']}"
    done = rewards.fund_budget(
        city, code, _today(request).year, "fund", amount, actor=str(request.user.pk),
        account=FUND, key=key,
    )  # fmt: skip
    if isinstance(done, Refusal):
        messages.error(request, done.text(get_language() or "ko"))
    elif (before := _other_funding(city, code, amount, key)) is not None:
        messages.error(
            request,
            _("이 화면에서 이미 %(krw)s원을 채웠습니다. 더 채우려면 화면을 새로 열어 주세요.")
            % {"krw": f"{before:,}"},
        )
    else:
        messages.success(request, _("예산을 채웠습니다."))
    return redirect("console-programme", code)
