"""What officials do with an inventory: open, write, import, compile, seal, settle."""

from dataclasses import replace
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from onsil.console.frame import Request, needs, page
from onsil.console.inventory.views import READERS, WRITERS, found_book, language
from onsil.core.clock import SystemClock
from onsil.core.refusal import Refusal
from onsil.footprint import inventory
from onsil.tenancy import transaction

_CLOCK = SystemClock()
_FILE_BYTES_MOST = 5_000_000


def _told(request: Request, outcome: object, done: str) -> bool:
    """Tell what came of it; True when it was done."""
    if isinstance(outcome, Refusal):
        messages.error(request, outcome.text(language()))
        return False
    messages.success(request, done)
    return True


def _whole(text: str, otherwise: int = 0) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else otherwise


@require_POST
@needs(*WRITERS)
def open_book(request: Request) -> HttpResponse:
    """Begin the year's inventory of the city or of a company."""
    city, sent = request.city.code, request.POST
    kind = inventory.COMPANY if sent.get("kind") == "company" else inventory.CITY
    subject = city if kind == inventory.CITY else sent.get("subject", "").strip()
    name = sent.get("name", "").strip()
    if kind == inventory.CITY and not name:
        name = request.city.name(language())
    wanted = inventory.Settings(
        sent.get("gwp_set", ""), sent.get("level", ""), sent.get("boundary", ""),
        sent.get("approach", "operational-control"),
    )  # fmt: skip
    with transaction(city) as conn:
        made = inventory.open_inventory(
            conn, city, kind, subject, name, _whole(sent.get("year", "")), wanted,
            str(request.user.pk), _CLOCK,
        )  # fmt: skip
    if isinstance(made, Refusal):
        messages.error(request, made.text(language()))
        return redirect("inventory")
    return redirect("inventory-lines", book=made.id)


@require_POST
@needs(*WRITERS)
def put(request: Request, book: UUID) -> HttpResponse:
    """Write one line from the form; a wrong one changes nothing and says why."""
    city = request.city.code
    row = {name: request.POST.get(name, "").strip() for name in inventory.COLUMNS}
    row["notation"] = ",".join(request.POST.getlist("notation"))
    if not row["factor_set"]:
        row["programme"] = ""
    with transaction(city) as conn:
        found_book(conn, city, book)
        specs, errors = inventory.specs_of([row])
        if errors:
            messages.error(request, errors[0].text(language()))
            return redirect("inventory-lines", book=book)
        made = inventory.put_lines(
            conn, city, book, [spec for _number, spec in specs],
            request.POST.get("cause", "activity"), request.POST.get("reason", ""),
            str(request.user.pk), _CLOCK,
        )  # fmt: skip
    _told(request, made, _("줄을 적었습니다. 산정하면 새 판이 됩니다."))
    return redirect("inventory-lines", book=book)


@require_POST
@needs(*WRITERS)
def bring(request: Request, book: UUID) -> HttpResponse:
    """Read a file's lines: all of them, or the list of rows to mend."""
    city, sent = request.city.code, request.FILES.get("file")
    if sent is None or (sent.size or 0) > _FILE_BYTES_MOST:
        messages.error(request, _("5 MB 이하의 파일을 골라 주세요."))
        return redirect("inventory-lines", book=book)
    with transaction(city) as conn:
        made = found_book(conn, city, book)
        answer: Any = inventory.import_lines(
            conn, city, book, sent.read(), sent.name or "", request.POST.get("cause", "activity"),
            request.POST.get("reason", ""), str(request.user.pk), _CLOCK,
        )  # fmt: skip
    if isinstance(answer, Refusal):
        messages.error(request, answer.text(language()))
    elif answer and isinstance(answer[0], inventory.RowError):
        return page(
            request, "console/inventory/rows.html", section="inventory", book=made, status=422,
            errors=[(one.row, one.column, one.text(language())) for one in answer], name=sent.name,
        )  # fmt: skip
    else:
        messages.success(request, _("%(n)d줄을 들였습니다.") % {"n": len(answer)})
    return redirect("inventory-lines", book=book)


@require_POST
@needs(*WRITERS)
def certificate(request: Request, book: UUID) -> HttpResponse:
    """Retire a certificate for a company's year; it cannot be taken back."""
    city = request.city.code
    try:
        claim = UUID(request.POST.get("claim", ""))
    except ValueError as error:
        raise Http404 from error
    with transaction(city) as conn:
        found_book(conn, city, book)
        made = inventory.retire_certificate(
            conn, city, book, claim, str(request.user.pk), _CLOCK, request.city.zone
        )
    _told(request, made, _("인증서를 썼습니다. 다시 산정하면 새 판에 들어갑니다."))
    return redirect("inventory-book", book=book)


@require_POST
@needs(*WRITERS)
def remove(request: Request, book: UUID) -> HttpResponse:
    """Take a line out, with the reason."""
    city = request.city.code
    with transaction(city) as conn:
        found_book(conn, city, book)
        made = inventory.remove_line(
            conn, city, book, request.POST.get("code", ""),
            request.POST.get("cause", "boundary"), request.POST.get("reason", ""),
            str(request.user.pk), _CLOCK,
        )  # fmt: skip
    _told(request, made, _("줄을 뺐습니다. 지난 기록은 남습니다."))
    return redirect("inventory-lines", book=book)


