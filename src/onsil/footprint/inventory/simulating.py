"""The uncertainty of totals by approach 2: every line drawn many times, shared sources once.

2006 IPCC Guidelines, vol. 1, ch. 3, section 3.2.3.2 (approach 2). Seed, draws and algorithm stand
in the inputs and in the result, so that anybody draws the same again.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from onsil.footprint.uncertainty import portable

DRAWS = 10_000
CONFIDENCE_PCT = Decimal(95)
_GRAM = Decimal("0.001")  # kg; a statistic of draws is stated no closer
_CENT = Decimal("0.01")
Line = Mapping[str, Any]


def plan(seed: int) -> dict[str, Any]:
    """What the inputs hold of it: algorithm, seed (128 bits at most) and number of draws."""
    assert 0 <= seed < 1 << 128
    return {"algorithm": portable.ALGORITHM, "seed": str(seed), "draws": DRAWS}


def simulate(
    lines: Sequence[Line], groups: Mapping[str, Mapping[str, Iterable[Line]]],
    planned: Mapping[str, Any],
) -> dict[str, Any]:  # fmt: skip
    """Mean and 95 % interval of each group's sum, as {kind: {name: figures or None}}.

    A line is as the outputs hold it: `co2e_kg`, `uncertainty` (sources with half-widths in % at
    95 %). What has no stated uncertainty stays at its estimate, as in approach 1, and is named in
    `unstated_kg`; a group without any stated one, or without lines, has None.
    """
    assert planned["algorithm"] == portable.ALGORITHM
    seed, draws = int(planned["seed"]), int(planned["draws"])
    drawn = _Drawn(seed, draws)
    values = {one["code"]: drawn.line(one) for one in lines}
    return {
        **planned,
        "confidence_pct": CONFIDENCE_PCT,
        **{
            kind: {name: _figures(list(members), values, draws) for name, members in named.items()}
            for kind, named in groups.items()
        },
    }


class _Drawn:
    """Deviates by source: drawn once, whichever lines they are shared by."""

    def __init__(self, seed: int, draws: int) -> None:
        self._seed, self._draws = seed, draws
        self._kept: dict[str, portable.Doubles] = {}

    def _of(self, source: str) -> portable.Doubles:
        if source not in self._kept:
            self._kept[source] = portable.normals(self._seed, source, self._draws)
        return self._kept[source]

    def line(self, one: Line) -> portable.Doubles | None:
        """kg CO2e in every draw; None for a line of which nothing is stated."""
        if not one["uncertainty"]:
            return None
        found = portable.steady(one["co2e_kg"], self._draws)
        for part in one["uncertainty"]:
            found = found * portable.deviated(self._of(part["source"]), Decimal(part["pct"]))
        return found


def _figures(
    lines: list[Line], values: Mapping[str, portable.Doubles | None], draws: int
) -> dict[str, Any] | None:
    drawn = [found for one in lines if (found := values[one["code"]]) is not None]
    if not drawn:
        return None
    still = sum((one["co2e_kg"] for one in lines if values[one["code"]] is None), Decimal(0))
    total = portable.steady(still, draws)
    for found in drawn:  # in the lines' order, so that the sum has the same bits everywhere
        total = total + found
    mean, low, high = (
        Decimal(one).quantize(_GRAM) for one in portable.interval(total, CONFIDENCE_PCT)
    )
    half, amount = (high - low) / 2, sum((one["co2e_kg"] for one in lines), Decimal(0))
    return {
        "mean_kg": mean,
        "low_kg": low,
        "high_kg": high,
        "half_width_kg": half.quantize(_GRAM),
        "pct": _pct(half, amount),
        "minus_pct": _pct(mean - low, mean),
        "plus_pct": _pct(high - mean, mean),
        "unstated_kg": sum((abs(one["co2e_kg"]) for one in lines if not one["stated"]), Decimal(0)),
    }


def _pct(part: Decimal, of: Decimal) -> Decimal | None:
    return (part / abs(of) * 100).quantize(_CENT) if of else None
