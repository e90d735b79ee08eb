"""The list of methodologies, and one of them with its runs in this city."""

from collections import Counter

from django.http import Http404, HttpResponse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from onsil import footprint
from onsil.citizen.models import Role
from onsil.console.export import csv_response
from onsil.console.frame import STAFF, Request, needs, page
from onsil.console.methodologies import sheets
from onsil.core.refusal import Refusal
from onsil.footprint.methodologies import pages
from onsil.footprint.methodologies.sheets import sheet
from onsil.tenancy import transaction

READERS = (*STAFF, Role.VERIFIER)
_COUNTED = 100_000
_SHOWN = 50


def _korean() -> bool:
    return not (get_language() or "ko").startswith("en")


@require_safe
@needs(*READERS)
def listing(request: Request) -> HttpResponse:
    """Every installed version; `?kind=units|rewards`, `?q=`, `?format=csv`."""
    kind = request.GET.get("kind", "")
    kind = kind if kind in ("units", "rewards") else ""
    text = request.GET.get("q", "").strip()[:100]
    with transaction(request.city.code) as conn:
        runs = footprint.runs(conn, request.city.code, limit=_COUNTED)
    found = sheets.lines(Counter((r.methodology, r.version) for r in runs), kind, text)
    if request.GET.get("format") == "csv":
        return _csv(request, found)
    return page(
        request, "console/methodologies/list.html", section="methodologies", lines=found,
        kind=kind, text=text, korean=_korean(), kinds=_kinds(),
    )  # fmt: skip


def _kinds() -> tuple[tuple[str, str], ...]:
    return (("units", _("크레딧 가능")), ("rewards", _("보상만")))


def _csv(request: Request, found: list[sheets.Line]) -> HttpResponse:
    header = [_("방법론"), _("이름"), _("판"), _("쓰임"), _("입력"), _("산정식"), _("산정 수")]
    words = dict(_kinds())
    rows = [
        (
            one.made.ID, one.made.TITLE_KO if _korean() else one.made.TITLE_EN, one.made.VERSION,
            words["units" if one.creditable else "rewards"], " ".join(one.inputs),
            one.made.FORMULA, one.runs,
        )
        for one in found
    ]  # fmt: skip
    return csv_response(f"{request.city.code}-methodologies", header, rows)


@require_safe
@needs(*READERS)
def detail(request: Request, code: str, version: str) -> HttpResponse:
    """One version: formula, conditions, inputs, monitoring, example, runs; `?format=md`."""
    made = footprint.methodology(code, version)
    if isinstance(made, Refusal):
        raise Http404
    if request.GET.get("format") == "md":
        answer = HttpResponse(pages.page(made), content_type="text/markdown; charset=utf-8")
        answer["Content-Disposition"] = f'attachment; filename="{made.ID}-{made.VERSION}.md"'
        return answer
    with transaction(request.city.code) as conn:
        runs = footprint.runs(conn, request.city.code, limit=_COUNTED, methodology=made.ID)
    mine = [run for run in runs if run.version == made.VERSION]
    versions = [one.VERSION for one in footprint.methodologies() if one.ID == made.ID]
    return page(
        request, "console/methodologies/methodology.html", section="methodologies", made=made,
        versions=versions, runs=mine[:_SHOWN], run_count=len(mine), korean=_korean(),
        **sheet(made, _korean()),
    )  # fmt: skip
