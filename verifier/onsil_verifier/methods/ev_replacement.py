"""ev-replacement 1: kilometres of a combustion car not driven, less the charging's emissions."""

from decimal import Decimal
from typing import Any

from onsil_verifier.electricity import calibration_over, of_energy
from onsil_verifier.factors import emitted_co2
from onsil_verifier.given import Given
from onsil_verifier.methods import Refused
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
from onsil_verifier.uncertainty import component, stated

_NOTE = "Neither the baseline's nor the factor's publisher states an uncertainty."
Trips = dict[str, dict[str, Decimal]]


def vehicles(given: Given) -> dict[str, Any]:
    legal_duty(given)
    trips = _trips(given)
    judged = judge(given.tables["vehicles"], lambda row: _reason(given, row, trips))
    before = after = energy = Decimal(0)
    lines = []
    for row in judged.used:
        km, wh = _km(row, trips), _kwh(given, row) * 1000
        assert km is not None
        before += emitted_co2(km, "km", given.factors[row["vehicle_class"]]).tonnes
        after += of_energy(given, wh).tonnes
        energy += wh
        by_day = trips.get(row["id"])
        if by_day is not None and total(by_day.values()) != km:
            by_day = None
        lines.append(line(row["id"], "vehicle-km", km, "km", by_day))
    something_saved(before - after)
    components = [
        component(
            "sampling:vehicles:distance", before, given.number("distance_uncertainty_pct"),
            ko="주행거리", en="Distance",
        ),
        component(
            "sampling:vehicles:charging", -after, given.number("charging_uncertainty_pct"),
            ko="충전량", en="Charging",
        ),
    ]  # fmt: skip
    return {
        "co2e_t": before - after,
        "gases_kg": None,
        "lines": lines,
        "uncertainty": stated(before - after, components, note=_NOTE),
        "coverage": {"vehicles": judged.coverage()},
        "details": {"baseline_t": before, "project_t": after, "energy_wh": energy},
    }


def _trips(given: Given) -> Trips:
    """km by vehicle and day within the period."""
    names = {row["id"] for row in given.tables["vehicles"]}
    found: Trips = {}
    for row in given.tables.get("trips", []):
        if row["vehicle"] not in names:
            raise Refused("unknown-vehicle")
        if days(given).holds(day(row, "day")):
            of_vehicle = found.setdefault(row["vehicle"], {})
            of_vehicle.setdefault(row["day"], Decimal(0))
            of_vehicle[row["day"]] += number(row, "distance_km")
    return found


def _km(row: Row, trips: Trips) -> Decimal | None:
    if {"odometer_start_km", "odometer_end_km"} <= row.keys():
        return number(row, "odometer_end_km") - number(row, "odometer_start_km")
    return total(trips[row["id"]].values()) if row["id"] in trips else None


def _kwh(given: Given, row: Row) -> Decimal:
    """From the grid: what the car itself metered gets the charging's loss added."""
    charged = number(row, "charged_kwh")
    if row["metered_at"] == "vehicle":
        return charged * (1 + given.number("charging_loss_pct") / 100)
    return charged


def _reason(given: Given, row: Row, trips: Trips) -> str | None:
    since, km = days(given).within(day(row, "since"), None), _km(row, trips)
    if not row["replaced"]:
        return "nothing-replaced"
    if since == 0:
        return "not-in-period"
    if km is None:
        return "distance-missing"
    if "charged_kwh" not in row:
        return "charging-missing"
    if km < 0:
        return "odometer-ran-back"
    if total(trips.get(row["id"], {}).values()) > km:
        return "trips-exceed-odometer"
    if km > since * given.number("km_per_day_max"):
        return "distance-impossible"
    if calibration_over(given, row):
        return "out-of-calibration"
    kwh = _kwh(given, row)
    return None if kwh and 2 <= km / kwh <= 12 else "efficiency-implausible"


METHODS = {("ev-replacement", "1"): vehicles}
