"""One measured figure beside what it is measured against."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Figure:
    """`value` in `unit`; `yardstick` is the same figure of the reference, taken in the same run.

    `goal` is the ratio value ÷ yardstick wanted at least (or, with `less_is_better`, at most); a
    figure without a yardstick or goal is just reported.
    """

    figure: str
    value: float
    unit: str
    yardstick: float | None = None
    goal: float | None = None
    less_is_better: bool = False

    @property
    def ratio(self) -> float | None:
        return self.value / self.yardstick if self.yardstick else None

    @property
    def missed(self) -> bool:
        if self.ratio is None or self.goal is None:
            return False
        return self.ratio > self.goal if self.less_is_better else self.ratio < self.goal

    def row(self, bench: str) -> dict[str, Any]:
        """The figure as it is printed."""
        return {
            "bench": bench,
            "figure": self.figure,
            "value": _short(self.value),
            "unit": self.unit,
            "yardstick": _short(self.yardstick),
            "ratio": _short(self.ratio),
            "goal": self.goal,
        }


def _short(value: float | None) -> float | None:
    """Four significant digits: more would be noise."""
    return None if value is None else float(f"{value:.4g}")
