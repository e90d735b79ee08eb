"""What was found when entities were held against their data models."""

from django.http import HttpResponse
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from onsil.console.frame import STAFF, Request, needs, page
from onsil.hub.datasets.checking import verification_history, verification_standing
from onsil.hub.steps import run
from onsil.tenancy import transaction

_MOST = 200


@require_safe
@needs(*STAFF)
def listing(request: Request) -> HttpResponse:
    """Entities as they stand, newest first; `?faulty=1`: those that do not fit; `?entity=`: the
    whole history of one."""
    city, uri = request.city.code, request.GET.get("entity", "").strip()[:2048]
    faulty = request.GET.get("faulty") == "1"
    with transaction(city) as conn:
        if uri:
            found = run(conn, verification_history(city, uri, _MOST))
        else:
            found = run(conn, verification_standing(city, faulty=faulty, limit=_MOST))
    return page(
        request, "console/verification.html", section="verification", uri=uri,
        found=[(one, one.uri.rsplit(":", 1)[-1]) for one in found],
        faulty=faulty, korean=not (get_language() or "ko").startswith("en"), most=_MOST,
    )  # fmt: skip
