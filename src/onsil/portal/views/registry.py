"""The public credit registry: batches, serials, states, and certificates of what was used up."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from onsil import footprint, ledger
from onsil.core.database import Connection
from onsil.footprint import credits
from onsil.tenancy import transaction

_SERIAL = re.compile(r"^(?:(?P<prefix>.+)-)?(?P<number>\d{1,18})$")
_PAGE = 20


@dataclass(frozen=True)
class BatchState:
    """A batch with where its units are now; the parts add up to what was issued."""

    batch: footprint.CreditBatch
    project: footprint.Project
    unsold: int
    states: Mapping[str, int]
    whole: bool

    @property
    def held(self) -> int:
        """Held by others than the project."""
        return self.states["held"] - self.unsold

    @property
    def buffer(self) -> int:
        return self.states["buffer"]

    @property
    def retired(self) -> int:
        return self.states["retired"]

    @property
    def others(self) -> Mapping[str, int]:
        """Every other state that any unit is in."""
        usual = ("held", "buffer", "retired")
        return {name: n for name, n in self.states.items() if n and name not in usual}


def batch_state(conn: Connection, city: str, batch: footprint.CreditBatch) -> BatchState:
    """Where a batch's units are, counted from their blocks, the ledger and the journal."""
    project = footprint.project(conn, city, batch.project_id)
    counted = credits.conservation(conn, city, batch.id)
    assert project is not None
    assert counted is not None
    unsold = ledger.balance(conn, city, project.account, batch.asset)
    return BatchState(batch, project, unsold, counted.states, counted.whole)


@require_safe
def registry(request: HttpRequest) -> HttpResponse:
    """All batches, newest first; `serial` finds the one a serial number belongs to."""
    city, serial = request.city.code, request.GET.get("serial", "").strip()
    with transaction(city) as conn:
        found = _by_serial(conn, city, serial) if serial else footprint.batches(conn, city)
        if serial and len(found) == 1:
            return redirect("registry-batch", batch=found[0].id)
        page = Paginator(found, _PAGE).get_page(request.GET.get("page"))
        states = [batch_state(conn, city, batch) for batch in page]
        retirements = footprint.retirements(conn, city)
    return render(
        request,
        "portal/registry.html",
        {
            "states": states,
            "page": page,
            "serial": serial,
            "retirements": retirements[:_PAGE],
            "query": credits.UnitQuery(serial=serial),
            "choices": credits.STATES,
        },
    )


def _by_serial(conn: Connection, city: str, text: str) -> list[footprint.CreditBatch]:
    """The batch that a serial, whole or as its number alone, belongs to; else those whose serials
    begin so."""
    parts = _SERIAL.match(text)
    if parts is not None:
        found = footprint.batch_by_serial(conn, city, int(parts["number"]))
        if (
            found is not None
            and (parts["prefix"] or found.serial_prefix).casefold()
            == found.serial_prefix.casefold()
        ):
            return [found]
    begun = text.casefold()
    return [
        b for b in footprint.batches(conn, city) if b.serial_prefix.casefold().startswith(begun)
    ]


@require_safe
def batch(request: HttpRequest, batch: UUID) -> HttpResponse:
    """One batch: its method, vintage, claims' tonnes, where its units are, and who used them."""
    city = request.city.code
    with transaction(city) as conn:
        found = footprint.batch(conn, city, batch)
        if found is None:
            raise Http404
        state = batch_state(conn, city, found)
        monitoring = footprint.monitoring(conn, city, found.monitoring_id)
        retirements = [r for r in footprint.retirements(conn, city) if r.batch_id == found.id]
        labels = credits.labels_of(conn, city, batch)
        adjustment = credits.adjustment(conn, city, batch)
        claims = [
            footprint.claim_of(conn, city, c) for c in footprint.claims_of_batch(conn, city, batch)
        ]
    return render(
        request,
        "portal/batch.html",
        {
            "state": state,
            "batch": found,
            "monitoring": monitoring,
            "claims": claims,
            "retirements": retirements,
            "labels": labels,
            "adjustment": adjustment,
        },
    )


@require_safe
def certificate(request: HttpRequest, retirement: UUID) -> HttpResponse:
    """The certificate of one retirement, for anybody to see and to print."""
    city = request.city.code
    with transaction(city) as conn:
        found = footprint.retirement(conn, city, retirement)
        if found is None:
            raise Http404
        made = credits.any_batch(conn, city, found.batch_id)
        assert made is not None
        project = footprint.project(conn, city, made.project_id)
        outside = credits.outside_facts(conn, city, made.id)
    return render(
        request,
        "portal/certificate.html",
        {
            "retirement": found,
            "batch": made,
            "project": project,
            "serials": f"{made.serial_prefix}-{credits.spans_text(found.stretches)}",
            "outside": outside,
            "address": request.build_absolute_uri(),
        },
    )
