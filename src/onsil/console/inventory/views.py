"""Reading inventories: the list, a year's results, its lines, its changes, its files."""

import csv
import io
from typing import Any
from uuid import UUID

from django.http import Http404, HttpResponse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from onsil import footprint
from onsil.citizen.models import Role
from onsil.console.frame import STAFF, Request, is_partial, needs, page
from onsil.console.inventory.words import (
    ADJUSTMENTS,
    APPROACHES,
    CAUSES,
    DECLARATIONS,
    MATURITY,
    NOTATION,
    QUALITY,
    UNIT_STATES,
)
from onsil.console.people import names_of
from onsil.core.database import Connection
from onsil.footprint import inventory
from onsil.footprint.factors import GWP_SETS, MATURITIES, factor_programmes, factor_sets
from onsil.footprint.inventory import showing
from onsil.tenancy import transaction

READERS = (*STAFF, Role.VERIFIER)
WRITERS = (Role.OFFICIAL, Role.APPROVER)
_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def language() -> str:
    return get_language() or "ko"


def found_book(conn: Connection, city: str, book: UUID) -> inventory.Inventory:
    """The inventory asked for. Raises Http404 when this city has none of that id."""
    made = inventory.inventory(conn, city, book)
    if made is None:
        raise Http404
    return made


def _frame(
    request: Request, conn: Connection, book: inventory.Inventory, tab: str
) -> dict[str, Any]:
    versions = inventory.versions(conn, request.city.code, book.id)
    return {
        "section": "inventory",
        "book": book,
        "tab": tab,
        "versions": sorted(versions, key=lambda v: -v.number),
        "names": names_of({v.maker for v in versions} | {v.checker or "" for v in versions}),
        "may_write": bool(request.roles.intersection(WRITERS)),
        "actor": str(request.user.pk),
        "causes": CAUSES,
    }


@require_safe
@needs(*READERS)
def listing(request: Request) -> HttpResponse:
    """Every inventory with its newest version, the city's and the companies'."""
    city = request.city.code
    with transaction(city) as conn:
        books = inventory.inventories(conn, city)
        versions = inventory.versions(conn, city)
        companies = sorted({sale.buyer for sale in footprint.sales(conn, city)})
    rows = []
    for book in books:
        mine = [v for v in versions if v.inventory_id == book.id]
        newest = max(mine, key=lambda v: v.number, default=None)
        sealed = max((v for v in mine if v.sealed), key=lambda v: v.number, default=None)
        rows.append({"book": book, "newest": newest, "sealed": sealed,
                     "tonnes": showing.tonnes(newest.co2e_kg) if newest else None})  # fmt: skip
    return page(
        request, "console/inventory/list.html", section="inventory", rows=rows,
        may_write=bool(request.roles.intersection(WRITERS)), companies=companies,
        gwp_sets=GWP_SETS, levels=inventory.LEVELS, approaches=APPROACHES,
    )  # fmt: skip


def _chosen(versions: list[inventory.Version], wanted: str | None) -> inventory.Version | None:
    if wanted:
        return next((v for v in versions if str(v.id) == wanted), None)
    return versions[0] if versions else None


