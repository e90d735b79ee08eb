"""The registry desk: units by serial, proposals, projects' losses and plans, and the sums."""

from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from onsil import footprint
from onsil.citizen.models import Role
from onsil.console import people
from onsil.console.export import csv_response
from onsil.console.frame import STAFF, Request, needs, page
from onsil.console.registry.acting import ACTS, CLOCK
from onsil.core.periods import local_day
from onsil.core.refusal import Refusal
from onsil.footprint import credits
from onsil.tenancy import transaction

READERS = (*STAFF, Role.VERIFIER)
MAKERS = (Role.OFFICIAL, Role.APPROVER)
ZONE = ZoneInfo("Asia/Seoul")
_PAGE, _FILE = 100, 20_000
SECTION = "registry-desk"


def _query(request: Request) -> credits.UnitQuery:
    def text(name: str) -> str:
        return request.GET.get(name, "").strip()[:120]

    year = text("vintage")
    return credits.UnitQuery(
        serial=text("serial"),
        project=text("project"),
        vintage=int(year) if year.isdecimal() and len(year) == 4 else None,
        state=text("state"),
        account=text("account"),
        beneficiary=text("beneficiary"),
    )


@require_safe
@needs(*READERS)
def desk(request: Request) -> HttpResponse:
    """Live blocks of units with their accounts; `?format=csv`."""
    query, city = _query(request), request.city.code
    number = request.GET.get("page", "1")
    at = max(int(number), 1) if number.isdecimal() and len(number) < 7 else 1
    as_file = request.GET.get("format") == "csv"
    with transaction(city) as conn:
        limit, offset = (_FILE, 0) if as_file else (_PAGE, (at - 1) * _PAGE)
        found = credits.search(conn, city, query, limit, offset)
        waiting = len(credits.actions(conn, city, "proposed"))
    if as_file:
        return csv_response(
            f"{city}-units",
            ["serials", "units", "unit", "vintage", "project", "state", "cad_trust", "account",
             "registry", "outside_serials", "adjustment_declaration", "adjustment_status", "batch",
             "block"],
            (
                [r.serials, r.block.units, r.unit, r.vintage, r.code, r.block.state, r.status,
                 r.block.account, r.outside.get("registry", ""), r.outside.get("serials", ""),
                 r.declaration, r.adjustment, str(r.block.batch_id), str(r.block.id)]
                for r in found.rows
            ),
        )  # fmt: skip
    return page(
        request, "console/registry/desk.html", section=SECTION, tab="units", rows=found.rows,
        total=found.total, query=query, choices=credits.STATES, waiting=waiting, acts=ACTS,
        page=Paginator(range(found.total), _PAGE).get_page(at), may_make=_may(request, MAKERS),
    )  # fmt: skip


@require_safe
@needs(*READERS)
def unit(request: Request, block: UUID) -> HttpResponse:
    """A block with its whole history, accounts and keys too, and what can be done with it."""
    city = request.city.code
    with transaction(city) as conn:
        found = credits.units_of(conn, city, block)
        if found is None:
            raise Http404
        batch = credits.any_batch(conn, city, found.block.batch_id)
        assert batch is not None
        history = credits.events(conn, city, batch_id=batch.id, serials=found.block.span)
        context = {
            "found": found,
            "batch": batch,
            "history": history,
            "before": credits.ancestors(conn, city, found.block),
            "sums": credits.conservation(conn, city, batch.id),
            "labels": credits.labels_of(conn, city, batch.id),
            "adjustment": credits.adjustment(conn, city, batch.id),
            "limit": credits.conversion_limit(conn, city, batch),
        }
    return page(
        request, "console/registry/unit.html", section=SECTION, may_make=_may(request, MAKERS),
        names=people.names_of([one.actor for one in history]), **context,
    )  # fmt: skip


@require_safe
@needs(*READERS)
def actions(request: Request) -> HttpResponse:
    """What waits for a second person, and what was decided."""
    city = request.city.code
    with transaction(city) as conn:
        found = credits.actions(conn, city)
    actor = f"user:{request.user.pk}"
    names = people.names_of([one.maker for one in found] + [one.checker or "" for one in found])
    return page(
        request, "console/registry/actions.html", section=SECTION, tab="actions",
        waiting=[(one, one.maker != actor) for one in found if one.status == "proposed"],
        decided=[one for one in found if one.status != "proposed"][:100], names=names,
        may_decide=_may(request, (Role.APPROVER,)),
    )  # fmt: skip


