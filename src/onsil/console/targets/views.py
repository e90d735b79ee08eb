"""The plan's screens: the measures board, a measure, the yearly review, pathway and what-if."""

from decimal import Decimal
from uuid import UUID

from django.http import Http404, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from onsil.citizen.models import Role
from onsil.console import people
from onsil.console.export import csv_response
from onsil.console.frame import STAFF, Request, needs, page
from onsil.console.reports.shelf import shelf
from onsil.console.targets import board as shown
from onsil.console.targets import cityplan
from onsil.console.targets.forms import (
    GREENS,
    EvidenceForm,
    GoalForm,
    MeasureForm,
    ReasonForm,
    TargetForm,
    VerdictForm,
    WhatIfForm,
)
from onsil.console.targets.workbook import review_workbook
from onsil.core.clock import SystemClock
from onsil.core.database import Connection
from onsil.core.periods import local_day
from onsil.footprint import targets
from onsil.footprint.factors import library_of
from onsil.tenancy import transaction

CLOCK = SystemClock()
READERS = (*STAFF, Role.VERIFIER)
_UNTIL = 2050


def _this_year(request: Request) -> int:
    return local_day(CLOCK.now(), request.city.zone).year


def _year(request: Request) -> int:
    text = request.GET.get("year", "")
    return int(text) if text.isdigit() and 1990 <= int(text) <= 2100 else _this_year(request)


def _plan(conn: Connection, request: Request) -> targets.Plan | None:
    found = targets.plans(conn, request.city.code)
    wanted = request.GET.get("plan")
    return next((p for p in found if str(p.id) == wanted), found[0] if found else None)


@require_safe
@needs(*READERS)
def board(request: Request) -> HttpResponse:
    """Every measure of the plan in a year; `?year=`, `?green=`, `?format=csv`."""
    year, green = _year(request), request.GET.get("green", "")
    with transaction(request.city.code) as conn:
        plan = _plan(conn, request)
        if plan is None:
            return page(
                request, "console/targets/empty.html", section="targets",
                has_file=cityplan.table_of(request.city) is not None,
                may_change=Role.OFFICIAL in request.roles,
            )  # fmt: skip
        measures = targets.measures(conn, request.city.code, plan.id)
        found = targets.year_progress(conn, request.city.code, plan.id, year)
        evidence = targets.evidence(conn, request.city.code, [m.id for m in measures])
        goals = targets.goals(conn, request.city.code, plan.id)
        review = targets.review_of_year(conn, request.city.code, plan.id, year)
    lines = [shown.line(p) for p in found if green in ("", p.measure.terms.green)]
    if request.GET.get("format") == "csv":
        return _board_csv(request, year, lines)
    planned, confirmed = shown.planned_reductions(measures), shown.measured_reductions(evidence)
    years = sorted({*planned, *confirmed, year})
    total = next((g for g in reversed(goals) if g.kind == "reduction-t"), None)
    return page(
        request, "console/targets/board.html", section="targets", plan=plan, year=year,
        lines=lines, greens=GREENS, green=green, coverage=targets.coverage(found), goals=goals,
        review=review, chart=shown.reductions_chart(planned, confirmed, years), total=total,
        confirmed=confirmed.get(year), before=year - 1, after=year + 1, goal_form=GoalForm(),
        measure_form=MeasureForm(), may_change=Role.OFFICIAL in request.roles,
    )  # fmt: skip


def _board_csv(request: Request, year: int, lines: list[shown.Line]) -> HttpResponse:
    header = [_("과제 번호"), _("과제"), _("맡은 부서"), _("연도"), _("지표"), _("단위"),
              _("목표 물량"), _("확인된 물량"), _("목표 tCO₂e"), _("확인된 tCO₂e"), _("달성률(%)"),
              _("상태"), _("점검 결과")]  # fmt: skip
    rows = [
        (one.progress.measure.code, one.name, one.owner, year, one.indicator,
         one.progress.measure.terms.unit,
         one.progress.target.quantity if one.progress.target else None, one.progress.quantity,
         one.progress.target.co2e_t if one.progress.target else None, one.progress.co2e_t,
         one.progress.share_pct, one.word, one.verdict)
        for one in lines
    ]  # fmt: skip
    return csv_response(f"{request.city.code}-measures-{year}", header, rows)


@require_safe
@needs(*READERS)
def measure(request: Request, measure: UUID) -> HttpResponse:
    """One measure: its years, targets against what is shown, evidence, terms."""
    city = request.city.code
    with transaction(city) as conn:
        found = targets.measure(conn, city, measure)
        if found is None:
            raise Http404
        evidence = targets.evidence(conn, city, [found.id])
    years = sorted({*found.targets, *(e.year for e in evidence)})
    every = [shown.line(targets.progress(found, year, evidence)) for year in years]
    terms = found.terms
    initial = {"code": found.code} | {
        name: getattr(terms, name) for name in targets.MeasureTerms.__dataclass_fields__
    }
    return page(
        request, "console/targets/measure.html", section="targets", measure=found,
        name=terms.name_en if shown.english() else terms.name_ko, lines=every,
        evidence=evidence, names=people.names_of(e.actor for e in evidence),
        chart=_measure_chart(found, every), reason_form=ReasonForm(),
        target_form=TargetForm(initial={"year": _this_year(request)}),
        evidence_form=EvidenceForm(initial={"year": _this_year(request)}),
        terms_form=MeasureForm(initial=initial), may_change=Role.OFFICIAL in request.roles,
    )  # fmt: skip