@require_safe
@needs(*READERS)
def results(request: Request, book: UUID) -> HttpResponse:
    """A version's figures: matrix, flow, uncertainty, gases, units sold; and its decision."""
    city = request.city.code
    with transaction(city) as conn:
        made = found_book(conn, city, book)
        frame = _frame(request, conn, made, "results")
        version = _chosen(frame["versions"], request.GET.get("version"))
        if version is None:
            return page(
                request, "console/inventory/results.html", **frame, version=None,
                lines=len(inventory.lines(conn, city, book)),
            )  # fmt: skip
        inputs, outputs = inventory.documents(conn, city, version.id)
        base = inventory.recalculation_policy(conn, city, made.kind, made.subject)
        company = _company(conn, city, made, inputs, outputs)
    level = inputs["settings"]["level"]
    total = outputs["uncertainty"]["total"]
    return page(
        request,
        "console/inventory/results.html",
        **frame,
        **company,
        version=version,
        settings=inputs["settings"],
        policy=base,
        total=showing.tonnes(outputs["totals"][level]),
        scopes=[(showing.scope_word(s, language()), showing.tonnes(outputs["totals"]["scope"][s]))
                for s in ("1", "2", "3")],
        market=showing.tonnes(outputs["totals"].get("scope_2_market")),
        said_uncertainty=showing.both_ways(outputs),
        simulation=outputs.get("simulation"),
        uncertainties=showing.uncertainty_rows(inputs, outputs, language()),
        drawn_bars=showing.simulated_bars(inputs, outputs, language()),
        unstated=showing.tonnes(total["unstated_kg"]),
        missing=outputs["missing"],
        matrix=showing.matrix(inputs, outputs, language()),
        flow=showing.flow_chart(inputs, outputs, language()),
        chart=showing.scope_chart(inputs, outputs, language()),
        bars=showing.sector_bars(inputs, outputs, language()),
        gases=showing.gas_rows(inputs, outputs, language()),
        added=outputs["add_back"],
        added_total=showing.tonnes(outputs["add_back"]["total_with_add_back_kg"]),
        unit_states=UNIT_STATES,
        declarations=DECLARATIONS,
        adjustments=ADJUSTMENTS,
        notation=NOTATION,
        may_decide=(
            frame["may_write"] and version.decision is None and version.maker != frame["actor"]
        ),
    )  # fmt: skip


def _company(
    conn: Connection, city: str, book: inventory.Inventory, inputs: Any, outputs: Any
) -> dict[str, Any]:
    """Scope 2 both ways, with the certificates retired and those that still may be."""
    market = outputs.get("market")
    if market is None:
        return {"m": None}
    retired = inventory.retired(conn, city, book.id)
    return {
        "m": market,
        "location": showing.tonnes(outputs["totals"]["scope"]["2"]),
        **{k: showing.tonnes(market[f"{k}_kg"]) for k in ("gross", "less", "net")},
        "surplus": showing.decimal(market["surplus_kwh"]),
        "certificates": retired,
        "stale_certificates": len(retired) != len(inputs.get("certificates", [])),
        "free": inventory.available(conn, city, book.year),
    }


@require_safe
@needs(*READERS)
def lines(request: Request, book: UUID) -> HttpResponse:
    """The lines as they stand, filtered by sector or text, and the forms that change them."""
    city = request.city.code
    text, sector = request.GET.get("q", "").strip(), request.GET.get("sector", "")
    with transaction(city) as conn:
        made = found_book(conn, city, book)
        frame = _frame(request, conn, made, "lines")
        every = inventory.lines(conn, city, book)
        holds = inventory.settings(conn, city, book)
    grown = inventory.tree(made.kind)
    shown = [
        {"line": one, "row": grown.rows[one.spec.ref], "sector": grown.sector_of(one.spec.ref)}
        for one in every
        if (not sector or grown.sector_of(one.spec.ref) == sector)
        and (not text or text.lower() in f"{one.spec.code} {one.spec.name} {one.spec.ref}".lower())
    ]
    told = {one.spec.ref for one in every}
    wanted = inventory.required_rows(made.kind, holds.level)
    return page(
        request, "console/inventory/lines.html", **frame, rows=shown, total=len(every), q=text,
        chosen=sector, sectors=list(grown.sectors.values()), form=form_context(made, holds),
        unfilled=[row for row in wanted if row.ref not in told and row.ref != "2.M"],
    )  # fmt: skip


def form_context(book: inventory.Inventory, holds: inventory.Settings) -> dict[str, Any]:
    """What the form of a line chooses from."""
    grown = inventory.tree(book.kind)
    programme = "inventory" if book.kind == inventory.CITY else "disclosure"
    made = factor_programmes()[programme]
    return {
        "refs": [(row.ref, f"{row.ref} {grown.subs[row.sub].text(language())} · "
                  f"{row.text(language())}") for row in grown.rows.values()],
        "programme": programme,
        "sets": [one for one in made.sets if one in factor_sets()],
        "calculators": list(inventory.calculators().values()),
        "quality": QUALITY,
        "maturities": [(one, MATURITY[one]) for one in MATURITIES],
        "notation": NOTATION,
        "parts": holds.parts,
    }  # fmt: skip


