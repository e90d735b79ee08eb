"""Policy money: uploading a list, looking at its rows, asking, letting it go, its result."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from onsil.citizen import services as citizen
from onsil.citizen.models import Merchant, PolicyGrant, Role
from onsil.console import people
from onsil.console.currency import words
from onsil.console.currency.forms import BudgetForm, DecisionForm, UploadForm
from onsil.console.export import csv_response
from onsil.console.forms import errors_of
from onsil.console.frame import STAFF, Request, needs, page
from onsil.core.refusal import Refusal

State = PolicyGrant.State
STATES = {
    State.CHECKED: "info", State.ASKED: "watch", State.RETURNED: "bad", State.APPROVED: "info",
    State.PAID: "good", State.REFUSED: "bad",
}  # fmt: skip
_ROWS = 100


@needs(*STAFF)
def listing(request: Request) -> HttpResponse:
    """The lists, newest first, with what is left of each fund's budget."""
    return _listing(request, UploadForm(rules=_rules(request)), BudgetForm())


@require_POST
@needs(Role.OFFICIAL)
def upload(request: Request) -> HttpResponse:
    """Read a list and show its rows; nothing is paid."""
    form = UploadForm(request.POST, request.FILES, rules=_rules(request))
    if not form.is_valid():
        return _listing(request, form, BudgetForm(), status=400)
    file = form.cleaned_data["file"]
    made = citizen.policy_money.upload(
        form.cleaned_data["form_id"], form.cleaned_data["title"], file.name, file.read(),
        form.defaults(), actor=_actor(request),
    )  # fmt: skip
    if isinstance(made, Refusal):
        messages.error(request, made.text(get_language() or "ko"))
        return _listing(request, form, BudgetForm(), status=400)
    return redirect("currency-grant", grant=made.pk)


@require_POST
@needs(Role.OFFICIAL)
def budget(request: Request) -> HttpResponse:
    """Bring won to a fund's budget, once a form."""
    form = BudgetForm(request.POST)
    if not form.is_valid():
        return _listing(request, UploadForm(rules=_rules(request)), form, status=400)
    data = form.cleaned_data
    told = citizen.policy_money.add_budget(
        data["form_id"], data["fund"].strip(), data["won"], actor=_actor(request)
    )
    no = told if isinstance(told, Refusal) else told.refusal
    if no is not None:
        messages.error(request, no.text(get_language() or "ko"))
    else:
        messages.success(request, _("예산에 넣었습니다."))
    return redirect("currency-grants")


@needs(*STAFF)
def template(request: Request) -> HttpResponse:
    """An empty list with the columns' names."""
    header = [_("대상자"), _("금액"), _("재원"), _("사용기한"), _("사용처")]
    return csv_response(f"{request.city.code}-policy-money", header, [])


@needs(*STAFF)
def detail(request: Request, grant: UUID) -> HttpResponse:
    """A list's rows: what was read, what is wrong, what was paid. `?show=bad`, `?format=csv`."""
    found = _found(grant)
    rows = found.listed.order_by("number")
    if request.GET.get("format") == "csv":
        return _rows_csv(request, found)
    bad = found.rows - found.good
    if request.GET.get("show") == "bad":
        rows = rows.exclude(problem="")
    shown = Paginator(rows, _ROWS).get_page(request.GET.get("page"))
    names = people.names_of(a for a in (found.made_by, found.decided_by) if a)
    mine = found.made_by == _actor(request)
    return page(
        request, "console/currency/grant.html", section="currency", tab="grants", grant=found,
        bad=bad, shown=shown, lines=[_line(r) for r in shown], condition=_status(found),
        maker=names.get(found.made_by, found.made_by), step=_step(found),
        steps=[_("올리기"), _("확인"), _("승인"), _("지급")],
        decider=names.get(found.decided_by, found.decided_by), budgets=_needed(found),
        may_ask=found.state == State.CHECKED and Role.OFFICIAL in request.roles,
        may_decide=found.state == State.ASKED and Role.APPROVER in request.roles and not mine,
        waits_for_other=found.state == State.ASKED and mine, only_bad="show" in request.GET,
    )  # fmt: skip


@require_POST
@needs(Role.OFFICIAL)
def ask(request: Request, grant: UUID) -> HttpResponse:
    """Ask a second person to let a list go."""
    _found(grant)
    _tell(request, citizen.policy_money.ask(grant, actor=_actor(request)),
          _("승인을 요청했습니다. 다른 승인 공무원이 확인합니다."))  # fmt: skip
    return redirect("currency-grant", grant=grant)


