"""solar-fleet 1: sums by site of a lake's readings, times the grid's factor."""

from datetime import UTC, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from onsil_verifier.electricity import of_energy
from onsil_verifier.given import Given
from onsil_verifier.methods import Refused
from onsil_verifier.rows import Row, line, number, total
from onsil_verifier.uncertainty import component, stated

_NOTE = (
    "Meters of one make may err together: nothing is taken off for their number. "
    "The factor's publisher states no uncertainty; none is added for it."
)
_STEP_S = 900
_OUT = ("negative", "above_capacity", "unread")


def fleet(given: Given) -> dict[str, Any]:
    _every_month(given)
    many = (given.end - given.start) // timedelta(seconds=_STEP_S)
    lines: list[Row] = []
    left_out: list[str] = []
    for site in given.tables["sites"]:
        _adds_up(site, many)
        if 100 * number(site, "used") < given.number("coverage_min_pct") * many:
            left_out.append(site["id"])
            continue
        by_month = _by_month(site)
        if total(by_month.values()) != number(site, "energy_wh"):
            raise Refused("counts-differ")
        if number(site, "energy_wh"):
            wh = number(site, "energy_wh")
            lines.append(line(site["id"], "solar-generation", wh, "Wh", by_month))
    if len(left_out) == len(given.tables["sites"]):
        raise Refused("coverage-too-low")
    if not lines:
        raise Refused("nothing-generated")
    out = of_energy(given, total(one["amount"] for one in lines))
    monthly: dict[str, Decimal] = {}
    for one in lines:
        for month, wh in one["parts"].items():
            monthly[month] = monthly.get(month, Decimal(0)) + wh
    sources = [
        component(
            "meters:solar-fleet", out.tonnes, given.number("meter_uncertainty_pct"),
            ko="전력량계 (함께 어긋난다고 봄)", en="Electricity meters, taken to err together",
        )
    ]  # fmt: skip
    return {
        "co2e_t": out.tonnes,
        "gases_kg": out.gases,
        "lines": lines,
        "uncertainty": stated(out.tonnes, sources, note=_NOTE),
        "coverage": {"sites": _coverage(given, len(left_out))},
        "details": {
            "monthly_wh": monthly, "sites_counted": len(lines), "sites_left_out": left_out,
        },
    }  # fmt: skip


def _every_month(given: Given) -> None:
    """Each month (UTC) that the period touches lies in a file."""
    have = {row["month"] for row in given.tables["files"]}
    last = (given.end - timedelta(microseconds=1)).astimezone(UTC)
    month = given.start.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    while month <= last:
        if month.strftime("%Y-%m") not in have:
            raise Refused("lake-incomplete")
        month = (month + timedelta(days=32)).replace(day=1)


def _adds_up(site: Row, many: int) -> None:
    if not site["no_export"]:
        raise Refused("export-unknown")
    fates = total(number(site, name) for name in ("used", "missing", *_OUT))
    if not number(site, "expected") == fates == many:
        raise Refused("counts-differ")
    most = number(site, "capacity_kw") * 1000 * _STEP_S / 3600 * Decimal("1.1")
    if number(site, "energy_wh") > number(site, "used") * most:
        raise Refused("counts-differ")


def _by_month(site: Row) -> dict[str, Decimal]:
    found: dict[str, Decimal] = {}
    for word in site.get("months", "").split():
        month, _, wh = word.partition("=")
        try:
            found[month] = Decimal(wh)
        except InvalidOperation:
            raise Refused("counts-differ") from None
    return found


def _coverage(given: Given, left_out: int) -> dict[str, Any]:
    sites = given.tables["sites"]

    def count(name: str) -> int:
        return int(total(number(site, name) for site in sites))

    return {
        "start": given.start, "step_s": _STEP_S, "expected": count("expected"),
        "used": count("used"), "missing": count("missing"),
        "excluded": {name: count(name) for name in _OUT if count(name)},
        "off_grid": count("off_grid"),
        "used_pct": (Decimal(100 * count("used")) / count("expected")).quantize(Decimal("0.01")),
        "sites": len(sites), "sites_left_out": left_out,
    }  # fmt: skip


METHODS = {("solar-fleet", "1"): fleet}