@require_safe
@needs(*READERS)
def line(request: Request, book: UUID, code: str) -> HttpResponse:
    """One line beside the table: its factor, its source with hashes, its past."""
    city = request.city.code
    with transaction(city) as conn:
        made = found_book(conn, city, book)
        past = inventory.line_history(conn, city, book, code)
        if not past:
            raise Http404
        frame = _frame(request, conn, made, "lines")
        newest = frame["versions"][0] if frame["versions"] else None
        stated = found = None
        if newest is not None:
            inputs, outputs = inventory.documents(conn, city, newest.id)
            stated = next((x for x in inputs["lines"] if x["code"] == code), None)
            found = next((x for x in outputs["lines"] if x["code"] == code), None)
        holds = inventory.settings(conn, city, book)
    spec = inventory.LineSpec.of(past[0]["spec"]) if past[0]["spec"] else None
    frame["names"] |= names_of({one["actor"] for one in past})
    context = {
        "code": code, "spec": spec, "past": past, "stated": stated, "found": found,
        "version": newest, "tonnes": showing.tonnes(found["co2e_kg"]) if found else None,
        "meters": ((stated or {}).get("activity") or {}).get("meters", [])[:12],
        "gases": [(k.upper(), showing.decimal(v)) for k, v in
                  ((found or {}).get("gases_kg") or {}).items()],
        "maturity": MATURITY, "form": form_context(made, holds),
        "current": changes_stated(past, newest, stated),
    }  # fmt: skip
    part = is_partial(request)
    template = "console/inventory/_line.html" if part else "console/inventory/line.html"
    return page(request, template, **frame, **context)


def changes_stated(past: list[Any], newest: inventory.Version | None, stated: Any) -> bool:
    """Whether the newest version already holds the line's last revision."""
    return bool(newest and stated and stated["revision"] == past[0]["revision"])


@require_safe
@needs(*READERS)
def changes(request: Request, book: UUID) -> HttpResponse:
    """The change between two versions, or years, taken apart by cause."""
    city = request.city.code
    with transaction(city) as conn:
        made = found_book(conn, city, book)
        frame = _frame(request, conn, made, "changes")
        years = inventory.inventories(conn, city, made.kind, made.subject)
        named = [
            (version, year)
            for year in sorted(years, key=lambda y: -y.year)
            for version in inventory.versions(conn, city, year.id)
        ]
        mine = [v for v, year in named if year.id == book]
        new = next((v for v, _year in named if str(v.id) == request.GET.get("new")), None)
        old = next((v for v, _year in named if str(v.id) == request.GET.get("old")), None)
        new = new or (mine[0] if mine else None)
        older = [v for v, _year in named if new is not None and v.id != new.id]
        old = old or (mine[1] if len(mine) > 1 else older[0] if older else None)
        explained = policy = asked = base = None
        if new is not None and old is not None:
            before = inventory.documents(conn, city, old.id)[0]
            after = inventory.documents(conn, city, new.id)[0]
            explained = inventory.explain(before, after)
            policy = inventory.recalculation_policy(conn, city, made.kind, made.subject)
            base = _base(conn, city, years, policy)
            if policy is not None and base is not None:
                asked = inventory.must_recalculate(policy, explained, base.co2e_kg)
    return page(
        request, "console/inventory/changes.html", **frame, named=named, old=old, new=new,
        explained=explained, policy=policy, asked=asked, base=base,
        drawn=_drawn(explained) if explained else None,
        parts=[(CAUSES[c], showing.tonnes(kg)) for c, kg in explained.causes.items() if kg]
        if explained else [],
        lines=[
            {"line": one, "total": showing.tonnes(one.total_kg),
             "causes": [(CAUSES[c], showing.tonnes(kg)) for c, kg in one.causes.items() if kg]}
            for one in sorted(explained.lines, key=lambda x: -abs(x.total_kg))[:60]
        ] if explained else [],
        change=showing.tonnes(explained.change_kg) if explained else None,
        old_total=showing.tonnes(explained.old_kg) if explained else None,
        new_total=showing.tonnes(explained.new_kg) if explained else None,
    )  # fmt: skip


