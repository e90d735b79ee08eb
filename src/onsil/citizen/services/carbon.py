"""What a citizen's own meters show they emitted less, period by period, against their own past."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from onsil import footprint
from onsil.citizen.models import User
from onsil.citizen.services.postings import SYSTEM
from onsil.core.clock import Clock
from onsil.core.periods import Period, local_day
from onsil.rewards import services as rewards
from onsil.tenancy import current_city, transaction
from onsil.tenancy.cities import city as city_profile

_SHOWN = 6


@dataclass(frozen=True)
class Measured:
    """One claimed period: emission avoided against the citizen's own baseline, in kilograms.

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
    def mean_kg(self) -> Decimal | None:
        """The mean of the periods before the newest; None when there are none."""
        earlier = [p.co2e_kg for p in self.periods[:-1]]
        return sum(earlier, Decimal(0)) / len(earlier) if earlier else None


@dataclass
class _Sum:
    co2e_t: Decimal = Decimal(0)
    saved_kwh: Decimal = Decimal(0)
    baseline_kwh: Decimal = Decimal(0)
    complete: bool = True
    claims: set[UUID] = field(default_factory=set)

    @property
    def share(self) -> Decimal | None:
        known = self.complete and self.baseline_kwh > 0
        return self.saved_kwh / self.baseline_kwh if known else None


def own_carbon(citizen: User, *, clock: Clock = SYSTEM) -> OwnCarbon | None:
    """What the claims behind the citizen's evidence say; None while nothing has been measured.

    Meters are often read after the month is over, so the newest period may be an earlier one.
    """
    city = current_city()
    zone, now = city_profile(city).zone, clock.now()
    sums: dict[tuple[datetime, datetime], _Sum] = defaultdict(_Sum)
    with transaction() as tx:
        seen: set[UUID] = set()
        for decision in rewards.decisions_of(city, citizen.pk, limit=100):
            for piece in decision.evidence:
                if piece.claim_id is None or piece.id in seen:
                    continue
                seen.add(piece.id)
                claim = footprint.claim_of(tx, city, piece.claim_id)
                if claim is None:
                    continue
                total = sums[claim.period.start, claim.period.end]
                if claim.id not in total.claims:
                    total.claims.add(claim.id)
                    total.co2e_t += claim.co2e_t
                baseline = piece.facts.get("baseline_kwh")
                total.saved_kwh += piece.quantity
                total.baseline_kwh += Decimal(str(baseline or 0))
                total.complete = total.complete and baseline is not None
    if not sums:
        return None
    periods = []
    for (start, end), total in sorted(sums.items()):
        first, last = local_day(start, zone), local_day(end - timedelta(microseconds=1), zone)
        months = sorted({f"{first:%Y-%m}", f"{last:%Y-%m}"})
        periods.append(
            Measured(Period(start, end), total.co2e_t * 1000, total.share, "–".join(months))
        )
    month_start = now.astimezone(zone).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return OwnCarbon(tuple(periods[-_SHOWN:]), periods[-1].period.end > month_start)
