"""The trust's proof: what is there against what could be asked for, day by day."""

from typing import Any

from django.http import HttpResponse
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from onsil.citizen import services as citizen
from onsil.console.currency import words
from onsil.console.export import csv_response
from onsil.console.frame import STAFF, Request, needs, page
from onsil.ledger.trust_reports import TrustReport

_DAYS = 90


@needs(*STAFF)
def report(request: Request) -> HttpResponse:
    """The figures as of now, the graph of the daily reports and their table; `?format=csv`."""
    reports = citizen.trust.reports(_DAYS)
    if request.GET.get("format") == "csv":
        header = [_("날"), _("기준 시각"), _("예치금"), _("보험"), _("유통 중"), _("환불 가능"),
                  _("필요한 금액"), _("여유"), _("가맹점에 줄 돈"), _("이자"), _("충족"),
                  _("기록 번호")]  # fmt: skip
        rows = [
            (r.day, r.as_of, *(r.figures[k] for k in _COLUMNS), r.surplus,
             r.figures["payable_krw"], r.figures["interest_krw"], r.covered, r.id)
            for r in reports
        ]  # fmt: skip
        return csv_response(f"{request.city.code}-trust", header, rows)
    simulated = citizen.trust.rests_on_simulation()
    proof, backing = citizen.trust.now()
    circulating = max(backing.circulating, 1)
    return page(
        request, "console/currency/trust.html", section="currency", tab="trust", proof=proof,
        reports=reports, simulated=simulated,
        chart=chart(reports, simulated) if len(reports) > 1 else None,
        funds=[
            {"word": words.fund_word(fund), "won": won, "of": circulating}
            for fund, won in backing.by_fund().items()
        ],
        rule=words.facts(
            citizen.rulebook.rules_at(request.city, proof.as_of).sources["trust"],
            get_language() or "ko", {},
        ),
    )  # fmt: skip


_COLUMNS = ("trust_krw", "insured_krw", "circulating_krw", "refundable_krw", "required_krw")


def chart(reports: list[TrustReport], simulated: bool) -> dict[str, Any]:
    """Cover and what it must cover, a point a report, oldest first."""
    ordered = list(reversed(reports))
    kind = "simulated" if simulated else "measured"
    return {
        "title": _("예치금과 지켜야 하는 돈"), "unit": _("원"), "kind": "line",
        "labels": [r.day.isoformat() for r in ordered], "label_name": _("날"), "description": "",
        "series": [
            {"name": _("예치금(보험 포함)"), "kind": kind,
             "values": [r.cover for r in ordered]},
            {"name": _("지켜야 하는 돈"), "kind": kind,
             "values": [r.required for r in ordered]},
        ],
    }  # fmt: skip
