"""The city's data sets as officials look after them: how good they are, how much they are used."""

from collections import Counter
from datetime import timedelta
from decimal import ROUND_DOWN, Decimal

from django.http import HttpResponse
from django.utils.translation import get_language, gettext_lazy
from django.views.decorators.http import require_safe

from onsil.console.frame import STAFF, Request, needs, page
from onsil.core.clock import SystemClock
from onsil.hub.datasets.access import all_requests
from onsil.hub.datasets.measuring import MEASURED_FOR, quality_by_day
from onsil.hub.datasets.quality import INDICATORS
from onsil.hub.datasets.store import datasets_of, uses_by_day
from onsil.hub.steps import run
from onsil.tenancy import transaction

_CLOCK = SystemClock()
_DAYS = 30
INDICATOR_WORDS = (
    gettext_lazy("완전성"), gettext_lazy("유효성"), gettext_lazy("정확성"), gettext_lazy("유일성"),
    gettext_lazy("일관성"),
)  # fmt: skip


def share_text(share: Decimal | None) -> str:
    """A share as percent, cut to one place; empty for what cannot be measured yet."""
    return "" if share is None else f"{(share * 100).quantize(Decimal('0.1'), ROUND_DOWN)}%"


@require_safe
@needs(*STAFF)
def listing(request: Request) -> HttpResponse:
    """Every data set with who may use it, its use of thirty days, and who waits for it."""
    city, now, language = request.city.code, _CLOCK.now(), get_language() or "ko"
    with transaction(city) as conn:
        datasets = [entry.dataset for entry in run(conn, datasets_of(city))]
        measured = run(conn, quality_by_day(city, now.date() - MEASURED_FOR))
        used = run(conn, uses_by_day(city, now.date() - timedelta(days=_DAYS)))
        asked = Counter(
            one.dataset for one in run(conn, all_requests(city)) if one.state == "asked"
        )
    counts: Counter[tuple[str, str]] = Counter()
    for one in used:
        counts[one.dataset, one.form if one.form in ("page", "api") else "files"] += one.uses
    newest = {id: max(days) for id, days in measured.items()}
    rows = [
        {"set": one, "title": one.title.text(language), "files": counts[one.id, "files"],
         "api": counts[one.id, "api"], "views": counts[one.id, "page"], "asked": asked[one.id],
         "day": newest.get(one.id),
         "quality": [share_text(found.share) for found in measured[one.id][newest[one.id]]]
         if one.id in newest else [""] * len(INDICATORS)}
        for one in datasets
    ]  # fmt: skip
    return page(request, "console/data_sets.html", section="data-sets", rows=rows,
                indicators=INDICATOR_WORDS)  # fmt: skip
