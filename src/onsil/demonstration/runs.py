"""More runs on measured readings: an office's savings, done again after late readings, and a plant
that feeds the grid; with claims, and with second claims that are really asked for and refused."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

from onsil import footprint
from onsil.core.clock import SystemClock
from onsil.core.periods import local_days, local_year
from onsil.core.refusal import Refusal
from onsil.demonstration import shipped
from onsil.demonstration.loop import Quantified, granted
from onsil.demonstration.shipped import SOLAR_KW, MoreSeries
from onsil.footprint.claims import refused_attempts
from onsil.tenancy import current_city, transaction

CLOCK = SystemClock()
YEAR = 2025
OFFICE, GRID_SOLAR = "building-energy-savings", "grid-solar"
_BASELINE = ("2023-03-02", "2024-03-01")


@dataclass(frozen=True)
class MoreRuns:
    """The office's year as first quantified and as corrected, and the plant's summer."""

    first: footprint.Run
    office: footprint.Run
    solar: footprint.Run

    def all(self) -> list[footprint.Run]:
        return [self.first, self.office, self.solar]


def quantify(series: MoreSeries, folder: Path, zone: ZoneInfo, actor: str) -> MoreRuns:
    """Quantify the office without and, once they have come, with its late readings; and the plant.

    Raises DemonstrationFailed when something is refused.
    """
    first, corrected = office(series, folder, zone, actor)
    return MoreRuns(first, corrected, _plant(series, zone, actor))


def office(
    series: MoreSeries, folder: Path, zone: ZoneInfo, actor: str
) -> tuple[footprint.Run, footprint.Run]:
    """The office's year before and after its late readings came; again, the runs there are."""
    if not shipped.late_delivered(series):
        _office(series, zone, actor)
        shipped.deliver_late(series, folder)
    corrected = _office(series, zone, actor)
    return _superseded(corrected), corrected


def _office(series: MoreSeries, zone: ZoneInfo, actor: str) -> footprint.Run:
    """The office's savings of 2025 by time of week and temperature, as the published study did."""
    with transaction() as tx:
        return granted(footprint.quantify(
            tx, current_city(), OFFICE,
            {"electricity": series.office_electricity, "temperature": series.office_temperature},
            {"baseline_start": _BASELINE[0], "baseline_end": _BASELINE[1],
             "resolution": "daily", "model_electricity": "TOWT", "solar_added": False},
            local_year(YEAR, zone),
            footprint.FactorAuthority("kr-offset", "kr-grid-2018", "consumption", "SAR"),
            actor, CLOCK, zone=zone,
        ))  # fmt: skip


def _superseded(corrected: footprint.Run) -> footprint.Run:
    """The run of the same year that the corrected one took the place of."""
    meters = {line.meter for line in corrected.lines}
    with transaction() as tx:
        every = footprint.runs(tx, current_city(), limit=1_000)
    earlier = [
        one for one in every
        if one.methodology == corrected.methodology and one.period == corrected.period
        and one.id != corrected.id and {line.meter for line in one.lines} == meters
    ]  # fmt: skip
    return min(earlier, key=lambda one: one.created_at, default=corrected)


def _plant(series: MoreSeries, zone: ZoneInfo, actor: str) -> footprint.Run:
    with transaction() as tx:
        return granted(footprint.quantify(
            tx, current_city(), GRID_SOLAR,
            {"generation": series.solar, "import": series.solar_import},
            {"capacity_kw": str(SOLAR_KW), "commissioned": "2025-07-01", "no_import": False,
             "displaced_at": "generation"},
            local_days(date(YEAR, 7, 2), date(YEAR, 10, 1), zone),
            footprint.FactorAuthority("voluntary", "kr-grid-2021", "generation", "AR5"),
            actor, CLOCK, zone=zone,
        ))  # fmt: skip


def claim(runs: MoreRuns, actor: str) -> list[footprint.Claim]:
    """The office for the compliance project, the plant for the voluntary market."""
    with transaction() as tx:
        return [
            granted(footprint.claim(tx, current_city(), run.id, programme, actor=actor))
            for run, programme in ((runs.office, "kr-offset"), (runs.solar, "voluntary"))
        ]


def claimed_again(runs: MoreRuns, before: Quantified, actor: str) -> list[str]:
    """Ask for what is held already, for another programme; who was let through, in words.

    The refused attempts stay in the claims' journal: the same green kilowatt-hours as certificates,
    the superseded run beside its correction, a citizen's savings as offsets, and the reverse.
    """
    asked = (
        (runs.solar, "kr-rec"),
        (runs.first, "voluntary"),
        (before.homes[0], "kr-offset"),
        (before.solar, "voluntary"),
    )
    with transaction() as tx:
        return [
            f"{run.methodology} was claimed a second time, for {programme}"
            for run, programme in asked
            if not isinstance(
                footprint.claim(tx, current_city(), run.id, programme, actor=actor), Refusal
            )
        ]


def attempts_kept(runs: Iterable[footprint.Run]) -> int:
    """How many refused attempts on these runs the journal holds."""
    wanted = {run.id for run in runs}
    with transaction() as tx:
        kept = refused_attempts(tx, current_city())
    return sum(one.run_id in wanted for one in kept)
