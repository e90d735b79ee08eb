"""/info/sourceIdentity: who this broker is, for one tenant (GS CIM 009 V1.9.1 §5.15, §6.33)."""

from uuid import NAMESPACE_URL, uuid5

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from onsil.hub.documents import time_text
from onsil.hub.http.asking import answer
from onsil.hub.http.door import PREFIX, Door


def routes(door: Door) -> list[Route]:
    """The route of the broker's identity."""
    started = door.clock.now()

    async def identity(request: Request) -> Response:
        """GET /info/sourceIdentity: id, pseudonym for Via headers, uptime and time.

        A tenant that is not there yet has its pseudonym already.
        """
        form, city = door.asked(request), request.scope["visit"].tenant
        alias, now = await door.sources.alias(city), door.clock.now()
        return answer({
            "id": f"urn:uuid:{uuid5(NAMESPACE_URL, alias)}",
            "type": "ContextSourceIdentity",
            "contextSourceAlias": alias,
            "contextSourceUptime": f"PT{max(0, int((now - started).total_seconds()))}S",
            "contextSourceTimeAt": time_text(now),
        }, form)  # fmt: skip

    return [Route(f"{PREFIX}/info/sourceIdentity", identity, methods=["GET"])]