@require_POST
@needs(Role.APPROVER)
def decide(request: Request, grant: UUID) -> HttpResponse:
    """Let a list go, or return it with a reason; not by who uploaded it."""
    _found(grant)
    form = DecisionForm(request.POST)
    if not form.is_valid():
        for line in errors_of(form):
            messages.error(request, line)
        return redirect("currency-grant", grant=grant)
    approve = form.cleaned_data["decision"] == "approve"
    done = citizen.policy_money.decide(
        grant, approve, actor=_actor(request), reason=form.cleaned_data["reason"]
    )
    _tell(request, done, _("승인했습니다.") if approve else _("반려했습니다."))
    return redirect("currency-grant", grant=grant)


def _listing(
    request: Request, form: UploadForm, budget_form: BudgetForm, status: int = 200
) -> HttpResponse:
    found = citizen.policy_money.grants()
    names = people.names_of(a for g in found for a in (g.made_by, g.decided_by) if a)
    return page(
        request, "console/currency/grants.html", section="currency", tab="grants", status=status,
        grants=[
            {"one": g, "status": _status(g), "maker": names.get(g.made_by, g.made_by),
             "bad": g.rows - g.good}
            for g in found
        ],
        budgets=sorted(citizen.policy_money.budgets().items()), form=form,
        budget_form=budget_form, may_upload=Role.OFFICIAL in request.roles,
    )  # fmt: skip


def _actor(request: Request) -> str:
    return f"user:{request.user.pk}"


def _found(grant: UUID) -> PolicyGrant:
    found = citizen.policy_money.grant(grant)
    if found is None:
        raise Http404
    return found


def _tell(request: Request, outcome: object, done: str) -> None:
    if isinstance(outcome, Refusal):
        messages.error(request, outcome.text(get_language() or "ko"))
    else:
        messages.success(request, done)


def _rules(request: Request) -> list[tuple[str, object]]:
    rule = citizen.rulebook.rules_at(request.city, timezone.now()).policy
    return [(name, rule_word(name)) for name in (rule.merchant_rule, *rule.merchant_rules)]


def rule_word(name: str) -> str:
    """A merchant rule of policy money, as people call it."""
    if name == "policy":
        return _("모든 가맹점(매출 한도 없음)")
    kinds = {str(value): word for value, word in Merchant.Kind.choices}
    kind = kinds.get(name.removeprefix("kind:"))
    return _("%(kind)s에서만") % {"kind": _(str(kind))} if kind else name


def _status(grant: PolicyGrant) -> dict[str, str]:
    return {"sign": STATES[State(grant.state)], "word": _(str(State(grant.state).label))}


def _step(grant: PolicyGrant) -> int:
    return {State.CHECKED: 2, State.ASKED: 3, State.RETURNED: 3, State.APPROVED: 4}.get(
        State(grant.state), 5 if grant.state == State.PAID else 4
    )


def _line(row: Any) -> dict[str, Any]:
    return {
        "row": row, "problem": words.problem_words().get(row.problem, row.problem),
        "rule": rule_word(row.merchant_rule) if row.merchant_rule else "–",
    }  # fmt: skip


def _needed(grant: PolicyGrant) -> list[dict[str, Any]]:
    """Each fund of the list: what it pays, and what its budget has."""
    if grant.state in (State.PAID, State.RETURNED):
        return []
    sums: dict[str, int] = {}
    for fund, amount in grant.listed.filter(problem="").values_list("fund", "amount"):
        sums[fund] = sums.get(fund, 0) + amount
    left = citizen.policy_money.budgets()
    return [
        {"fund": fund, "needed": won, "left": left.get(fund, 0), "short": left.get(fund, 0) < won}
        for fund, won in sorted(sums.items())
    ]


def _rows_csv(request: Request, grant: PolicyGrant) -> HttpResponse:
    language, problems = get_language() or "ko", words.problem_words()
    header = [_("행"), _("대상자"), _("금액"), _("재원"), _("사용기한"), _("사용처"), _("결과"),
              _("까닭"), _("거래")]  # fmt: skip
    rows = [
        (r.number, r.person, r.amount if r.amount is not None else r.written_amount, r.fund,
         r.last_day, r.merchant_rule, _result(r), problems.get(r.problem, "")
         or (r.refusal_en if language.startswith("en") else r.refusal_ko), r.transfer_id)
        for r in grant.listed.order_by("number")
    ]  # fmt: skip
    return csv_response(f"{request.city.code}-policy-money-{grant.pk}", header, rows)


def _result(row: Any) -> str:
    if row.problem:
        return _("제외")
    if row.transfer_id:
        return _("지급됨")
    return _("지급 안 됨") if row.refusal_code else _("지급 전")
