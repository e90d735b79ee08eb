"""What a city has measured, saved, issued and paid so far: the figures of its public page."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.core.cache import cache
from django.db.models import Count, F, Max, QuerySet, Sum

from onsil import footprint, hub
from onsil.citizen.models import Payment
from onsil.core.clock import SystemClock
from onsil.core.periods import local_day, midnight
from onsil.rewards.models import Award
from onsil.tenancy import transaction
from onsil.tenancy.cities import city as city_profile

_ALL = 1_000_000
_KEPT_S = 10


@dataclass(frozen=True)
class Figure:
    """A number with the instant of the newest thing in it; `count` is how many things there are."""

    amount: int | Decimal
    at: datetime | None = None
    count: int = 0


@dataclass(frozen=True)
class Totals:
    """A city's figures: tonnes as Decimals of tCO2e, energy in Wh, money and points whole.

    `points_simulated` is the part of the points that simulated evidence earned; `paid_mixed` says
    that people who had such points are among those who paid.
    """

    series: Figure
    energy_wh: Figure
    claimed_t: Figure
    verified_t: Figure
    issued: Figure
    retired: Figure
    sold: Figure
    sold_krw: Figure
    points: Figure
    points_simulated: Figure
    points_today: Figure
    paid_krw: Figure
    paid_today_krw: Figure
    paid_mixed: bool
    sources: tuple[tuple[str, int], ...]


def totals(city: str) -> Totals:
    """The figures, at most ten seconds old."""
    kept = cache.get(f"portal.totals.{city}")
    if kept is None:
        kept = _count(city)
        cache.set(f"portal.totals.{city}", kept, _KEPT_S)
    return kept


def _count(city: str) -> Totals:
    zone = city_profile(city).zone
    today = midnight(local_day(SystemClock().now(), zone), zone)
    with transaction(city) as conn:
        series = hub.find_series(conn, city)
        newest = hub.latest(conn, city, [one.id for one in series])
        claims = footprint.claims(conn, city, limit=_ALL)
        runs = {one.id: one for one in footprint.runs(conn, city, limit=_ALL) if one.measurable}
        approved = [
            m for m in footprint.monitorings(conn, city) if m.status in ("approved", "issued")
        ]
        batches = footprint.batches(conn, city)
        retirements = footprint.retirements(conn, city)
        sales = footprint.sales(conn, city)
        awards = Award.objects.filter(city=city, posting__state="applied")
        simulated = awards.filter(decision__simulated=True)
        payments = Payment.objects.filter(city=city, state="applied").annotate(
            left=F("amount") - F("cancelled")
        ).filter(left__gt=0)  # fmt: skip
        counted: dict[str, int] = {}
        for one in series:
            counted[one.source] = counted.get(one.source, 0) + 1
        return Totals(
            series=Figure(
                len(series), _newest(p.received_at for p in newest.values()), len(newest)
            ),
            energy_wh=_sum((r.energy_wh, r.created_at) for r in runs.values()),
            claimed_t=_sum((c.co2e_t, c.created_at) for c in claims),
            verified_t=_sum((m.co2e_t, m.decided_at) for m in approved),
            issued=_sum((Decimal(b.tonnes), b.created_at) for b in batches),
            retired=_sum((Decimal(r.tonnes), r.created_at) for r in retirements),
            sold=_sum((Decimal(s.tonnes), s.created_at) for s in sales),
            sold_krw=_sum((Decimal(s.amount_krw), s.created_at) for s in sales),
            points=_rows(awards, "points", "posting__changed_at"),
            points_simulated=_rows(simulated, "points", "posting__changed_at"),
            points_today=_rows(
                awards.filter(posting__changed_at__gte=today), "points", "posting__changed_at"
            ),
            paid_krw=_rows(payments, "left", "decided_at"),
            paid_today_krw=_rows(payments.filter(decided_at__gte=today), "left", "decided_at"),
            paid_mixed=payments.filter(citizen__in=simulated.values("person")).exists(),
            sources=tuple(sorted(counted.items())),
        )


def _newest(instants: Iterable[datetime | None]) -> datetime | None:
    return max((i for i in instants if i is not None), default=None)


def _sum(pairs: Iterable[tuple[Decimal, datetime | None]]) -> Figure:
    pairs = list(pairs)
    amount = sum((amount for amount, _ in pairs), Decimal(0))
    return Figure(amount, _newest(at for _, at in pairs), len(pairs))


def _rows(rows: "QuerySet[Award] | QuerySet[Payment]", amount: str, at: str) -> Figure:
    found = rows.aggregate(total=Sum(amount), newest=Max(at), count=Count("pk"))
    return Figure(found["total"] or 0, found["newest"], found["count"])
