"""building-energy-savings 1 and 2: what a building's baseline expects less what it used."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from onsil_verifier.arithmetic import energy_grid
from onsil_verifier.building import Carrier, baseline_days, begin, carrier_of, check_baseline
from onsil_verifier.electricity import of_energy
from onsil_verifier.factors import add_gases
from onsil_verifier.given import Given, Series
from onsil_verifier.methods import NotMeasurable, Refused
from onsil_verifier.rows import Row, day, days, judge, legal_duty, line, number, total
from onsil_verifier.savings import LIMITS, Saving, measured
from onsil_verifier.uncertainty import stated, width

_NOTE = "Carriers' models are taken as independent; factors add none stated."
_COMMODITIES = {"electricity": "electricity", "gas": "city-gas"}


def version_1(given: Given) -> dict[str, Any] | NotMeasurable:
    _check(given)
    found: dict[str, tuple[Carrier, Saving]] = {}
    for name in _COMMODITIES:
        if name in given.series:
            one = _carrier(given, name)
            saving = _saving(given, name, one)
            if isinstance(saving, NotMeasurable):
                return saving
            found[name] = one, saving
    return _outputs(given, found)


def _check(given: Given) -> None:
    if not _COMMODITIES.keys() & given.series.keys():
        raise Refused("no-carrier")
    check_baseline(given)
    if given.parameters["solar_added"] and not given.series.keys() >= {"generation", "export"}:
        raise Refused("solar-not-metered")
    if "gas" in given.series and given.parameters.get("gas_energy_basis") is None:
        raise Refused("gas-basis-unknown")


def _carrier(given: Given, name: str) -> Carrier:
    return carrier_of(
        given, name, hourly=given.parameters["resolution"] == "hourly",
        solar=name == "electricity" and given.parameters["solar_added"],
    )  # fmt: skip


def _saving(given: Given, name: str, one: Carrier) -> Saving | NotMeasurable:
    months = float(Decimal((given.end - given.start).days) / Decimal("30.4375"))
    found = measured(
        given.parameters[f"model_{name}"], given.parameters["resolution"],
        one.before, one.months, one.after, months,
    )  # fmt: skip
    if isinstance(found, Saving):
        if found.fits:
            return found
        assert found.finding is not None
        found = found.finding
    return NotMeasurable(found.ko, found.en, {**found.facts, "carrier": name})


def _net_share(given: Given, name: str) -> Decimal:
    """Net of a gross calorific value, where the gas meter counts gross."""
    if name == "electricity" or given.parameters["gas_energy_basis"] == "ncv":
        return Decimal(1)
    factor = given.factors["city-gas"]
    held = factor.get("heating") or {}
    net = held.get("ncv_mj", factor.get("ncv_mj_per_nm3"))
    gross = held.get("gcv_mj", factor.get("gcv_mj_per_nm3"))
    if net is None or gross is None:
        raise Refused("heating-value-unknown")
    return Decimal(net) / Decimal(gross)


def _outputs(
    given: Given, found: dict[str, tuple[Carrier, Saving]]
) -> dict[str, Any] | NotMeasurable:
    tonnes = squares = Decimal(0)
    gases: dict[str, Decimal] | None = {gas: Decimal(0) for gas in ("co2", "ch4", "n2o")}
    lines: list[Row] = []
    carriers = {}
    for name, (_, one) in found.items():
        share, commodity = _net_share(given, name), _COMMODITIES[name]
        # A rise always counts; a saving only where it is proven.
        counted = one.wh if one.wh < 0 or one.finding is None else Decimal(0)
        out = of_energy(given, counted * share, commodity)
        tonnes, gases = tonnes + out.tonnes, add_gases(gases, out.gases)
        if counted > 0:
            lines.append(line(given.series[name].meter, f"{name}-saved", counted, "Wh"))
        if counted:
            spread = of_energy(given, (one.width_wh or Decimal(0)) * share, commodity).tonnes
            squares += spread * spread
        carriers[name] = _details(one, counted, out.tonnes)
    coverage = {name: one.coverage for name, (one, _) in found.items()}
    if tonnes <= 0:
        first = next(one.finding for _, one in found.values() if one.finding is not None)
        return NotMeasurable(first.ko, first.en, {"carriers": carriers, "coverage": coverage})
    half = squares.sqrt()
    return {
        "co2e_t": tonnes,
        "gases_kg": gases,
        "lines": lines,
        "uncertainty": {
            "confidence_pct": Decimal(68), "half_width_t": half,
            "relative_pct": (100 * half / tonnes).quantize(Decimal("0.01")),
            "sources": ["baseline model"], "note": _NOTE,
        },
        "coverage": coverage,
        "details": {"carriers": carriers},
    }  # fmt: skip


def _details(one: Saving, counted: Decimal, tonnes: Decimal) -> dict[str, Any]:
    limits = LIMITS[one.judged_at]
    return {
        "model": one.model.kind,
        "bends_c": [Decimal(repr(round(bend, 4))) for bend in one.model.bends],
        "parameters": one.model.parameters, "baseline_intervals": one.fitness.intervals,
        "r_squared": one.fitness.r_squared, "cvrmse_pct": one.fitness.cvrmse,
        "nmbe_pct": one.fitness.nmbe, "judged_at": one.judged_at,
        "judged_cvrmse_pct": one.judged.cvrmse, "judged_cvrmse_limit_pct": limits[0],
        "judged_nmbe_pct": one.judged.nmbe, "judged_nmbe_limit_pct": limits[1],
        "residual_correlation": one.correlation,
        "adjusted_baseline_wh": one.expected_wh, "metered_wh": one.used_wh,
        "savings_wh": one.wh, "savings_pct": one.percent,
        "uncertainty_pct": one.width_pct, "uncertainty_wh": one.width_wh,
        "counted_wh": counted, "co2e_t": tonnes,
        "finding_ko": one.finding.ko if one.finding else "",
        "finding_en": one.finding.en if one.finding else "",
    }  # fmt: skip


def version_2(given: Given) -> dict[str, Any] | NotMeasurable:
    """Version 1 on use without what was not routine."""
    legal_duty(given)
    added, events = given.parameters["ev_added"], given.tables.get("non_routine", [])
    if added and "ev_charging" not in given.series:
        raise Refused("ev-not-metered")
    if not all("change_kwh" in row for row in events):
        raise Refused("event-unmeasured")
    judged = judge(events, lambda row: _reason(given, row), some=False)
    series = dict(given.series)
    for name in _COMMODITIES.keys() & series.keys():
        own = [row for row in judged.used if row["carrier"] == name]
        charged = added and name == "electricity"
        if own or charged:
            series[name] = _routine(given, name, own, charged=charged)
    found = version_1(replace(given, series=series))
    if isinstance(found, NotMeasurable):
        return found
    sources = [
        width(
            f"model:{given.series[name].meter}:{name}",
            (one["co2e_t"] / one["counted_wh"]).copy_abs() * (one["uncertainty_wh"] or Decimal(0)),
            confidence_pct=68, ko="기준 모형", en=f"Baseline model of {name}",
        )
        for name, one in found["details"]["carriers"].items()
        if one["counted_wh"]
    ]  # fmt: skip
    found["uncertainty"] = stated(found["co2e_t"], sources, confidence_pct=68, note=_NOTE)
    found["coverage"]["non_routine"] = judged.coverage()
    changed = total(number(row, "change_kwh") for row in judged.used)
    found["details"]["non_routine_wh"] = changed * 1000
    return found


def _reason(given: Given, row: Row) -> str | None:
    since, until, period = day(row, "since"), day(row, "until"), days(given)
    if not period.first <= since < until <= period.end:
        return "outside-period"
    if row["carrier"] not in given.series:
        return "carrier-not-metered"
    favours = number(row, "change_kwh") > 0 and row["basis"] != "metered"
    return "estimated-in-favour" if favours else None


def _routine(given: Given, name: str, events: list[Row], *, charged: bool) -> Series:
    """A carrier's Wh by interval, each event's change spread evenly over its intervals."""
    start = min(begin(given, baseline_days(given)[0]), given.start)
    grid = energy_grid(replace(given, start=start), given.series[name])
    step, values = timedelta(seconds=grid.step_s), list(grid.values)
    for row in events:
        first = (begin(given, day(row, "since")) - start) // step
        after = (begin(given, day(row, "until")) - start) // step
        each = number(row, "change_kwh") * 1000 / (after - first)
        for place in range(first, min(after, len(values))):
            own = values[place]
            values[place] = None if own is None else own - each
    if charged:
        taken = energy_grid(given, given.series["ev_charging"])
        if taken.step_s != grid.step_s:
            raise Refused("intervals-differ")
        first = (given.start - start) // step
        for place, away in enumerate(taken.values, first):
            own = values[place]
            values[place] = None if own is None or away is None else own - away
    kept = [(start + place * step, one) for place, one in enumerate(values) if one is not None]
    return replace(
        given.series[name], unit="Wh", kind="interval",
        times=[at for at, _ in kept], values=[one for _, one in kept],
    )  # fmt: skip


METHODS = {
    ("building-energy-savings", "1"): version_1,
    ("building-energy-savings", "2"): version_2,
}
