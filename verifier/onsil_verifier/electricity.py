"""What methodologies of metered electricity share: emissions of Wh, and calibration."""

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from onsil_verifier.arithmetic import Grid, emission
from onsil_verifier.factors import Emitted, emitted
from onsil_verifier.given import Given
from onsil_verifier.rows import Row, day, days, midnight


def of_energy(given: Given, wh: Decimal, commodity: str = "electricity") -> Emitted:
    """What an energy emits that already has the factor's calorific basis."""
    factor: dict[str, Any] = given.factors[commodity]
    if factor.get("per", "MWh") == "MWh":
        return Emitted(*emission(wh / 1_000_000, factor, given.gwp_set))
    return emitted(wh, "Wh", factor, given.gwp_set, factor["energy_basis"])


def leave_out_uncalibrated(given: Given, grid: Grid, named: str = "calibrated_until") -> None:
    """What was metered from the day on which the calibration has ended."""
    until = given.parameters.get(named)
    if until is None:
        return
    ended = midnight(given, date.fromisoformat(until))
    for place, value in enumerate(grid.values):
        if value is not None and grid.start + place * timedelta(seconds=grid.step_s) >= ended:
            grid.exclude(place, "out-of-calibration")


def calibration_over(given: Given, row: Row) -> bool:
    """Whether a row's meter loses its calibration before the period ends."""
    return "calibrated_until" in row and day(row, "calibrated_until") < days(given).end


def known(values: Iterable[Decimal | None]) -> list[Decimal]:
    return [one for one in values if one is not None]
