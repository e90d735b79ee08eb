"""The witness's HTTP door (c2sp.org/tlog-witness): `POST /add-checkpoint`, and what it knows."""

import logging
import time
from collections.abc import Callable, Sequence

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from onsil.core.clock import Clock
from onsil.proof.keys import NoteError, VerifierKey
from onsil.proof.signer import Cosigner
from onsil.proof.witness.memory import WitnessMemory
from onsil.proof.witness.protocol import BODY_BYTES_MAX, SIZE_TYPE, parse_request, signed_by

RATE_PER_S = 20.0
BURST = 100.0
_CALLERS_MAX = 10_000

logger = logging.getLogger(__name__)
TrustedKeys = Callable[[str], Sequence[VerifierKey]]


class RateLimit:
    """A bucket of requests a caller, filled at a steady rate."""

    def __init__(self, per_s: float = RATE_PER_S, burst: float = BURST) -> None:
        self._per_s, self._burst = per_s, burst
        self._buckets: dict[str, tuple[float, float]] = {}

    def take(self, caller: str) -> bool:
        """Whether the caller may ask once more now."""
        now = time.monotonic()
        left, since = self._buckets.get(caller, (self._burst, now))
        left = min(self._burst, left + (now - since) * self._per_s)
        if len(self._buckets) > _CALLERS_MAX:
            self._buckets.clear()
        self._buckets[caller] = (max(0.0, left - 1), now)
        return left >= 1


class _Door:
    def __init__(
        self, cosigner: Cosigner, memory: WitnessMemory, clock: Clock, trusted: TrustedKeys,
        limit: RateLimit, words: str,
    ) -> None:  # fmt: skip
        self._cosigner, self._memory, self._clock = cosigner, memory, clock
        self._trusted, self._limit, self._words = trusted, limit, words

    async def add_checkpoint(self, http: HttpRequest) -> Response:
        if not self._limit.take(http.client.host if http.client else ""):
            return PlainTextResponse("too many requests\n", 429, {"Retry-After": "1"})
        body = b""
        try:
            async for part in http.stream():
                body += part
                if len(body) > BODY_BYTES_MAX:
                    return PlainTextResponse("the body is too long\n", 413)
        except ClientDisconnect:
            return Response(status_code=400)
        return await run_in_threadpool(self._answer, body)

    def _answer(self, body: bytes) -> Response:
        try:
            request = parse_request(body)
        except NoteError as error:
            return PlainTextResponse(f"{error}\n", 400)
        keys = self._trusted(request.checkpoint.origin)
        if not keys:
            return PlainTextResponse("this log is not known here\n", 404)
        if not signed_by(request.checkpoint, keys):
            return PlainTextResponse("the log's signature does not hold\n", 403)
        now = self._clock.now()
        verdict, known = self._memory.advance(request, now)
        if verdict.status == 409:
            if known == request.checkpoint.size:
                logger.warning("%s: two roots of %s leaves", request.checkpoint.origin, known)
            return Response(f"{known}\n", 409, {"Content-Type": SIZE_TYPE})
        if verdict.status != 200:
            return PlainTextResponse(f"{verdict.words}\n", verdict.status)
        lines = self._cosigner.cosign(request.checkpoint, now)
        return PlainTextResponse("".join(line.line for line in lines))

    def front(self, http: HttpRequest) -> Response:
        keys = "".join(f"{key.text}\n" for key in self._cosigner.keys)
        return PlainTextResponse(f"{self._words}\n\n{keys}" if self._words else keys)

    def logs(self, http: HttpRequest) -> Response:
        return JSONResponse(
            [
                {"origin": tree.origin, "size": tree.size, "root": tree.root.hex(),
                 "cosigned_at": tree.cosigned_at, "checkpoint": tree.note}
                for tree in self._memory.trees()
            ]
        )  # fmt: skip

    def health(self, http: HttpRequest) -> Response:
        return PlainTextResponse("ok\n")


def witness_app(
    cosigner: Cosigner, memory: WitnessMemory, clock: Clock, *,
    trusted: TrustedKeys | None = None, limit: RateLimit | None = None, words: str = "",
) -> Starlette:  # fmt: skip
    """The service as an ASGI application.

    `trusted` gives the keys of an origin (default: the logs that were added to the memory);
    `words` say on the front page who runs it.
    """
    door = _Door(cosigner, memory, clock, trusted or memory.log_keys, limit or RateLimit(), words)
    return Starlette(
        routes=[
            Route("/add-checkpoint", door.add_checkpoint, methods=["POST"]),
            Route("/logs", door.logs),
            Route("/-/health", door.health),
            Route("/", door.front),
        ]
    )
