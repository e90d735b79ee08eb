"""What to do next about a checkpoint's anchoring, and which checkpoints are due. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from zoneinfo import ZoneInfo

from onsil.proof.anchors.terms import AnchorRecord, Sighting, State

REPLACE_AFTER = timedelta(minutes=5)


class Act(Enum):
    """What is done after a look at the place."""

    NOTHING = "nothing"
    SEND_AGAIN = "send-again"  # the same bytes once more
    PREPARE = "prepare"  # a new handing over: nothing was, or what was is lost or stuck


@dataclass(frozen=True)
class Step:
    """A state to write down, when it is a new one, and what to do."""

    state: State | None
    act: Act


def next_step(
    state: State | None, sent_for: timedelta, sighting: Sighting, *,
    replace_after: timedelta = REPLACE_AFTER,
) -> Step:  # fmt: skip
    """The step after `state` (None: never begun), the last handing over being `sent_for` ago.

    A checkpoint that was in a block and is no more has `vanished`, and is sent again. One that was
    refused stays so until somebody, or the next day, begins anew.
    """
    if sighting.state in ("pending", "confirmed", "failed"):
        return Step(sighting.state if sighting.state != state else None, Act.NOTHING)  # pyright: ignore
    lost: State | None = "vanished" if state in ("pending", "confirmed") else None
    if state is None or sighting.state in ("absent", "gone") or sent_for >= replace_after:
        return Step(lost, Act.PREPARE)
    return Step(lost, Act.SEND_AGAIN)


def due(
    sizes: Iterable[tuple[int, int]], anchored: Sequence[AnchorRecord], now: datetime,
    zone: ZoneInfo, *, wanted: bool = False,
) -> list[tuple[int, int]]:  # fmt: skip
    """Which of the newest (year, size) of each log should be anchored now, oldest year first.

    The running log once a day of the city's zone; a closed one, whatever the day, until its end is
    anchored. `wanted`: whatever has grown, today's included. What is smaller than an anchored size
    never is.
    """
    newest = sorted(sizes)
    today = now.astimezone(zone).date()
    chosen: list[tuple[int, int]] = []
    for year, size in newest:
        mine = [r for r in anchored if r.year == year]
        tried = [r.at if r.state == "failed" else r.first_at for r in mine]
        begun_today = any(at.astimezone(zone).date() == today for at in tried)
        alive = [r.size for r in mine if r.state not in ("failed", "vanished")]
        if size <= max(alive, default=0):
            continue
        closed = year != newest[-1][0]
        if wanted or closed or not begun_today:
            chosen.append((year, size))
    return chosen