@require_POST
@needs(*WRITERS)
def compile_book(request: Request, book: UUID) -> HttpResponse:
    """Compile the lines as they stand into a version."""
    city = request.city.code
    with transaction(city) as conn:
        found_book(conn, city, book)
        made = inventory.compile_version(
            conn, city, book, str(request.user.pk), _CLOCK, request.city.zone
        )
    if isinstance(made, Refusal):
        messages.error(request, made.text(language()))
        return redirect("inventory-lines", book=book)
    messages.success(request, _("판 %(n)d을(를) 산정했습니다.") % {"n": made.number})
    return redirect("inventory-book", book=book)


@require_POST
@needs(*WRITERS)
def decide(request: Request, version: UUID) -> HttpResponse:
    """Seal a version, or return it with a reason."""
    city, sealed = request.city.code, request.POST.get("act") == "seal"
    with transaction(city) as conn:
        found = inventory.version_of(conn, city, version)
        if found is None:
            raise Http404
        made = inventory.decide(
            conn, city, version, sealed, request.POST.get("reason", ""), str(request.user.pk),
            _CLOCK,
        )  # fmt: skip
    _told(request, made, _("확정했습니다.") if sealed else _("돌려보냈습니다."))
    return redirect("inventory-book", book=found.inventory_id)


@require_POST
@needs(*READERS)
def recompute(request: Request, version: UUID) -> HttpResponse:
    """Compile a stored version again and say whether the bytes are the same."""
    city = request.city.code
    with transaction(city) as conn:
        found = inventory.version_of(conn, city, version)
        if found is None:
            raise Http404
        made = inventory.recompute(conn, city, version)
    if isinstance(made, inventory.Check) and made.identical:
        messages.success(
            request,
            _("다시 산정한 결과가 글자 하나까지 같습니다. %(digest)s")
            % {"digest": made.recomputed_digest[:12]},
        )
    elif isinstance(made, inventory.Check):
        messages.error(request, _("다시 산정한 결과가 다릅니다. %(note)s") % {"note": made.note})
    else:
        messages.error(request, made.text(language()))
    return redirect("inventory-book", book=found.inventory_id)


@require_POST
@needs(*WRITERS)
def settle(request: Request, book: UUID) -> HttpResponse:
    """Change what holds for the whole inventory, with the reason."""
    city, sent = request.city.code, request.POST
    with transaction(city) as conn:
        found_book(conn, city, book)
        parts = _parts(sent.get("parts", ""))
        if parts is None:
            messages.error(
                request,
                _("조직은 한 줄에 하나씩 코드, 이름, 지분(퍼센트), 운영(0·1), 재무(0·1)입니다."),
            )
            return redirect("inventory-settings", book=book)
        holds = replace(
            inventory.settings(conn, city, book),
            gwp_set=sent.get("gwp_set", ""), level=sent.get("level", ""),
            boundary=sent.get("boundary", "").strip(),
            approach=sent.get("approach", "operational-control"), parts=parts,
            inside=tuple(sorted(sent.getlist("inside"))),
            population=_whole(sent.get("population", "").replace(",", "")) or None,
        )  # fmt: skip
        made = inventory.change_settings(
            conn, city, book, holds, sent.get("reason", ""), str(request.user.pk), _CLOCK
        )
    _told(request, made, _("설정을 바꾸었습니다. 산정하면 새 판이 됩니다."))
    return redirect("inventory-settings", book=book)


def _parts(text: str) -> tuple[inventory.Part, ...] | None:
    made: list[inventory.Part] = []
    for line in filter(None, (one.strip() for one in text.splitlines())):
        cells = [cell.strip() for cell in line.split(",")]
        try:
            code, name, share, operational, financial = cells
            basis_points = Decimal(share) * 100
        except (ValueError, InvalidOperation):
            return None
        if basis_points != basis_points.to_integral_value():
            return None
        made.append(
            inventory.Part(code, name, int(basis_points), operational == "1", financial == "1")
        )
    return tuple(made)


@require_POST
@needs(*WRITERS)
def policy(request: Request, book: UUID) -> HttpResponse:
    """State the base year and when it must be done again."""
    city, sent = request.city.code, request.POST
    try:
        threshold = int(Decimal(sent.get("threshold", "")) * 100)
    except (InvalidOperation, ValueError, OverflowError):
        threshold = 0
    wanted = inventory.RecalculationPolicy(
        _whole(sent.get("base_year", "")), threshold, tuple(sent.getlist("causes")),
        sent.get("text", "").strip(),
    )  # fmt: skip
    with transaction(city) as conn:
        made = found_book(conn, city, book)
        answer = inventory.set_policy(
            conn, city, made.kind, made.subject, wanted, str(request.user.pk), _CLOCK
        )
    _told(request, answer, _("기준연도와 재산정 방침을 적었습니다."))
    return redirect("inventory-settings", book=book)