@require_safe
@needs(*READERS)
def projects(request: Request) -> HttpResponse:
    """Each project's losses and what is owed for them, the pools they share, and planned units."""
    city = request.city.code
    with transaction(city) as conn:
        found = footprint.projects(conn, city)
        owed = [(one, credits.shortfall(conn, city, one.id)) for one in found]
        by_id: dict[UUID | None, footprint.Project] = {one.id: one for one in found}
        planned = [
            (one, by_id[one.project_id], _holders(credits.planned_holders(conn, city, one), one),
             credits.planned_due(one))
            for one in credits.planned(conn, city)
        ]  # fmt: skip
        pools = [
            (one, [(share, by_id.get(share.project_id)) for share in one.shares])
            for one in credits.pools(conn, city)
        ]
        stepped = credits.events(conn, city, kinds=("stepped",))
        losses = credits.events(conn, city, kinds=("reversal",))
        withheld = credits.events(conn, city, kinds=("withheld",))
    return page(
        request, "console/registry/projects.html", section=SECTION, tab="projects", owed=owed,
        planned=planned, losses=[(one, by_id.get(one.project_id)) for one in reversed(losses)],
        withheld=[(one, by_id.get(one.project_id)) for one in reversed(withheld)],
        pools=pools, stepped=[(one, by_id.get(one.project_id)) for one in reversed(stepped)],
        this_year=local_day(CLOCK.now(), ZONE).year, may_make=_may(request, MAKERS),
    )  # fmt: skip


def _holders(held: dict[str, int], one: credits.Planned) -> list[tuple[str, int]]:
    """Who but the project itself holds planned units, and how many."""
    return [(code, units) for code, units in held.items() if code != f"project:{one.project_id}"]


@require_safe
@needs(*READERS)
def sums(request: Request) -> HttpResponse:
    """Every batch: issued, and where its units are, by blocks, ledger and journal alike."""
    city = request.city.code
    with transaction(city) as conn:
        rows = [
            (credits.any_batch(conn, city, one.batch_id), one)
            for one in credits.conservation_all(conn, city)
        ]
    if request.GET.get("format") == "csv":
        return csv_response(
            f"{city}-conservation", ["batch", "vintage", "issued", *credits.STATES, "whole"],
            (
                [one.serials, one.vintage, told.issued, *told.states.values(), told.whole]
                for one, told in rows
                if one is not None
            ),
        )  # fmt: skip
    return page(
        request, "console/registry/sums.html", section=SECTION, tab="sums", rows=rows,
        states=credits.STATES, broken=[one for one, told in rows if not told.whole],
    )  # fmt: skip


@require_http_methods(["GET", "HEAD", "POST"])
@needs(*MAKERS)
def act(request: Request, kind: str) -> HttpResponse:
    """A form of the desk, and doing what it says; its first values come from the address."""
    doing = ACTS.get(kind)
    if doing is None:
        raise Http404
    form = doing.form(request.POST or None, initial=request.GET.dict())
    if request.method == "POST" and form.is_valid():
        city = request.city.code
        with transaction(city) as conn:
            made = doing.do(conn, city, form.cleaned_data, f"user:{request.user.pk}")
        if not isinstance(made, Refusal):
            messages.success(
                request,
                _("다른 담당자의 결정을 기다립니다.") if doing.two else _("처리했습니다."),
            )
            return redirect("registry-actions" if doing.two else "registry-desk")
        form.add_error(None, made.text(get_language() or "ko"))
    return page(
        request, "console/registry/act.html", section=SECTION, form=form, doing=doing, kind=kind
    )


@require_POST
@needs(Role.APPROVER)
def decide(request: Request, action: UUID) -> HttpResponse:
    """Approve a proposal (`serials`, `reference`), or turn it down with a `reason`."""
    city, actor = request.city.code, f"user:{request.user.pk}"
    with transaction(city) as conn:
        if credits.action(conn, city, action) is None:
            raise Http404
        if request.POST.get("decision") == "reject":
            reason = request.POST.get("reason", "").strip()[:300]
            made = credits.reject(conn, city, action, actor, reason, CLOCK)
        else:
            outcome = {
                name: request.POST[name].strip()[:300]
                for name in ("serials", "reference")
                if request.POST.get(name, "").strip()
            }
            made = credits.approve(conn, city, action, actor, CLOCK, outcome)
    if isinstance(made, Refusal):
        messages.error(request, made.text(get_language() or "ko"))
    else:
        messages.success(request, _("처리했습니다."))
    return redirect("registry-actions")


def _may(request: Request, roles: tuple[str, ...]) -> bool:
    return bool(request.roles.intersection(roles))
