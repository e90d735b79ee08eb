"""Bringing files in, and what was brought in."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from onsil.console import people
from onsil.console.books import work
from onsil.console.books.forms import FileForm
from onsil.console.books.views.frame import (
    READERS,
    WORKERS,
    actor,
    books_page,
    choices,
    language,
)
from onsil.console.frame import Request, needs
from onsil.core.refusal import Refusal
from onsil.ledger import reconciliation
from onsil.tenancy import transaction

_LISTED, _LINES = 50, 500


def _form(request: Request, data: object = None, files: object = None) -> FileForm:
    setup = work.setup_of(request.city.code)
    used = {f for a in setup.accounts.values() for f in a.formats}
    forms_ = [(c, setup.formats[c].name.said(language())) for c in sorted(used)]
    return FileForm(data, files, accounts=choices(request), forms_=forms_)  # pyright: ignore


@needs(*READERS)
def listing(request: Request) -> HttpResponse:
    """Files, the newest first; POST brings one in."""
    form, refusal = _form(request), None
    if request.method == "POST":
        if not request.roles & set(WORKERS):
            return HttpResponse(status=403)
        form = _form(request, request.POST, request.FILES)
        if form.is_valid():
            done = _bring_in(request, form)
            if isinstance(done, HttpResponse):
                return done
            refusal = done
    city = request.city.code
    with transaction(city) as conn:
        files = reconciliation.imported_files(conn, city, _LISTED)
    names = people.names_of(f.imported_by for f in files)
    bad = list(refusal.facts.get("lines", ())) if refusal is not None else []
    status = 200 if refusal is None and not form.errors else 409
    return books_page(
        request, "files.html", "files", status, form=form, refusal=refusal, bad=bad,
        rows=[(f, names.get(f.imported_by, f.imported_by)) for f in files],
        setup=work.setup_of(city), english=language().startswith("en"),
        accounts=dict(choices(request)),
    )  # fmt: skip


def _bring_in(request: Request, form: FileForm) -> HttpResponse | Refusal:
    data = form.cleaned_data
    covers = (data["first"], data["last"]) if data["first"] else None
    done = work.bring_in(
        request.city.code, data["account"], data["form"], data["file"].name,
        data["file"].read(), actor(request), work.CLOCK, covers,
    )  # fmt: skip
    if isinstance(done, Refusal):
        return done
    report, matched = done
    if report.repeated:
        messages.info(request, _("이미 들인 파일입니다. 아무것도 바뀌지 않았습니다."))
    else:
        messages.success(
            request,
            _("%(lines)s줄 가운데 새로운 %(fresh)s줄을 들이고 %(matches)s건을 맞췄습니다.")
            % {"lines": report.lines, "fresh": report.fresh, "matches": matched.matches},
        )
    return redirect("books-file", file=report.file_id)


@require_safe
@needs(*READERS)
def detail(request: Request, file: UUID) -> HttpResponse:
    """One file and its lines."""
    city = request.city.code
    with transaction(city) as conn:
        found = reconciliation.imported_file(conn, city, file)
        if found is None:
            raise Http404
        lines = reconciliation.of_file(conn, city, file, _LINES)
        open_ids = {
            x.id for x in reconciliation.open_lines(conn, city, found[0].account, "bank")
        }  # fmt: skip
    who = people.names_of([found[0].imported_by])
    setup = work.setup_of(city)
    account, form = setup.accounts.get(found[0].account), setup.formats.get(found[0].format)
    return books_page(
        request, "file.html", "files", file=found[0], lines=lines, open_ids=open_ids,
        who=who.get(found[0].imported_by, found[0].imported_by), most=_LINES,
        account=account.name.said(language()) if account else found[0].account,
        form=form.name.said(language()) if form else found[0].format,
    )  # fmt: skip


@require_safe
@needs(*READERS)
def original(request: Request, file: UUID) -> HttpResponse:
    """The file byte for byte as it came."""
    with transaction(request.city.code) as conn:
        found = reconciliation.imported_file(conn, request.city.code, file)
    if found is None:
        raise Http404
    response = HttpResponse(found[1], content_type="application/octet-stream")
    suffix = found[0].name.rpartition(".")[2]
    suffix = suffix if suffix.isalnum() and suffix.isascii() and len(suffix) <= 5 else "bin"
    name = f"{request.city.code}-{found[0].account}-{found[0].sha256[:12]}.{suffix}"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
