"""The public search of units: a table, the same as CSV and JSON, and a block with its history."""

import csv
from collections.abc import Iterator
from io import StringIO
from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from onsil import footprint
from onsil.footprint import credits
from onsil.tenancy import transaction

_PAGE, _FILE = 50, 10_000
COLUMNS = (
    "serial_prefix", "first", "last", "units", "unit", "vintage", "status", "project", "project_ko",
    "project_en", "programme", "methodology", "holder", "origin", "outside_registry",
    "outside_serials", "adjustment_declaration", "adjustment_status", "adjustment_country",
    "address",
)  # fmt: skip
# A spreadsheet runs a cell that begins so as a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def asked(request: HttpRequest) -> credits.UnitQuery:
    """The search in a request: serial, project, vintage, state, holder, beneficiary."""

    def text(name: str) -> str:
        return request.GET.get(name, "").strip()[:100]

    year = text("vintage")
    return credits.UnitQuery(
        serial=text("serial"),
        project=text("project"),
        vintage=int(year) if year.isdecimal() and len(year) == 4 else None,
        state=text("state"),
        holder=text("holder"),
        beneficiary=text("beneficiary"),
    )


@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """Units that match, newest serials first; one alone is opened at once."""
    query, city = asked(request), request.city.code
    number = request.GET.get("page", "1")
    at = max(int(number), 1) if number.isdecimal() and len(number) < 7 else 1
    with transaction(city) as conn:
        found = credits.search(conn, city, query, _PAGE, (at - 1) * _PAGE)
    if query.serial and found.total == 1:
        return redirect("registry-unit", block=found.rows[0].block.id)
    return render(
        request,
        "portal/units.html",
        {
            "rows": found.rows,
            "total": found.total,
            "query": query,
            "choices": credits.STATES,
            "page": Paginator(range(found.total), _PAGE).get_page(at),
        },
    )


def unit_row(request: HttpRequest, row: credits.FoundUnits) -> dict[str, Any]:
    """A block as a line of the files: a value for each of `COLUMNS`."""
    values = (
        row.serial_prefix, row.block.first, row.block.last, row.block.units, row.unit,
        row.vintage, row.status, row.code, row.name_ko, row.name_en, row.programme,
        row.methodology, row.holder, row.origin, row.outside.get("registry", ""),
        row.outside.get("serials", ""), row.declaration, row.adjustment, row.country,
        request.build_absolute_uri(f"/registry/units/{row.block.id}/"),
    )  # fmt: skip
    return dict(zip(COLUMNS, values, strict=True))


def _rows(request: HttpRequest) -> Iterator[dict[str, Any]]:
    city = request.city.code
    with transaction(city) as conn:
        found = credits.search(conn, city, asked(request), _FILE)
    for row in found.rows:
        yield unit_row(request, row)


@require_safe
def listing_csv(request: HttpRequest) -> HttpResponse:
    """The search as CSV, up to 10,000 blocks."""
    out = StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for row in _rows(request):
        writer.writerow(
            f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
            for value in row.values()
        )
    answer = HttpResponse("\ufeff" + out.getvalue(), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{request.city.code}-units.csv"'
    return answer


@require_safe
def listing_json(request: HttpRequest) -> HttpResponse:
    """The search as JSON, up to 10,000 blocks; `status` in the words of CAD Trust."""
    return JsonResponse({"units": list(_rows(request))}, json_dumps_params={"ensure_ascii": False})


@require_safe
def unit(request: HttpRequest, block: UUID) -> HttpResponse:
    """A block of units: where it is, what happened to it, its labels and its corresponding
    adjustment. A block that has been moved or divided leads to where its serials are now."""
    city = request.city.code
    with transaction(city) as conn:
        kept = credits.block(conn, city, block)
        if kept is None:
            raise Http404
        found = credits.units_of(conn, city, block)
        if found is None:
            now = credits.block_of_serial(conn, city, kept.first)
            assert now is not None
            return redirect("registry-unit", block=now.id)
        batch = credits.any_batch(conn, city, kept.batch_id)
        used = [
            footprint.retirement(conn, city, one)
            for one in credits.retirements_of(conn, city, kept)
        ]
        context = {
            "found": found,
            "block": kept,
            "batch": batch,
            "history": credits.history(conn, city, kept),
            "retirements": used,
            "labels": credits.labels_of(conn, city, kept.batch_id),
            "adjustment": credits.adjustment(conn, city, kept.batch_id),
        }
    return render(request, "portal/unit.html", context)
