"""Single writes that come at once share one transaction.

Each is decided for itself, so that one's refusal is none of the others' business; they share the
round trips and the commit. An entity is in one transaction at a time: its next write waits for the
one before. A lone write does not wait for company.
"""

import asyncio
from collections import deque
from typing import NamedTuple

from onsil.core.clock import Clock
from onsil.hub.http.database import Database, DatabaseAway
from onsil.hub.vocabulary import Dictionary
from onsil.hub.writing import Done, Intent, write

FLIGHTS = 2  # transactions of one city at once: one computes while the other waits for the disk
GROUP_MAX = 64


class _Waiting(NamedTuple):
    intent: Intent
    answer: asyncio.Future[Done]


class _Lane:
    """One city's writes."""

    def __init__(self) -> None:
        self.queue: deque[_Waiting] = deque()
        self.busy: set[str] = set()
        self.flights: set[asyncio.Task[None]] = set()


class Committer:
    """Carries out intents; `commit` answers when they are durable."""

    def __init__(self, db: Database, clock: Clock, terms: Dictionary) -> None:
        self._db, self._clock, self._terms = db, clock, terms
        self._lanes: dict[str, _Lane] = {}

    async def commit(self, city: str, intent: Intent) -> Done:
        """What became of the intent. Raises what it was refused with, or DatabaseAway."""
        lane = self._lanes.setdefault(city, _Lane())
        waiting = _Waiting(intent, asyncio.get_running_loop().create_future())
        lane.queue.append(waiting)
        self._start(city, lane)
        return await waiting.answer

    def _start(self, city: str, lane: _Lane) -> None:
        while lane.queue and len(lane.flights) < FLIGHTS:
            group = _take(lane)
            if not group:
                return
            flight = asyncio.create_task(self._fly(city, lane, group))
            lane.flights.add(flight)

    async def _fly(self, city: str, lane: _Lane, group: list[_Waiting]) -> None:
        try:
            await self._together(city, group)
        finally:
            lane.busy.difference_update(one.intent.uri for one in group)
            task = asyncio.current_task()
            if task is not None:
                lane.flights.discard(task)
            self._start(city, lane)

    async def _together(self, city: str, group: list[_Waiting]) -> None:
        intents = [one.intent for one in group]
        try:
            outcomes = await self._db.write(
                city, lambda: write(city, intents, self._clock.now(), self._terms)
            )
        except DatabaseAway as error:
            for one in group:
                _tell(one, error)
            return
        except Exception as error:
            if len(group) == 1:
                _tell(group[0], error)
                return
            # What the database itself refuses is one write's fault: each goes alone.
            for one in group:
                await self._together(city, [one])
            return
        except BaseException:
            for one in group:
                one.answer.cancel()
            raise
        for one, outcome in zip(group, outcomes, strict=True):
            _tell(one, outcome)


def _take(lane: _Lane) -> list[_Waiting]:
    """The next writes of entities that none is writing, in their order."""
    group, left = [], []
    held: set[str] = set()
    while lane.queue and len(group) < GROUP_MAX:
        one = lane.queue.popleft()
        if one.answer.done():  # its request has gone away
            continue
        if one.intent.uri in lane.busy or one.intent.uri in held:
            held.add(one.intent.uri)
            left.append(one)
        else:
            held.add(one.intent.uri)
            group.append(one)
    lane.queue.extendleft(reversed(left))
    lane.busy.update(one.intent.uri for one in group)
    return group


def _tell(one: _Waiting, outcome: Done | Exception) -> None:
    if one.answer.done():
        return
    if isinstance(outcome, Exception):
        one.answer.set_exception(outcome)
    else:
        one.answer.set_result(outcome)
