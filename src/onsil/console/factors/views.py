"""The library's screens: the list with its chart, a set, a comparison, tables, printed sums."""

from typing import Any
from urllib.parse import quote

from django.core.paginator import Paginator
from django.http import Http404, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from onsil.citizen.models import Role
from onsil.console.export import csv_response
from onsil.console.factors import shelf, words
from onsil.console.frame import STAFF, Request, needs, page
from onsil.core.canonical import plain
from onsil.footprint.factors import (
    MATURITIES,
    Library,
    factor_programmes,
    library_of,
    published_examples,
    recalculate,
)
from onsil.footprint.factors.imports import common_factors, imports, runs_using
from onsil.tenancy import transaction

READERS = (*STAFF, Role.VERIFIER)
_ROWS = 100
_FILTERS = ("commodity", "programme", "maturity", "on", "q")


def _common(request: Request) -> frozenset[str]:
    """What is in force here because it was approved for every city."""
    with transaction(request.city.code) as conn:
        standing = common_factors(conn, request.city.code)
    return frozenset(one.made.reference for one in standing if not one.set_aside)


def _library(request: Request) -> Library:
    with transaction(request.city.code) as conn:
        return library_of(conn, request.city.code)


@require_safe
@needs(*READERS)
def library(request: Request) -> HttpResponse:
    """Every factor; `?commodity= &programme= &maturity= &on=YYYY-MM-DD &q= &format=csv`."""
    whole = _library(request)
    asked = {name: request.GET.get(name, "").strip()[:100] for name in _FILTERS}
    found = shelf.lines(whole, asked, _common(request))
    if request.GET.get("format") == "csv":
        return _csv(request, found)
    commodities = sorted({f.commodity for one in whole.sets for f in one.factors})
    return page(
        request, "console/factors/library.html", section="factors", tab="sets", asked=asked,
        shown=Paginator(found, _ROWS).get_page(request.GET.get("page")), matched=len(found),
        commodities=[(code, words.commodity(code)) for code in commodities],
        programmes=factor_programmes().values(),
        maturities=[(code, words.MATURITIES[code][1]) for code in MATURITIES],
        chart=shelf.chart(whole), filtered=any(asked.values()), sets=whole.sets,
    )  # fmt: skip


def _csv(request: Request, found: list[shelf.Line]) -> HttpResponse:
    header = [
        _("계수집"), _("품목"), _("경계"), _("단위"), "CO2", "CH4", "N2O", _("CO2e 합계"),
        _("합계의 GWP"), _("발행처"), _("문서"), _("판본"), _("조항"), _("쪽"), _("공표일"),
        _("읽은 날"), _("적용 시작"), _("적용 끝"), _("근거 등급"),
    ]  # fmt: skip
    rows: list[tuple[Any, ...]] = []
    for one in found:
        gases = one.factor.gases_kg or {}
        rows.append((
            one.set.reference, one.factor.commodity, one.factor.boundary, f"kg/{one.factor.per}",
            *(shelf.number(gases.get(gas)) for gas in ("co2", "ch4", "n2o")),
            shelf.number(one.factor.co2e_total_kg), one.factor.co2e_gwp_set or "",
            one.set.publisher, one.set.title, one.set.edition, one.set.article, one.set.page,
            str(one.set.published), str(one.set.read), str(one.set.valid_from or ""),
            str(one.set.valid_to or ""), one.set.maturity,
        ))  # fmt: skip
    return csv_response(f"{request.city.code}-factors", header, rows)


