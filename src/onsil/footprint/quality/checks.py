"""Checks of a run by its own documents: completeness, cut-off, plausibility, uncertainty. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal, localcontext
from typing import Any
from zoneinfo import ZoneInfo

from onsil.core.periods import Period
from onsil.footprint.engine import ARITHMETIC
from onsil.footprint.quality.findings import Finding
from onsil.footprint.terms import ActivitySeries

COVERAGE_LOW_PCT = Decimal(95)
CUT_OFF_PCT, NOTHING_PCT = Decimal(30), Decimal(100)

# Tonnes of CO2e per unit that can be: (unit, divisor to it, least, most). Below the least is
# strange, above the most is refused. Electricity: from hydro-rich grids to coal alone (IPCC AR5 WG3
# annex III: 0.82 median for coal); gas: net 0.202 (IPCC 2006 vol. 2 table 2.2), with losses and GCV
# around it; heat: KDHC's published 0.04 to 0.10, boilers 0.3; a tree's year: the highest figure
# listed is 0.0166 t and city trees' mean 0.0254 t, so that 0.1666 t cannot be a year's.
BANDS: Mapping[str, tuple[str, Decimal, Decimal, Decimal]] = {
    "solar-generation": ("MWh", Decimal(1_000_000), Decimal("0.01"), Decimal("1.1")),
    "electricity-saved": ("MWh", Decimal(1_000_000), Decimal("0.01"), Decimal("1.1")),
    "electricity-shifted": ("MWh", Decimal(1_000_000), Decimal(0), Decimal("1.1")),
    "gas-saved": ("MWh", Decimal(1_000_000), Decimal("0.15"), Decimal("0.30")),
    "heat-saved": ("MWh", Decimal(1_000_000), Decimal("0.01"), Decimal("0.50")),
    "tree-year": ("tree-year", Decimal(1), Decimal("0.0001"), Decimal("0.08")),
    "vehicle-km": ("km", Decimal(1), Decimal(0), Decimal("0.0025")),
    "passenger-km": ("km", Decimal(1), Decimal(0), Decimal("0.0005")),
}
_UNITS = {"MWh": ("Wh",), "tree-year": ("tree-year",), "km": ("km",)}


def documents_checked(
    inputs: Mapping[str, Any], outputs: Mapping[str, Any], series: Sequence[ActivitySeries]
) -> list[Finding]:
    """Everything that a run's inputs, outputs and series say against or about themselves."""
    found = [
        *_completeness(outputs.get("coverage") or {}),
        *_cut_off(inputs, series),
        *(Finding("simulated", "warning", one.meter) for one in series
          if one.source == "simulated"),
    ]  # fmt: skip
    if outputs.get("status") == "quantified":
        found += [*_plausible(outputs), *_uncertainty(outputs.get("uncertainty") or {})]
    return found


def counted(coverage: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every count of fates within a coverage, with the role and part it is of."""
    if "expected" in coverage and "used" in coverage:
        yield path, coverage
        return
    for name, inner in coverage.items():
        if isinstance(inner, Mapping):
            yield from counted(inner, f"{path} {name}".strip())


def _completeness(coverage: Mapping[str, Any]) -> Iterator[Finding]:
    for subject, one in counted(coverage):
        excluded = one.get("excluded") or {}
        counts = {
            "expected": int(one["expected"]), "used": int(one["used"]),
            "missing": int(one.get("missing", 0)),
            "excluded": sum(int(n) for n in excluded.values()),
        }  # fmt: skip
        if counts["expected"] != counts["used"] + counts["missing"] + counts["excluded"]:
            yield Finding("incomplete", "blocking", subject, counts)
        if counts["missing"]:
            yield Finding("gaps", "note", subject, {
                **counts, "longest": _longest(one.get("gaps") or [])})  # fmt: skip
        for reason, count in excluded.items():
            yield Finding("excluded", "note", subject, {"reason": reason, "count": int(count)})
        if one.get("off_grid"):
            yield Finding("off-grid", "warning", subject, {"count": int(one["off_grid"])})
        used_pct = Decimal(str(one.get("used_pct", 100)))
        if counts["expected"] and used_pct < COVERAGE_LOW_PCT:  # an empty table has none to use
            yield Finding("coverage-low", "warning", subject, {"used_pct": str(used_pct)})


def _longest(gaps: Sequence[Sequence[Any]]) -> int:
    return max((int(end) - int(first) for first, end, *_ in gaps), default=0)


def _cut_off(inputs: Mapping[str, Any], series: Sequence[ActivitySeries]) -> Iterator[Finding]:
    zone = ZoneInfo(inputs["zone"])
    start, end = (datetime.fromisoformat(inputs["period"][name]) for name in ("start", "end"))
    for bound in (start, end):
        local = bound.astimezone(zone)
        if (local.hour, local.minute, local.second) != (0, 0, 0):
            yield Finding(
                "cut-within-a-day", "note", "period", {"bound": local.isoformat()}
            )  # fmt: skip
    manifest = inputs["snapshot"]["manifest"]
    span = Period(
        datetime.fromisoformat(manifest["start"]), datetime.fromisoformat(manifest["end"])
    )
    for one in series:
        outside = sum(1 for at in one.times if at not in span)
        if outside:
            yield Finding("outside", "blocking", one.meter, {"count": outside})


def _plausible(outputs: Mapping[str, Any]) -> Iterator[Finding]:
    quantities = {line["quantity"] for line in outputs["lines"]}
    if len(quantities) != 1:
        return
    (quantity,) = quantities
    if quantity not in BANDS:
        return
    unit, divisor, low, high = BANDS[quantity]
    if any(line.get("unit", "Wh") not in _UNITS[unit] for line in outputs["lines"]):
        return
    with localcontext(ARITHMETIC):
        amount = sum(
            (Decimal(line.get("amount", line.get("amount_wh"))) for line in outputs["lines"]),
            Decimal(0),
        ) / divisor  # fmt: skip
        if amount <= 0:
            return
        intensity = Decimal(outputs["co2e_t"]) / amount
    facts = {
        "quantity": quantity, "unit": unit, "intensity": str(round(intensity, 6)),
        "low": str(low), "high": str(high),
    }  # fmt: skip
    if intensity > high:
        yield Finding("implausible", "blocking", quantity, facts)
    elif intensity < low:
        yield Finding("implausible", "warning", quantity, facts)


def _uncertainty(stated: Mapping[str, Any]) -> Iterator[Finding]:
    relative = stated.get("relative_pct")
    if relative is None:
        yield Finding("uncertainty-unknown", "note", "uncertainty")
        return
    facts = {"relative_pct": str(relative)}
    if Decimal(relative) > NOTHING_PCT:
        yield Finding("uncertainty-total", "blocking", "uncertainty", facts)
    elif Decimal(relative) > CUT_OFF_PCT:
        yield Finding("uncertainty-high", "warning", "uncertainty", facts)
