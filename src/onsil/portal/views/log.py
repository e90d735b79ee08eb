"""The transparency log as plain files, where C2SP tlog-tiles has them, for mirrors and tools."""

import re
from pathlib import Path

from django.http import FileResponse, Http404, HttpRequest, HttpResponseBase
from django.views.decorators.http import require_safe

from onsil.configuration import configuration

_INDEX = r"(?:x\d{3}/)*\d{3}"
_WIDTH = r"(?:\.p/(?:[1-9]|[1-9]\d|1\d\d|2[0-4]\d|25[0-5]))?"
_TILE = re.compile(rf"tile/(?:entries|[0-5]?\d|6[0-3])/{_INDEX}{_WIDTH}")
_TEXTS = frozenset({"checkpoint", "verifier-key"})
# A full tile never changes. A partial one is true for its size and then replaced by a fuller one.
_FOREVER = "public, max-age=31536000, immutable"


@require_safe
def log_file(request: HttpRequest, city: str, year: int, path: str) -> HttpResponseBase:
    """One file of a city's log: checkpoint and key (always fresh) or a tile (cacheable)."""
    if path not in _TEXTS and not _TILE.fullmatch(path):
        raise Http404
    if city != request.city.code:
        raise Http404
    file = Path(configuration().log_folder) / city / str(year) / path
    if not file.is_file():
        raise Http404
    response = FileResponse(file.open("rb"))
    if path in _TEXTS:
        response["Content-Type"] = "text/plain; charset=utf-8"
        response["Cache-Control"] = "no-cache"
    else:
        response["Content-Type"] = "application/octet-stream"
        response["Cache-Control"] = _FOREVER
    response["Access-Control-Allow-Origin"] = "*"
    return response
