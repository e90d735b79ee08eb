"""Anchoring a city's checkpoints: begun when due, followed until the place holds them for good.

What will be sent is recorded first and sent afterwards, on an autocommit connection, so whatever
dies in between is sent again, byte for byte. One session anchors at a time (`store.try_lock`).
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from zoneinfo import ZoneInfo

from onsil.core.clock import Clock
from onsil.core.database import Connection
from onsil.core.refusal import OperationError, Refusal
from onsil.proof.anchors import course as rules
from onsil.proof.anchors import store
from onsil.proof.anchors.course import Act
from onsil.proof.anchors.refusals import nothing_to_anchor
from onsil.proof.anchors.store import Course
from onsil.proof.anchors.terms import Anchor, AnchorProof, AnchorRecord, Receipt, State
from onsil.proof.checkpoint import Checkpoint, origin

_OPEN: tuple[State, ...] = ("sending", "pending", "vanished")
_LOOK_S = 0.25


@dataclass(frozen=True)
class Anchoring:
    """One city's way to one place, on an autocommit connection that sees the city's rows."""

    conn: Connection
    city: str
    anchor: Anchor
    clock: Clock
    replace_after: timedelta = rules.REPLACE_AFTER

    def due(
        self, newest: Sequence[Checkpoint], zone: ZoneInfo, *, wanted: bool = False
    ) -> list[Checkpoint]:
        """Which of the newest checkpoints of the city's logs should be anchored now."""
        by_place = {(_year(c.origin), c.size): c for c in newest if c.size}
        known = [c.record for c in store.courses(self.conn, self.city, place=self.anchor.place)]
        chosen = rules.due(by_place, known, self.clock.now(), zone, wanted=wanted)
        return [by_place[key] for key in chosen]

    def open(self) -> list[AnchorRecord]:
        """What is on its way."""
        found = store.courses(self.conn, self.city, place=self.anchor.place, states=_OPEN)
        return [course.record for course in found]

    def begin(self, checkpoint: Checkpoint) -> AnchorRecord | Refusal:
        """Anchor a checkpoint, unless the place has it already; its record, or why not."""
        assert self.conn.autocommit, "what is recorded must be durable before it is sent"
        found = self._courses(checkpoint.size, _year(checkpoint.origin))
        course = found[0] if found else None
        if course is not None and course.record.state != "failed":
            return self._advance(course)
        sighting = self.anchor.find(checkpoint, ())
        if sighting.state in ("pending", "confirmed", "failed"):
            self._record(checkpoint, sighting.state, sighting.proof, sighting.problem)  # pyright: ignore
        else:
            refusal = self._hand_over(checkpoint, ())
            if refusal is not None:
                return refusal
        return self._courses(checkpoint.size, _year(checkpoint.origin))[0].record

    def follow(self) -> list[AnchorRecord | Refusal]:
        """Look after everything on its way: record what changed, send again what was lost."""
        found = store.courses(self.conn, self.city, place=self.anchor.place, states=_OPEN)
        # in the order in which it was sent, so that no later one waits for an earlier number
        return [self._advance(course) for course in reversed(found)]

    def recheck(self) -> list[AnchorRecord]:
        """Look at the confirmed ones, newest first, until one is still there; what vanished."""
        vanished = []
        held = store.courses(self.conn, self.city, place=self.anchor.place, states=("confirmed",))
        for course in held:
            checkpoint = _checkpoint(course.record)
            sighting = self.anchor.find(checkpoint, course.receipts)
            if sighting.state in ("pending", "confirmed"):
                break
            self._record(checkpoint, "vanished", problem=sighting.problem)
            vanished.append(replace(course.record, state="vanished"))
        return vanished

    def _advance(self, course: Course) -> AnchorRecord | Refusal:
        record, checkpoint = course.record, _checkpoint(course.record)
        sighting = self.anchor.find(checkpoint, course.receipts)
        state = record.state if course.receipts else None
        step = rules.next_step(
            state, self.clock.now() - record.at, sighting, replace_after=self.replace_after
        )
        if step.state is not None and step.state != record.state:
            self._record(checkpoint, step.state, sighting.proof, sighting.problem)
        refusal: Refusal | None = None
        if step.act is not Act.NOTHING and not self._overtaken(record):
            if step.act is Act.SEND_AGAIN:
                refusal = self.anchor.publish(checkpoint, course.receipts[-1])
            else:
                refusal = self._hand_over(checkpoint, course.receipts)
        if refusal is not None:
            return refusal
        return self._courses(record.size, record.year)[0].record

    def _overtaken(self, record: AnchorRecord) -> bool:
        """Whether a larger tree of the same log is anchored, which a smaller one cannot follow."""
        others = store.courses(
            self.conn, self.city, place=self.anchor.place, states=("pending", "confirmed")
        )
        larger = [c for c in others if c.record.year == record.year and c.record.size > record.size]
        if larger:
            by = larger[0].record.size
            problem = Refusal(
                "anchor-overtaken",
                f"더 큰 체크포인트({by})가 대신 기록되었습니다.",
                f"a larger checkpoint ({by}) was anchored instead.",
            )
            self._record(_checkpoint(record), "failed", problem=problem)
        return bool(larger)

    def _hand_over(self, checkpoint: Checkpoint, earlier: Sequence[Receipt]) -> Refusal | None:
        receipt = self.anchor.prepare(checkpoint, earlier)
        if isinstance(receipt, Refusal):
            return receipt
        store.record(
            self.conn, self.city, self.anchor.place, self.anchor.development,
            _year(checkpoint.origin), checkpoint.size, checkpoint.root, "sending",
            self.clock.now(), receipt,
        )  # fmt: skip
        return self.anchor.publish(checkpoint, receipt)

    def _record(
        self, checkpoint: Checkpoint, state: State, proof: AnchorProof | None = None,
        problem: Refusal | None = None,
    ) -> None:  # fmt: skip
        store.record(
            self.conn, self.city, self.anchor.place, self.anchor.development,
            _year(checkpoint.origin), checkpoint.size, checkpoint.root, state, self.clock.now(),
            None, proof, problem,
        )  # fmt: skip

    def _courses(self, size: int, year: int) -> list[Course]:
        found = store.courses(self.conn, self.city, place=self.anchor.place)
        return [c for c in found if (c.record.size, c.record.year) == (size, year)]


