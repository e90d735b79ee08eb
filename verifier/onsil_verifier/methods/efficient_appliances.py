"""efficient-appliances 1: yearly use of the old less that of the new, over the days in use."""

from decimal import Decimal
from typing import Any

from onsil_verifier.electricity import calibration_over, of_energy
from onsil_verifier.given import Given
from onsil_verifier.rows import (
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
from onsil_verifier.uncertainty import FACTOR_NOTE, component, stated, surveyed


def appliances(given: Given) -> dict[str, Any]:
    legal_duty(given)
    judged = judge(given.tables["appliances"], lambda row: _reason(given, row))
    saved = {row["id"]: _saved(given, row) for row in judged.used}
    out = of_energy(given, total(saved.values()))
    something_saved(out.tonnes)
    metered = [row for row in judged.used if "metered_kwh" in row]
    seen = [row for row in judged.used if row.get("in_service")]
    return {
        "co2e_t": out.tonnes,
        "gases_kg": out.gases,
        "lines": [line(name, "electricity-saved", wh, "Wh") for name, wh in saved.items()],
        "uncertainty": stated(out.tonnes, _sources(given, judged.used, saved), note=FACTOR_NOTE),
        "coverage": {"appliances": judged.coverage()},
        "details": {"rows_metered": len(metered), "rows_seen_in_service": len(seen)},
    }


def _sources(given: Given, used: list[Row], saved: dict[str, Decimal]) -> list[dict[str, Any]]:
    def tonnes(*, metered: bool) -> Decimal:
        return of_energy(
            given, total(saved[row["id"]] for row in used if ("metered_kwh" in row) == metered)
        ).tonnes

    found = []
    for kind, ko, which in (("metered", "계량한", True), ("rated", "표시", False)):
        part = tonnes(metered=which)
        if part:
            found.append(
                component(
                    f"sampling:appliances:{kind} use", part,
                    given.number(f"{kind}_uncertainty_pct"),
                    ko=f"{ko} 사용량", en=f"{kind.capitalize()} use",
                )
            )  # fmt: skip
    unseen = of_energy(given, total(saved[row["id"]] for row in used if not row.get("in_service")))
    if unseen.tonnes:
        found.append(
            surveyed(
                "sampling:appliances:in service", unseen.tonnes,
                given.number("in_service_pct") / 100, given.number("in_service_sample"),
                "사용률 표본", "In-service sample",
            )
        )  # fmt: skip
    return found


def _a_year(row: Row) -> Decimal | None:
    """kWh a year of the new one: metered before rated."""
    if "metered_kwh" not in row:
        return number(row, "rated_kwh_per_year") if "rated_kwh_per_year" in row else None
    if "metered_days" not in row:
        return None
    return number(row, "metered_kwh") * 365 / number(row, "metered_days")


def _in_use(given: Given, row: Row) -> int:
    until = day(row, "life_ends") if "life_ends" in row else None
    return days(given).within(day(row, "installed"), until)


def _reason(given: Given, row: Row) -> str | None:
    new = _a_year(row)
    if not row["old_scrapped"]:
        return "old-not-scrapped"
    if row.get("in_service", True) is False:
        return "not-in-service"
    if _in_use(given, row) == 0:
        return "not-in-period"
    if new is None:
        return "project-use-missing"
    if "metered_kwh" in row and calibration_over(given, row):
        return "out-of-calibration"
    return None if new < number(row, "baseline_kwh_per_year") else "not-less-use"


def _saved(given: Given, row: Row) -> Decimal:
    new = _a_year(row)
    assert new is not None
    share = Decimal(1) if row.get("in_service") else given.number("in_service_pct") / 100
    share *= 1 - given.number("rebound_pct") / 100
    less = number(row, "baseline_kwh_per_year") - new
    return less * 1000 * _in_use(given, row) * share / 365


METHODS = {("efficient-appliances", "1"): appliances}
