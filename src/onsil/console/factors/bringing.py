"""Bringing in factors: an upload, what was found in it, the answer, a second person's decision."""

from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from onsil.citizen.models import Role
from onsil.console import people
from onsil.console.export import csv_response
from onsil.console.factors import shelf, words
from onsil.console.factors.forms import AnswerForm, ReasonForm, UploadForm
from onsil.console.factors.views import READERS
from onsil.console.frame import Request, needs, page
from onsil.core.clock import SystemClock
from onsil.core.refusal import Refusal
from onsil.footprint.factors import CoefficientTable, FactorError, FactorSet
from onsil.footprint.factors.imports import (
    FactorImport,
    approve_common_import,
    approve_import,
    common_factors,
    confirm_import,
    import_of,
    imports,
    return_import,
    submit_import,
)
from onsil.tenancy import ALL_CITIES, transaction
from onsil.tenancy.cities import all_cities

CLOCK = SystemClock()
MAKERS = (Role.OFFICIAL, Role.OPERATOR)
CHECKERS = (Role.OFFICIAL, Role.APPROVER)
_FILE_MAX_BYTES = 1 << 20


def actor_of(request: Request) -> str:
    return f"user:{request.user.pk}"


@require_safe
@needs(*READERS)
def listing(request: Request) -> HttpResponse:
    """What was brought in, newest first."""
    return _listing(request, UploadForm())


def _listing(request: Request, form: UploadForm, status: int = 200) -> HttpResponse:
    city, keeper = request.city.code, keeps_all_cities(request)
    with transaction(city) as conn:
        found, common = imports(conn, city), common_factors(conn, city)
    everywhere = [one.made for one in common]
    if keeper:
        with transaction(ALL_CITIES) as conn:
            everywhere = imports(conn, ALL_CITIES)
    aside = {one.made.id for one in common if one.set_aside}
    shared = {one.id for one in everywhere}
    found = sorted([*found, *everywhere], key=lambda one: one.id, reverse=True)
    names = people.names_of({i.maker for i in found} | {i.checker for i in found if i.checker})
    return page(
        request, "console/factors/imports.html", section="factors", tab="imports", form=form,
        status=status, may_make=_may(request, MAKERS), keeper=keeper,
        found=[(i, words.STATUSES[i.status], names.get(i.maker, i.maker),
                names.get(i.checker or "", i.checker or ""), i.id in shared, i.id in aside)
               for i in found],
    )  # fmt: skip


def _may(request: Request, roles: tuple[str, ...]) -> bool:
    return bool(request.roles.intersection(roles))


def keeps_all_cities(request: Request) -> bool:
    """Whether somebody acts for the whole installation: staff of it, operator or approver here."""
    return request.user.is_staff and _may(request, (Role.OPERATOR, Role.APPROVER))


def _found(request: Request, number: UUID) -> tuple[FactorImport | None, str]:
    """An import of the city, or a common one that the person may see; and whose it is."""
    with transaction(request.city.code) as conn:
        found = import_of(conn, request.city.code, number)
        common = None if found else import_of(conn, ALL_CITIES, number)
    if found is None and common is None and keeps_all_cities(request):
        with transaction(ALL_CITIES) as conn:
            common = import_of(conn, ALL_CITIES, number)
    return (found, request.city.code) if found else (common, ALL_CITIES)


@require_POST
@needs(*MAKERS)
def upload(request: Request) -> HttpResponse:
    """Take a file in as drafts; the first of them is shown."""
    form = UploadForm(request.POST, request.FILES)
    if not form.is_valid():
        return _listing(request, form, 422)
    file = form.cleaned_data["file"]
    if file.size > _FILE_MAX_BYTES:
        form.add_error("file", _("1 MB보다 큰 파일입니다. 나누어 올려 주세요."))
        return _listing(request, form, 422)
    everywhere = form.cleaned_data["everywhere"]
    if everywhere and not keeps_all_cities(request):
        raise PermissionDenied
    scope = ALL_CITIES if everywhere else request.city.code
    with transaction(scope) as conn:
        made = submit_import(conn, scope, file.name, file.read(), actor_of(request), CLOCK)
    if isinstance(made, Refusal):
        form.add_error("file", made.text(get_language() or "ko"))
        return _listing(request, form, 422)
    if len(made) > 1:
        messages.success(request, _("%(n)d건을 올렸습니다. 하나씩 확인하세요.") % {"n": len(made)})
        return redirect("factor-imports")
    return redirect("factor-import", number=made[0].id)


@require_safe
@needs(*READERS)
def detail(request: Request, number: UUID) -> HttpResponse:
    """One import: what it states, what was found, and what can be done next."""
    return _detail(request, number)


