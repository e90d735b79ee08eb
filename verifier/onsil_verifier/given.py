"""What a methodology is given, read from a bundle: values as decimals, days and instants."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from onsil_verifier import strict
from onsil_verifier.archive import Bundle


@dataclass(frozen=True)
class Series:
    """Readings of one role in order of time."""

    entity: str
    attribute: str
    unit: str
    kind: str
    interval_s: int
    times: list[datetime]
    values: list[Decimal]

    @property
    def meter(self) -> str:
        return f"{self.entity}#{self.attribute}"


@dataclass(frozen=True)
class Given:
    """Parameters, factors and coefficients stay as the inputs have them: texts."""

    start: datetime
    end: datetime
    zone: ZoneInfo
    parameters: dict[str, Any]
    series: dict[str, Series]
    tables: dict[str, list[dict[str, Any]]]
    factors: dict[str, dict[str, Any]]
    coefficients: dict[str, dict[str, Any]]
    gwp_set: str | None

    def number(self, name: str) -> Decimal:
        """A decimal parameter."""
        return Decimal(self.parameters[name])


def given(bundle: Bundle) -> Given:
    """Everything a methodology may look at."""
    inputs = bundle.inputs
    return Given(
        start=strict.instant(inputs["period"]["start"]),
        end=strict.instant(inputs["period"]["end"]),
        zone=ZoneInfo(inputs["zone"]),
        parameters=inputs["parameters"],
        series={role: _series(bundle, key) for role, key in inputs["series"].items()},
        tables={
            role: [
                strict.loads(line)
                for line in bundle.members[f"tables/{one['sha256']}.jsonl"].splitlines()
            ]
            for role, one in inputs.get("tables", {}).items()
        },
        factors=inputs["factors"],
        coefficients=inputs.get("coefficients", {}),
        gwp_set=inputs["gwp_set"],
    )


def _series(bundle: Bundle, key: dict[str, str]) -> Series:
    described = next(
        one
        for one in bundle.inputs["snapshot"]["manifest"]["series"]
        if (one["entity"], one["attribute"]) == (key["entity"], key["attribute"])
    )
    times, values = [], []
    for line in bundle.members[f"readings/{described['sha256']}.txt"].decode("ascii").splitlines():
        at, value = line.split(" ")
        times.append(strict.instant(at))
        values.append(strict.number(value))
    return Series(
        described["entity"], described["attribute"], described["unit"], described["kind"],
        int(described["interval_s"]), times, values,
    )  # fmt: skip
