"""A citizen's own emissions against their own past, from the claims behind their evidence."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

from onsil.core.periods import Period, local_day

_SHOWN = 6


@dataclass(frozen=True)
class Piece:
    """One piece of a citizen's evidence and the claim it rests on.

    `co2e_t` is the whole claim's; it counts once however many pieces rest on it. `saved_kwh` below
    zero means that more was used than expected.
    """

    claim_id: UUID
    period: Period
    co2e_t: Decimal
    saved_kwh: Decimal
    baseline_kwh: Decimal | None


@dataclass(frozen=True)
class Measured:
    """One period: emission avoided against the citizen's own baseline, in kilograms.

    `share` is energy saved over baseline energy, where every baseline is known; `label` the local
    month or months.
    """

    period: Period
    co2e_kg: Decimal
    share: Decimal | None
    label: str


@dataclass(frozen=True)
class OwnCarbon:
    """Measured periods, oldest first; `current` when the newest reaches into this month."""

    periods: tuple[Measured, ...]
    current: bool

    @property
    def latest(self) -> Measured:
        return self.periods[-1]

    @property
    def comparable(self) -> bool:
        """Whether there is an earlier period to put beside the newest."""
        return len(self.periods) > 1


def own_carbon(pieces: Iterable[Piece], zone: ZoneInfo, now: datetime) -> OwnCarbon | None:
    """The last six measured periods; None while nothing has been measured.

    Meters are often read after the month is over, so the newest period may be an earlier one.
    """
    by_period: dict[Period, list[Piece]] = {}
    for piece in pieces:
        by_period.setdefault(piece.period, []).append(piece)
    if not by_period:
        return None
    found = tuple(_measured(p, by_period[p], zone) for p in sorted(by_period))[-_SHOWN:]
    month = now.astimezone(zone).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return OwnCarbon(found, found[-1].period.end > month)


def _measured(period: Period, pieces: list[Piece], zone: ZoneInfo) -> Measured:
    claims = {piece.claim_id: piece.co2e_t for piece in pieces}
    baselines = [piece.baseline_kwh for piece in pieces if piece.baseline_kwh is not None]
    baseline = sum(baselines, Decimal(0))
    share = None
    if len(baselines) == len(pieces) and baseline > 0:
        share = sum((piece.saved_kwh for piece in pieces), Decimal(0)) / baseline
    first = local_day(period.start, zone)
    last = local_day(period.end - timedelta(microseconds=1), zone)
    months = sorted({f"{first:%Y-%m}", f"{last:%Y-%m}"})
    kilograms = sum(claims.values(), Decimal(0)) * 1000
    return Measured(period, kilograms, share, "–".join(months))
