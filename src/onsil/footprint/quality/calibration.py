"""Whether every counted day of a meter lay under a valid calibration certificate. Pure but one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_UP, Decimal, localcontext

from onsil.core.canonical import decimal_text
from onsil.core.database import Connection
from onsil.core.periods import Period
from onsil.footprint.engine import ARITHMETIC
from onsil.footprint.quality.findings import Finding
from onsil.footprint.store import rows as select

_DAY = timedelta(days=1)
_FOREVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Certificate:
    """A certificate: valid in [start, end)."""

    start: datetime
    end: datetime
    name: str


def certificates(
    conn: Connection, city: str, meters: Sequence[str], zone: str
) -> dict[str, list[Certificate]]:
    """The certificates on record for these meters, by time."""
    found = select(
        conn,
        "SELECT meter, period, certificate FROM footprint_certificates(%s, %s, %s)",
        (city, list(meters), zone),
    )
    made: dict[str, list[Certificate]] = {}
    for row in found:
        period = row["period"]
        made.setdefault(row["meter"], []).append(
            Certificate(period.lower, period.upper or _FOREVER, row["certificate"])
        )
    return {meter: sorted(held, key=lambda c: c.start) for meter, held in made.items()}


def lapses(period: Period, held: Sequence[Certificate]) -> list[Period]:
    """The stretches of a period under no certificate."""
    found: list[Period] = []
    at = period.start
    for one in sorted(held, key=lambda c: c.start):
        if one.start > at:
            found.append(Period(at, min(one.start, period.end)))
        at = max(at, one.end)
        if at >= period.end:
            return found
    return [*found, Period(at, period.end)]


def calibrated(
    period: Period, held: Mapping[str, Sequence[Certificate]], meters: Mapping[str, Decimal]
) -> list[Finding]:
    """Findings about the calibration of meters in a period; `meters` with their errors in %.

    A lapse that a later calibration ended takes the meter's greatest permissible error off the
    amount, in proportion to the time: after the CDM Executive Board's guidelines for assessing
    compliance with the calibration frequency requirements (EB 52, annex 60), which apply that
    error to what was measured between the two calibrations. A lapse that nothing ended blocks.
    """
    found: list[Finding] = []
    for meter, error_pct in sorted(meters.items()):
        known = list(held.get(meter, ()))
        if not known:
            found.append(Finding("calibration-unknown", "note", meter))
            continue
        gone = lapses(period, known)
        if not gone:
            continue
        length = sum((one.length for one in gone), timedelta(0))
        facts = {
            "days": -(-length // _DAY), "since": gone[0].start.isoformat(),
            "certificates": [one.name for one in known],
        }  # fmt: skip
        if any(one.start >= gone[-1].start for one in known):
            with localcontext(ARITHMETIC):
                share = Decimal(int(length.total_seconds())) / Decimal(
                    int(period.length.total_seconds())
                )
                deduct = (error_pct * share).quantize(Decimal("0.0001"), ROUND_UP)
            facts["deduct_pct"] = decimal_text(deduct)
            found.append(Finding("calibration-delayed", "discount", meter, facts))
        else:
            found.append(Finding("calibration-lapsed", "blocking", meter, facts))
    return found
