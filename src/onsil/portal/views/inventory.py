"""The city's sealed greenhouse-gas inventories, for anybody to read and take along."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from onsil.core.database import Connection
from onsil.footprint import inventory
from onsil.footprint.inventory import showing
from onsil.tenancy import transaction

_TYPES = {"csv": "text/csv; charset=utf-8", "json": "application/json"}


def _sealed(conn: Connection, city: str) -> dict[int, inventory.Version]:
    """The last sealed version of each of the city's years, newest year first."""
    found = {
        book.year: inventory.newest_sealed(conn, city, book.id)
        for book in inventory.inventories(conn, city, inventory.CITY, city)
    }
    return {year: version for year, version in found.items() if version is not None}


def sealed_years(conn: Connection, city: str) -> list[int]:
    """Years of which anybody may read the inventory, newest first."""
    return list(_sealed(conn, city))


@require_safe
def city_inventory(request: HttpRequest, year: int | None = None) -> HttpResponse:
    """One year's sealed inventory: total, uncertainty, sectors and scopes, gases, units sold."""
    city, language = request.city.code, get_language() or "ko"
    with transaction(city) as conn:
        sealed = _sealed(conn, city)
        if year is None:
            year = next(iter(sealed), None)
        if year is None:
            return render(request, "portal/inventory.html", {"version": None})
        version = sealed.get(year)
        if version is None:
            raise Http404
        inputs, outputs = inventory.documents(conn, city, version.id)
        totals = {one: showing.tonnes(found.co2e_kg) for one, found in sorted(sealed.items())}
    level = inputs["settings"]["level"]
    return render(
        request,
        "portal/inventory.html",
        {
            "version": version,
            "year": year,
            "years": list(sealed),
            "settings": inputs["settings"],
            "total": showing.tonnes(outputs["totals"][level]),
            "said_uncertainty": showing.both_ways(outputs),
            "simulation": outputs.get("simulation"),
            "uncertainties": showing.uncertainty_rows(inputs, outputs, language),
            "drawn_bars": showing.simulated_bars(inputs, outputs, language),
            "scopes": [
                (showing.scope_word(scope, language),
                 showing.tonnes(outputs["totals"]["scope"][scope]))
                for scope in showing.SCOPES
            ],
            "matrix": showing.matrix(inputs, outputs, language, public=True),
            "chart": showing.scope_chart(inputs, outputs, language),
            "flow": showing.flow_chart(inputs, outputs, language, public=True),
            "bars": showing.sector_bars(inputs, outputs, language),
            "gases": showing.gas_rows(inputs, outputs, language),
            "added": outputs["add_back"],
            "added_total": showing.tonnes(outputs["add_back"]["total_with_add_back_kg"]),
            "course": _course(totals, language) if len(totals) > 1 else None,
        },
    )  # fmt: skip


def _course(totals: dict[int, Any], language: str) -> dict[str, Any]:
    """Totals over the years; a year without a sealed inventory is a gap."""
    english = language.startswith("en")
    years = list(range(min(totals), max(totals) + 1))
    return {
        "title": "Year by year" if english else "해마다",
        "description": "A year without a sealed inventory is left empty."
        if english else "확정된 인벤토리가 없는 해는 비워 둡니다.",
        "kind": "bar", "unit": "tCO₂e", "label_name": "Year" if english else "연도",
        "labels": years,
        "series": [{"name": "Total" if english else "합계",
                    "values": [totals.get(year) for year in years]}],
    }  # fmt: skip


@require_safe
def city_inventory_file(request: HttpRequest, year: str, form: str) -> HttpResponse:
    """A year's sealed inventory as CSV or JSON, with what is confidential left out."""
    city = request.city.code
    with transaction(city) as conn:
        version = _sealed(conn, city).get(int(year))
        if version is None:
            raise Http404
        inputs, outputs = inventory.documents(conn, city, version.id)
    if form == "csv":
        data = inventory.as_csv(inputs, outputs, get_language() or "ko", public=True)
    else:
        digests = {"inputs": version.inputs_digest, "outputs": version.outputs_digest}
        data = inventory.as_json(inputs, outputs, digests, public=True)
    answer = HttpResponse(data, content_type=_TYPES[form])
    answer["Content-Disposition"] = f'attachment; filename="{city}-inventory-{year}.{form}"'
    return answer
