"""The transparency log: its page, and its files where C2SP tlog-tiles has them, for mirrors."""

import re

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from onsil.portal.logbook import KEY_FILES, home
from onsil.portal.receipts import program
from onsil.portal.transparency import growth_chart, operator, policy_text
from onsil.portal.transparency import transparency as overview
from onsil.proof.home import PUBLISHED, WITNESSED

_INDEX = r"(?:x\d{3}/)*\d{3}"
_WIDTH = r"(?:\.p/(?:[1-9]|[1-9]\d|1\d\d|2[0-4]\d|25[0-5]))?"
_TILE = re.compile(rf"tile/(?:entries|[0-5]?\d|6[0-3])/{_INDEX}{_WIDTH}")
_TEXTS = frozenset({PUBLISHED, WITNESSED, *KEY_FILES})
# A full tile never changes. A partial one is true for its size and then replaced by a fuller one.
_FOREVER = "public, max-age=31536000, immutable"
_RUN_A_WITNESS = """\
pip install .
onsil witness key --folder witness --name witness.example.org
curl -O {log}verifier-key
onsil witness add-log --folder witness --every-year verifier-key
onsil witness run --folder witness --host 0.0.0.0 --port 8405"""


@require_safe
def log_file(request: HttpRequest, city: str, year: int, path: str) -> HttpResponse:
    """One file of a city's log: checkpoint and key (always fresh) or a tile (cacheable)."""
    if path not in _TEXTS and not _TILE.fullmatch(path):
        raise Http404
    if city != request.city.code:
        raise Http404
    held = home().log(city, year).store.read(path)
    if held is None:
        raise Http404
    response = HttpResponse(held[0])
    if path in _TEXTS:
        response["Content-Type"] = "text/plain; charset=utf-8"
        response["Cache-Control"] = "no-cache"
    else:
        response["Content-Type"] = "application/octet-stream"
        response["Cache-Control"] = _FOREVER
    response["Access-Control-Allow-Origin"] = "*"
    return response


@require_safe
def transparency(request: HttpRequest) -> HttpResponse:
    """The state of the city's log: checkpoints, witnesses, anchors, and how to check them."""
    shown = overview(request.city.code)
    newest = shown.newest
    address = request.build_absolute_uri("/").rstrip("/")
    language = get_language() or "ko"
    return render(
        request,
        "portal/transparency.html",
        {
            "shown": shown,
            "newest": newest,
            "chart": growth_chart(shown.growth, request.city.zone),
            "witnesses": [(one, operator(one, language)) for one in shown.status.witnesses],
            "policy": shown.status.policy,
            "program": program(),
            "address": address,
            "witness_lines": _RUN_A_WITNESS.format(log=address + newest.path if newest else ""),
        },
    )


@require_safe
def policy(request: HttpRequest, year: int | None = None) -> HttpResponse:
    """The policy file of a year's log (the newest year's): its keys, the witnesses, the quorum."""
    text = policy_text(request.city.code, year)
    if text is None:
        raise Http404
    response = HttpResponse(text, content_type="text/plain; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="policy.txt"'
    response["Cache-Control"] = "no-cache"
    return response