def anchor_now(
    way: Anchoring, newest: Sequence[Checkpoint], zone: ZoneInfo, *, wait_s: float
) -> list[AnchorRecord | Refusal]:
    """Anchor what has grown since the last time, and stay until it is confirmed or `wait_s` passed.

    Raises OperationError when another process has been anchoring all that time.
    """
    deadline = time.monotonic() + wait_s
    with sole(way.conn, wait_s):
        way.follow()
        answers = [way.begin(one) for one in way.due(newest, zone, wanted=True)]
        while way.open() and time.monotonic() < deadline:
            time.sleep(_LOOK_S)
            answers = way.follow()
        known = store.courses(way.conn, way.city, place=way.anchor.place)
    sizes = {(_year(c.origin), c.size) for c in newest}
    held = [c.record for c in known if (c.record.year, c.record.size) in sizes]
    refused = [answer for answer in answers if isinstance(answer, Refusal)]
    return [*held, *refused] or [nothing_to_anchor(way.city)]


@contextmanager
def sole(conn: Connection, wait_s: float) -> Iterator[None]:
    """Be the only one who anchors while the block runs. Raises OperationError after `wait_s`."""
    deadline = time.monotonic() + wait_s
    while not store.try_lock(conn):
        if time.monotonic() > deadline:
            raise OperationError("another process is anchoring at the moment", retry=True)
        time.sleep(_LOOK_S)
    try:
        yield
    finally:
        store.unlock(conn)


def _year(name: str) -> int:
    """`onsil/<city>/<year>` -> year."""
    return int(name.rsplit("/", 1)[1])


def _checkpoint(record: AnchorRecord) -> Checkpoint:
    return Checkpoint(origin(record.city, record.year), record.size, record.root)
