"""grid-solar 1: what a plant sent out less what it took, times the grid's factor."""

from datetime import date
from decimal import Decimal
from typing import Any

from onsil_verifier.arithmetic import Grid, energy_grid, require
from onsil_verifier.electricity import known, leave_out_uncalibrated, of_energy
from onsil_verifier.given import Given
from onsil_verifier.methods import Refused
from onsil_verifier.rows import legal_duty, line, something_saved, total
from onsil_verifier.uncertainty import FACTOR_NOTE, component, stated


def grid_solar(given: Given) -> dict[str, Any]:
    stated_as = given.parameters["displaced_at"]
    if given.start.astimezone(given.zone).date() < date.fromisoformat(
        given.parameters["commissioned"]
    ):
        raise Refused("before-commissioning")
    if given.factors["electricity"]["boundary"] != stated_as:
        raise Refused("factor-boundary-differs")
    if not ("import" in given.series or given.parameters["no_import"]):
        raise Refused("import-unknown")
    legal_duty(given)
    grids = {
        role: _metered(given, role) for role in ("generation", "import") if role in given.series
    }
    sent = grids["generation"]
    generated, taken, filled = sent.total(), Decimal(0), 0
    if "import" in grids:
        each = known(grids["import"].values)
        filled = len(grids["import"].values) - len(each)
        taken = total(each) + filled * (max(each) if each else Decimal(0))
    out = of_energy(given, generated - taken)
    something_saved(out.tonnes)
    meter = given.series["generation"].meter
    parts = None if taken else sent.by_day()
    return {
        "co2e_t": out.tonnes,
        "gases_kg": out.gases,
        "lines": [line(meter, "solar-generation", generated - taken, "Wh", parts)],
        "uncertainty": stated(
            out.tonnes,
            [
                component(
                    f"meter:{meter}", out.tonnes, given.number("meter_uncertainty_pct"),
                    ko="전력량계", en="Electricity meter",
                )
            ],
            note=FACTOR_NOTE,
        ),
        "coverage": {role: grid.coverage() for role, grid in grids.items()},
        "details": {
            "generated_wh": generated, "imported_wh": taken, "import_intervals_filled": filled,
            "displaced_at": stated_as,
        },
    }  # fmt: skip


def _metered(given: Given, role: str) -> Grid:
    grid = energy_grid(given, given.series[role])
    most = given.number("capacity_kw") * 1000 * (Decimal(grid.step_s) / 3600) * Decimal("1.1")
    for place, value in enumerate(grid.values):
        if value is not None and not 0 <= value <= most:
            grid.exclude(place, "negative" if value < 0 else "above-capacity")
    leave_out_uncalibrated(given, grid)
    require(grid.coverage(), given.number("coverage_min_pct"))
    return grid


METHODS = {("grid-solar", "1"): grid_solar}
