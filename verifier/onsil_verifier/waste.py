"""What methodologies about waste share: burning, lots by day."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from onsil_verifier.rows import Coefficients, Row, line

GASES: tuple[str, ...] = ("co2", "ch4", "n2o")


@dataclass(frozen=True)
class Burnt:
    """Gases in kg of burning; the carbon that is not fossil stands apart."""

    gases: dict[str, Decimal]
    biogenic_kg: Decimal


def burnt(wet_t: Decimal, table: Coefficients, kind: str) -> Burnt:
    """2006 IPCC Guidelines vol. 5 ch. 5, equations 5.1, 5.4, 5.5."""
    carbon = wet_t * 1000
    for column in ("dry_matter", "carbon", "oxidation"):
        carbon = carbon * table.number(kind, column)
    fossil = table.number(kind, "fossil_carbon")
    return Burnt(
        {
            "co2": carbon * fossil * 44 / 12,
            "ch4": wet_t * table.number(kind, "ch4_kg_per_t"),
            "n2o": wet_t * table.number(kind, "n2o_kg_per_t"),
        },
        carbon * (1 - fossil) * 44 / 12,
    )


def lots(weighed: Iterable[tuple[Row, Decimal]], quantity: str) -> list[dict[str, Any]]:
    """A line in kg for every lot above nothing, on its day."""
    return [line(row["id"], quantity, kg, "kg", {row["date"]: kg}) for row, kg in weighed if kg > 0]