def _measure_chart(found: targets.Measure, lines: list[shown.Line]) -> dict[str, object]:
    """Target and what is shown by year, in tonnes where there are any, else in quantity."""
    in_tonnes = any(
        one.progress.co2e_t is not None
        or (one.progress.target is not None and one.progress.target.co2e_t is not None)
        for one in lines
    )
    name = "co2e_t" if in_tonnes else "quantity"
    return {
        "title": _("목표와 확인된 양"), "kind": "bar", "label_name": _("연도"),
        "unit": "tCO₂e" if in_tonnes else found.terms.unit,
        "labels": [str(one.progress.year) for one in lines],
        "series": [
            {"name": _("목표"), "kind": "modelled",
             "values": [getattr(x.progress.target, name, None) for x in lines]},
            {"name": _("확인된 양"), "kind": "measured",
             "values": [getattr(x.progress, name) for x in lines]},
        ],
    }  # fmt: skip


@require_safe
@needs(*READERS)
def review(request: Request, plan: UUID, year: int) -> HttpResponse:
    """The year's implementation review; `?format=xlsx` is the table as offices want it."""
    city = request.city.code
    with transaction(city) as conn:
        owner = targets.plan(conn, city, plan)
        if owner is None or not 1990 <= year <= 2100:
            raise Http404
        found = targets.year_progress(conn, city, plan, year)
        written = targets.review_of_year(conn, city, plan, year)
        gap = targets.gap_of_year(conn, city, owner, year)
        kept = shelf(request, conn, "implementation", written.id) if written else None
    lines = [shown.line(p) for p in found if p.status not in ("not-yet", "ended")]
    if request.GET.get("format") == "xlsx":
        return review_workbook(request.city, owner, year, lines, written, gap)
    me = f"user:{request.user.pk}"
    who = [w for w in (written.maker, written.checker) if w] if written else []
    rows = [
        (one, VerdictForm(
            initial={"measure": one.progress.measure.id,
                     "verdict": one.progress.line.verdict if one.progress.line else None,
                     "comment": one.progress.line.comment if one.progress.line else ""},
            auto_id=f"v-{one.progress.measure.code}-%s",
        ))
        for one in lines
    ]  # fmt: skip
    open_to_write = written is not None and written.status in ("draft", "returned")
    return page(
        request, "console/targets/review.html", section="targets", plan=owner, year=year,
        rows=rows, review=written, coverage=targets.coverage(found), names=people.names_of(who),
        may_write=Role.OFFICIAL in request.roles and (written is None or open_to_write),
        may_decide=Role.APPROVER in request.roles and written is not None
        and written.status == "submitted" and written.maker != me,
        own=written is not None and written.maker == me, reason_form=ReasonForm(),
        before=year - 1, after=year + 1, reports=kept, gap=gap,
    )  # fmt: skip


@require_safe
@needs(*READERS)
def pathway(request: Request) -> HttpResponse:
    """The way to 2050, and what planned quantities would bring by the same methodologies."""
    city, this_year = request.city.code, _this_year(request)
    stated = cityplan.levers(request.city)
    words = [
        (one.lever.code,
         f"{one.lever.en if shown.english() else one.lever.ko} "
         f"({one.lever.unit_en if shown.english() else one.lever.unit_ko})")
        for one in stated
    ]  # fmt: skip
    initial = {"first": this_year + 1, "last": this_year + 5, "growth_pct": Decimal(0)} | {
        f"units_{one.lever.code}": one.default_units for one in stated
    }
    asked = "first" in request.GET
    form = WhatIfForm(request.GET if asked else initial, levers=words)
    effects: list[targets.Effect] = []
    growth = Decimal(0)
    with transaction(city) as conn:
        library = library_of(conn, city)
    if form.is_valid():
        data = form.cleaned_data
        growth = data["growth_pct"]
        full = {one.lever.code: data.get(f"units_{one.lever.code}") or Decimal(0) for one in stated}
        today = local_day(CLOCK.now(), request.city.zone)
        until = max(data["last"], data["first"]) + 1
        effects = shown.effects(
            [one.lever for one in stated], full, data["first"], data["last"], until, today,
            request.city.zone, library,
        )  # fmt: skip
    with transaction(city) as conn:
        plan = _plan(conn, request)
        goals = targets.goals(conn, city, plan.id) if plan else []
        measures = targets.measures(conn, city, plan.id) if plan else []
        emitted = shown.emitted(conn, city)
        evidence = targets.evidence(conn, city, [m.id for m in measures])
    extra: dict[int, Decimal] = {}
    for one in effects:
        extra[one.year] = extra.get(one.year, Decimal(0)) + (one.co2e_t or Decimal(0))
    planned = shown.planned_reductions(measures)
    together = {
        y: planned.get(y, Decimal(0)) + extra.get(y, Decimal(0)) for y in {*planned, *extra}
    }
    points = (
        targets.pathway(plan.base_year, goals, emitted, together, _UNTIL, growth) if plan else []
    )
    last_year = max(extra, default=None)
    gaps = targets.gaps(points, measures, evidence)
    return page(
        request, "console/targets/pathway.html", section="targets", plan=plan, form=form,
        year=this_year, asked=asked, points=points, goals=goals, levers=stated,
        english=shown.english(),
        chart=shown.pathway_chart(points) if points else None, emitted=emitted,
        wedges=shown.wedges_chart(gaps, measures, this_year),
        gaps=shown.told_gaps(gaps, goals, this_year),
        effects_chart=shown.effects_chart(effects, [one.lever for one in stated]),
        effects=[e for e in effects if e.year == last_year], last_year=last_year,
        total=extra.get(last_year) if last_year else None,
    )  # fmt: skip