@require_safe
@needs(*READERS)
def factor_set(request: Request, reference: str) -> HttpResponse:
    """One version of a set; `?format=json` gives it as runs keep it."""
    city = request.city.code
    with transaction(city) as conn:
        whole = library_of(conn, city)
        try:
            found = whole.factor_set(reference)
        except KeyError as error:
            raise Http404 from error
        runs = runs_using(conn, city, found.id)
        common = [one.made for one in common_factors(conn, city) if not one.set_aside]
        brought = [i for i in (*imports(conn, city, "approved"), *common)
                   if i.reference == found.reference]  # fmt: skip
    if request.GET.get("format") == "json":
        answer = JsonResponse(plain(found.content()), json_dumps_params={"ensure_ascii": False})
        answer["Content-Disposition"] = (
            f"attachment; filename*=UTF-8''{quote(found.reference)}.json"
        )
        return answer
    others = [one for one in whole.sets if one.reference != found.reference and _alike(one, found)]
    return page(
        request, "console/factors/set.html", section="factors", found=found,
        facts=shelf.facts(found), maturity=words.MATURITIES[found.maturity],
        lines=[(shelf.line(whole, found, f), _gases(f), shelf.totals(f)) for f in found.factors],
        findings=[_finding(f) for f in shelf.redone(
            found.reference, brought[0].made if brought else None)],
        programmes=shelf.programmes_of(found), superseded_by=whole.superseded_by(found),
        runs=[(run, run["digest"] == found.digest) for run in runs], others=others,
        brought=brought[0] if brought else None, common=bool(brought) and brought[0] in common,
    )  # fmt: skip


def _alike(one: Any, other: Any) -> bool:
    return bool({f.commodity for f in one.factors} & {f.commodity for f in other.factors})


def _gases(factor: Any) -> list[tuple[str, str]]:
    return [(gas.upper(), shelf.number(kg)) for gas, kg in (factor.gases_kg or {}).items()]


def _finding(found: Any) -> tuple[Any, Any, Any]:
    return found, words.SEVERITIES[found.severity], words.VERDICTS.get(found.verdict)


@require_safe
@needs(*READERS)
def compare(request: Request) -> HttpResponse:
    """Two sets side by side: `?set=a@1&set=b@2`."""
    whole = _library(request)
    chosen = request.GET.getlist("set")[:2]
    try:
        pair = [whole.factor_set(reference) for reference in chosen]
    except KeyError as error:
        raise Http404 from error
    said, numbers = shelf.differences(*pair) if len(pair) == 2 else ([], [])
    return page(
        request, "console/factors/compare.html", section="factors", sets=whole.sets,
        pair=pair, left=pair[0] if pair else None, right=pair[1] if len(pair) == 2 else None,
        said=said, numbers=numbers,
    )  # fmt: skip


@require_safe
@needs(*READERS)
def tables(request: Request) -> HttpResponse:
    """Every table of coefficients."""
    whole = _library(request)
    made = [(one, words.MATURITIES[one.maturity], whole.superseded_by(one)) for one in whole.tables]
    return page(request, "console/factors/tables.html", section="factors", tab="tables", made=made)


@require_safe
@needs(*READERS)
def table(request: Request, reference: str) -> HttpResponse:
    """One table with its rows; `?format=csv`."""
    try:
        found = _library(request).coefficient_table(reference)
    except KeyError as error:
        raise Http404 from error
    rows = shelf.cells(found)
    if request.GET.get("format") == "csv":
        header = [found.table, *(f"{n} [{u}]" for n, u in found.columns.items()), "maturity"]
        return csv_response(found.id, header, [(k, *cells, grade) for k, cells, grade, _n in rows])
    return page(
        request, "console/factors/table.html", section="factors", found=found,
        facts=shelf.facts(found), maturity=words.MATURITIES[found.maturity],
        rows=[(key, made, words.MATURITIES[grade], note) for key, made, grade, note in rows],
    )  # fmt: skip


@require_safe
@needs(*READERS)
def examples(request: Request) -> HttpResponse:
    """Printed calculations, redone now, with the verdict on each."""
    made = [(one, *recalculate(one)) for one in published_examples()]
    counts = {code: sum(verdict == code for *_r, verdict in made) for code in words.VERDICTS}
    return page(
        request, "console/factors/examples.html", section="factors", tab="examples",
        made=[(one, ours, words.VERDICTS[verdict]) for one, ours, verdict in made],
        counts=[(words.VERDICTS[code], n) for code, n in counts.items()],
    )  # fmt: skip