def _detail(
    request: Request, number: UUID, form: AnswerForm | ReasonForm | None = None, status: int = 200
) -> HttpResponse:
    found, scope = _found(request, number)
    if found is None:
        raise Http404
    common = scope == ALL_CITIES
    may = keeps_all_cities(request)
    try:
        parsed = found.parsed() if found.usable else None
    except FactorError:
        parsed = None
    mine = found.maker == actor_of(request)
    names = people.names_of({found.maker, found.checker or ""})
    lines = (
        [(f, words.commodity(f.commodity), words.boundary(f.boundary), shelf.totals(f))
         for f in parsed.factors]
        if isinstance(parsed, FactorSet) else []
    )  # fmt: skip
    order = {code: place for place, code in enumerate(words.SEVERITIES)}
    return page(
        request, "console/factors/import.html", section="factors", status=status, found=found,
        state=words.STATUSES[found.status], parsed=parsed, lines=lines,
        table=shelf.cells(parsed) if isinstance(parsed, CoefficientTable) else [],
        is_table=found.kind == "coefficients",
        facts=shelf.facts(parsed) if parsed is not None else [],
        findings=[
            (f, words.SEVERITIES[f.severity], words.VERDICTS.get(f.verdict))
            for f in sorted(found.findings, key=lambda f: order[f.severity])
        ],
        mine=mine, maker=names.get(found.maker, found.maker),
        checker=names.get(found.checker or "", found.checker or ""),
        common=common, aside=common and _aside(request, found),
        may_confirm=mine and found.status == "draft"
        and (may if common else _may(request, MAKERS)),
        may_decide=not mine and found.status == "checked"
        and (may if common else _may(request, CHECKERS)),
        answer_form=form if isinstance(form, AnswerForm) else AnswerForm(),
        reason_form=form if isinstance(form, ReasonForm) else ReasonForm(),
    )  # fmt: skip


def _aside(request: Request, found: FactorImport) -> bool:
    with transaction(request.city.code) as conn:
        standing = common_factors(conn, request.city.code)
    return any(one.set_aside for one in standing if one.made.id == found.id)


@require_POST
@needs(*MAKERS, *CHECKERS)
def act(request: Request, number: UUID, act: str) -> HttpResponse:
    """confirm (the maker), approve or return (another person)."""
    if act not in ("confirm", "approve", "return"):
        raise Http404
    form = ReasonForm(request.POST) if act == "return" else AnswerForm(request.POST)
    if not form.is_valid():
        return _detail(request, number, form, 422)
    text, actor = form.cleaned_data["text"], actor_of(request)
    found, city = _found(request, number)
    if found is None:
        raise Http404
    if city == ALL_CITIES and not keeps_all_cities(request):
        raise PermissionDenied
    with transaction(city) as conn:
        if act == "confirm":
            made = confirm_import(conn, city, number, text, actor, CLOCK)
        elif act == "approve" and city == ALL_CITIES:
            made = approve_common_import(conn, list(all_cities()), number, actor, CLOCK)
        elif act == "approve":
            made = approve_import(conn, city, number, actor, CLOCK)
        else:
            made = return_import(conn, city, number, text, actor, CLOCK)
    if isinstance(made, Refusal):
        form.add_error(None, made.text(get_language() or "ko"))
        return _detail(request, number, form, 404 if made.code == "unknown-import" else 422)
    done = {
        "confirm": _("확인했습니다. 다른 사람의 승인을 기다립니다."),
        "approve": _("승인했습니다. 이제 이 계수를 쓸 수 있습니다."),
        "return": _("되돌렸습니다."),
    }
    messages.success(request, done[act])
    return redirect("factor-import", number=number)


@require_safe
@needs(*READERS)
def template(request: Request) -> HttpResponse:
    """A table to fill in: `?kind=coefficients` for coefficients."""
    said = [("@id", ""), ("@version", "1"), ("@publisher", ""), ("@document", ""),
            ("@edition", ""), ("@article", ""), ("@printed_table", ""), ("@page", ""),
            ("@url_name", ""), ("@published", "YYYY-MM-DD"), ("@read", "YYYY-MM-DD"),
            ("@maturity", "confirmed | secondary | press | recalled | unconfirmed"),
            ("@programmes", "inventory, citizen-reward"), ("@note", "")]  # fmt: skip
    if request.GET.get("kind") == "coefficients":
        rows = [*said[1:], ("@table", ""), ("key", "density"), ("@unit", "t/m3")]
        return _file("coefficients", ("@kind", "coefficients"), [said[0], *rows])
    columns = ("commodity", "boundary", "unit", "co2", "ch4", "n2o", "co2e", "co2e_gwp_set",
               "co2_only", "energy_basis", "carbon_t_per_tj", "ncv_mj_per_nm3", "gcv_mj_per_nm3",
               "printed_t_per_mwh", "printed_gwp_set")  # fmt: skip
    return _file("factors", said[0], [*said[1:], columns])


def _file(name: str, first: tuple[str, ...], rows: list[tuple[str, ...]]) -> HttpResponse:
    """The rows as they are: names that begin with @ are this form's own, not formulas."""
    answer = csv_response(f"{name}-template", first, rows)
    answer.content = answer.content.replace(b"'@", b"@")
    return answer
