"""The trust's proof for everybody: is the money behind the local currency there?"""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from onsil.citizen import services as citizen
from onsil.ledger.trust_reports import TrustReport

_DAYS = 90


@require_safe
def trust(request: HttpRequest) -> HttpResponse:
    """The newest daily report in plain words, and how it went day by day."""
    reports = citizen.trust.reports(_DAYS)
    simulated = citizen.trust.rests_on_simulation()
    newest = reports[0] if reports else None
    return render(
        request, "portal/trust.html",
        {"newest": newest, "reports": reports[:14], "missing": newest and -newest.surplus,
         "simulated": simulated,
         "chart": _chart(reports, simulated) if len(reports) > 1 else None},
    )  # fmt: skip


def _chart(reports: list[TrustReport], simulated: bool) -> dict[str, Any]:
    ordered = list(reversed(reports))
    kind = "simulated" if simulated else "measured"
    return {
        "title": _("맡아 둔 돈과 지켜야 하는 돈"), "unit": _("원"), "kind": "line",
        "labels": [r.day.isoformat() for r in ordered], "label_name": _("날"), "description": "",
        "series": [
            {"name": _("맡아 둔 돈"), "kind": kind, "values": [r.cover for r in ordered]},
            {"name": _("지켜야 하는 돈"), "kind": kind,
             "values": [r.required for r in ordered]},
        ],
    }  # fmt: skip
