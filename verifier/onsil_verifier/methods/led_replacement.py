"""led-replacement 1: lamps' power before less after, times the hours they were lit."""

from datetime import date
from decimal import Decimal
from typing import Any

from onsil_verifier.electricity import calibration_over, of_energy
from onsil_verifier.given import Given
from onsil_verifier.rows import (
    Days,
    Row,
    day,
    days,
    judge,
    legal_duty,
    line,
    number,
    something_saved,
    total,
)
from onsil_verifier.uncertainty import FACTOR_NOTE, component, stated


def lamps(given: Given) -> dict[str, Any]:
    legal_duty(given)
    within = days(given)
    judged = judge(given.tables["fixtures"], lambda row: _reason(given, row, within))
    kept = 1 - given.number("interactive_pct") / 100
    saved = {row["id"]: _saved(row, within) * kept for row in judged.used}
    out = of_energy(given, total(saved.values()))
    something_saved(out.tonnes)
    by_basis: dict[str, Decimal] = {}
    for basis in ("stipulated", "logged", "metered"):
        wh = total(saved[row["id"]] for row in judged.used if row["hours_basis"] == basis)
        if wh:
            by_basis[basis] = wh
    components = [
        component(
            f"sampling:fixtures:{basis} hours", of_energy(given, wh).tonnes,
            given.number(
                "stipulated_uncertainty_pct"
                if basis == "stipulated"
                else "measured_uncertainty_pct"
            ),
            ko="점등 시간", en=f"Hours lit, {basis}",
        )
        for basis, wh in by_basis.items()
    ]  # fmt: skip
    return {
        "co2e_t": out.tonnes,
        "gases_kg": out.gases,
        "lines": [line(name, "electricity-saved", wh, "Wh") for name, wh in saved.items()],
        "uncertainty": stated(out.tonnes, components, note=FACTOR_NOTE),
        "coverage": {"fixtures": judged.coverage()},
        "details": {"saved_wh_by_hours_basis": by_basis},
    }


def _lit(row: Row) -> Decimal | None:
    """Hours: as stated, or those that the metered energy makes at full power."""
    if row["hours_basis"] == "metered":
        if "metered_kwh" not in row or number(row, "after_w").is_zero():
            return None
        return number(row, "metered_kwh") * 1000 / (number(row, "after_w") * number(row, "count"))
    return number(row, "hours") if "hours" in row else None


def _ends(row: Row) -> date | None:
    return day(row, "old_life_ends") if "old_life_ends" in row else None


def _reason(given: Given, row: Row, within: Days) -> str | None:
    since, lit, ends = within.within(day(row, "installed"), None), _lit(row), _ends(row)
    if not number(row, "after_w") < number(row, "before_w"):
        return "not-less-power"
    if since == 0:
        return "installed-later"
    if row["hours_basis"] == "metered" and calibration_over(given, row):
        return "out-of-calibration"
    if lit is None:
        return "hours-missing"
    if lit > 24 * since:
        return "hours-impossible"
    if ends is not None and ends < within.end and "standard_w" not in row:
        return "standard-power-missing"
    return None


def _saved(row: Row, within: Days) -> Decimal:
    """Wh, the hours spread evenly over the days since installation."""
    installed, lit = day(row, "installed"), _lit(row)
    assert lit is not None
    since, early = within.within(installed, None), within.within(installed, _ends(row))
    hours = number(row, "count") * lit
    before, after = number(row, "before_w"), number(row, "after_w")
    wh = hours * early * (before - after)
    if since > early:
        standard = min(before, number(row, "standard_w"))
        wh += hours * (since - early) * max(standard - after, Decimal(0))
    return wh / since


METHODS = {("led-replacement", "1"): lamps}
