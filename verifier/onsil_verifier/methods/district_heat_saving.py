"""district-heat-saving 1: heat that the baseline's weather model expects, less what was metered."""

from decimal import Decimal
from typing import Any

from onsil_verifier.building import carrier_of, check_baseline
from onsil_verifier.factors import Emitted, emitted
from onsil_verifier.given import Given
from onsil_verifier.methods import NotMeasurable, Refused
from onsil_verifier.rows import days, legal_duty, line
from onsil_verifier.savings import measured
from onsil_verifier.uncertainty import component, stated, width

_NOTE = "The factor's publisher states no uncertainty; its versions differ by 2.3 times."


def heat(given: Given) -> dict[str, Any] | NotMeasurable:
    factor, meter = given.factors["district-heat"], given.series["heat"].meter
    check_baseline(given)
    if given.parameters["heated_area_changed"]:
        raise Refused("area-changed")
    if factor["energy_basis"] is not None:
        raise Refused("heat-is-no-fuel")
    legal_duty(given)
    one = carrier_of(given, "heat")
    months = max(1, round(days(given).count * 12 / 365))
    found = measured(given.parameters["model"], "daily", one.before, one.months, one.after, months)
    if isinstance(found, NotMeasurable):
        return found
    if found.finding is not None:
        return found.finding

    def tonnes(wh: Decimal | None) -> Emitted:
        return emitted(wh or Decimal(0), "Wh", factor, given.gwp_set)

    saved = tonnes(found.wh)
    sources = [
        width(
            f"model:{meter}:heat", tonnes(found.width_wh).tonnes, confidence_pct=68,
            ko="기준 모형", en="Baseline model",
        ),
        component(
            f"meter:{meter}", saved.tonnes, given.number("meter_uncertainty_pct"),
            ko="열량계", en="Heat meter",
        ),
    ]  # fmt: skip
    return {
        "co2e_t": saved.tonnes,
        "gases_kg": saved.gases,
        "lines": [line(meter, "heat-saved", found.wh, "Wh")],
        "uncertainty": stated(saved.tonnes, sources, note=_NOTE),
        "coverage": {"heat": one.coverage},
        "details": {
            "model": found.model.kind, "factor": factor["id"],
            "saved_gj": found.wh * 3600 / 1_000_000_000,
            "adjusted_baseline_wh": found.expected_wh, "metered_wh": found.used_wh,
            "savings_pct": found.percent, "judged_cvrmse_pct": found.judged.cvrmse,
            "judged_nmbe_pct": found.judged.nmbe, "uncertainty_pct": found.width_pct,
        },
    }  # fmt: skip


METHODS = {("district-heat-saving", "1"): heat}
