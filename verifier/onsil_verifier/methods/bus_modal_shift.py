"""bus-modal-shift 1: what passengers would have driven otherwise, less what the buses emit."""

from decimal import Decimal
from typing import Any

from onsil_verifier.electricity import of_energy
from onsil_verifier.factors import emitted, emitted_co2
from onsil_verifier.given import Given
from onsil_verifier.methods import Refused
from onsil_verifier.rows import Days, Row, day, days, judge, line, number, something_saved, total
from onsil_verifier.uncertainty import stated, surveyed

_NOTE = "The baseline's publisher states no uncertainty; occupancy is taken as stated."
_FUELS = {"diesel_l": "diesel", "charged_kwh": "electricity"}


def rides(given: Given) -> dict[str, Any]:
    _survey(given)
    _service(given)
    within = days(given)
    judged = judge(given.tables["rides"], lambda row: _reason(given, row, within))
    pkm = total(number(row, "passenger_km") for row in judged.used)
    share = tonnes = Decimal(0)
    for row in _motor(given):
        part = number(row, "share_pct") / 100
        a_km = emitted_co2(Decimal(1), "km", given.factors[row["mode"]]).tonnes
        share, tonnes = share + part, tonnes + part * a_km / number(row, "occupancy")
    before, service = pkm * tonnes, pkm * _a_passenger_km(given)
    net = before - service
    something_saved(net)
    sources = [
        surveyed(
            "sampling:survey:mode replaced", before, share, given.number("survey_sample"),
            "대체 수단 조사", "Survey of modes",
        )
    ]  # fmt: skip
    return {
        "co2e_t": net,
        "gases_kg": None,
        "lines": [
            line(
                row["id"], "passenger-km", number(row, "passenger_km"), "km",
                {row["day"]: number(row, "passenger_km")},
            )
            for row in judged.used
        ],
        "uncertainty": stated(net, sources, note=_NOTE),
        "coverage": {"rides": judged.coverage()},
        "details": {
            "baseline_t": before, "service_t": service, "share_from_cars": share,
            "passenger_km": pkm,
        },
    }  # fmt: skip


def _motor(given: Given) -> list[Row]:
    """The modes of the survey that emit."""
    return [row for row in given.tables["survey"] if row["mode"] == "car"]


def _survey(given: Given) -> None:
    survey = given.tables["survey"]
    whole = total(number(row, "share_pct") for row in survey) == 100
    once = len({row["mode"] for row in survey}) == len(survey)
    motor = _motor(given)
    occupied = all("occupancy" in row for row in motor)
    some = any(number(row, "share_pct") > 0 for row in motor)
    if not (whole and once and occupied and some):
        raise Refused("survey-incomplete")


def _service(given: Given) -> None:
    for row in given.tables["service"]:
        used = [commodity for column, commodity in _FUELS.items() if column in row]
        if not used:
            raise Refused("service-fuel-unknown")
        if not given.factors.keys() >= {*used}:
            raise Refused("factor-missing")


def _reason(given: Given, row: Row, within: Days) -> str | None:
    if row["evidence"] not in ("card", "server"):
        return "not-evidenced"
    if not within.holds(day(row, "day")):
        return "outside-period"
    if "passenger_km" not in row:
        return "distance-missing"
    most = number(row, "rides") * given.number("trip_km_max")
    return "distance-impossible" if number(row, "passenger_km") > most else None


def _a_passenger_km(given: Given) -> Decimal:
    tonnes = Decimal(0)
    for row in given.tables["service"]:
        if "diesel_l" in row:
            fuel = number(row, "diesel_l")
            tonnes += emitted(fuel, "L", given.factors["diesel"], given.gwp_set).tonnes
        if "charged_kwh" in row:
            tonnes += of_energy(given, number(row, "charged_kwh") * 1000).tonnes
    return tonnes / total(number(row, "passenger_km") for row in given.tables["service"])


METHODS = {("bus-modal-shift", "1"): rides}