def _base(
    conn: Connection, city: str, years: list[inventory.Inventory],
    policy: inventory.RecalculationPolicy | None,
) -> inventory.Version | None:  # fmt: skip
    """The sealed version of the base year, if there is one."""
    year = next((y for y in years if policy is not None and y.year == policy.base_year), None)
    return inventory.newest_sealed(conn, city, year.id) if year else None


def _drawn(explained: inventory.Waterfall) -> Any:
    """Old total, parts and new total for the waterfall; None where one side has no figure."""
    if explained.old_kg is None or explained.new_kg is None:
        return None
    parts = [(str(CAUSES[c]), kg / 1000) for c, kg in explained.causes.items() if kg]
    return (_("이전"), explained.old_kg / 1000), parts, (_("이후"), explained.new_kg / 1000)


@require_safe
@needs(*READERS)
def settings(request: Request, book: UUID) -> HttpResponse:
    """Boundary, level, GWP set, parts of a company, and the policy of the base year."""
    city = request.city.code
    with transaction(city) as conn:
        made = found_book(conn, city, book)
        frame = _frame(request, conn, made, "settings")
        holds = inventory.settings(conn, city, book)
        policy = inventory.recalculation_policy(conn, city, made.kind, made.subject)
        buyers = sorted({sale.buyer for sale in footprint.sales(conn, city)})
    return page(
        request, "console/inventory/settings.html", **frame, holds=holds, policy=policy,
        gwp_sets=GWP_SETS, levels=inventory.LEVELS, approaches=APPROACHES, buyers=buyers,
        policy_causes=[(c, w) for c, w in CAUSES.items() if c != "activity"],
        parts="\n".join(
            f"{p.code}, {p.name}, {p.equity_bp / 100:g}, {int(p.operational)}, {int(p.financial)}"
            for p in holds.parts
        ),
        tree_source=inventory.tree(made.kind).source, maturity=MATURITY,
    )  # fmt: skip


@require_safe
@needs(*READERS)
def template(request: Request) -> HttpResponse:
    """An empty file with the columns that an import reads."""
    text = io.StringIO()
    csv.writer(text).writerow(inventory.COLUMNS)
    answer = HttpResponse(text.getvalue().encode("utf-8-sig"), content_type=_TYPES["csv"])
    answer["Content-Disposition"] = 'attachment; filename="inventory-lines.csv"'
    return answer


@require_safe
@needs(*READERS)
def file(request: Request, version: str, form: str) -> HttpResponse:
    """A version as a file: rows, everything, or the common reporting framework's workbook."""
    city = request.city.code
    with transaction(city) as conn:
        made = inventory.version_of(conn, city, UUID(version))
        if made is None:
            raise Http404
        inputs, outputs = inventory.documents(conn, city, made.id)
    return as_file(inputs, outputs, made, form)


def as_file(
    inputs: Any, outputs: Any, made: inventory.Version, form: str, public: bool = False
) -> HttpResponse:
    """The download, named after subject, year and version."""
    digests = {"inputs": made.inputs_digest, "outputs": made.outputs_digest}
    if form == "csv":
        data = inventory.as_csv(inputs, outputs, language(), public)
    elif form == "json":
        data = inventory.as_json(inputs, outputs, digests, public)
    else:
        data = inventory.as_xlsx(inputs, outputs, digests, made.created_at)
    answer = HttpResponse(data, content_type=_TYPES[form])
    name = f"inventory-{inputs['year']}-v{made.number}.{form}"
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
