"""Finding a species' coefficients by key, Korean name or scientific name."""

from collections.abc import Mapping
from decimal import Decimal

from onsil.core.refusal import Refusal
from onsil.footprint.factors import CoefficientTable
from onsil.footprint.trees.carbon import Species

# Which row stands for a species that the table does not have, when its group is stated.
_OTHERS = {
    "conifer": "other-conifer",
    "broadleaf": "other-broadleaf",
    "evergreen-broadleaf": "evergreen-broadleaf",
}


def _plain(name: str) -> str:
    """The name without its region, in lower case: 소나무(중부지방) is a 소나무."""
    return " ".join(name.partition("(")[0].lower().split())


def _species(table: CoefficientTable, key: str) -> Species:
    row = table.rows[key]

    def number(column: str) -> Decimal:
        found = row[column]
        assert isinstance(found, Decimal)
        return found

    return Species(
        key, str(row["ko"]), str(row["group"]), number("density"), number("bef"),
        number("root_ratio"), number("carbon_fraction"),
    )  # fmt: skip


def find_species(table: CoefficientTable, name: str, group: str | None = None) -> Species | Refusal:
    """The row of a name. Where several regions share it, the one with the least biomass per m3.

    A species that the table lacks takes the row of its group, where that is stated.

    Refused: `unknown-species` with the names there are.
    """
    wanted, full = _plain(name), " ".join(name.lower().split())
    exact = [
        key
        for key, row in table.rows.items()
        if name == key or ("(" in name and full in _full(row))
    ]
    alike = exact or [
        key
        for key, row in table.rows.items()
        if wanted and wanted in (_plain(str(row["ko"])), _plain(str(row.get("scientific", ""))))
    ]
    if not alike and group in _OTHERS and _OTHERS[group] in table.rows:
        alike = [_OTHERS[group]]
    if not alike:
        known = [str(row["ko"]) for row in table.rows.values()]
        return Refusal(
            "unknown-species",
            f"수종 {name}의 계수가 {table.set_id}에 없습니다. 침엽수·활엽수 구분(group)을 적으면 "
            "그 묶음의 계수를 씁니다.",
            f"{table.set_id} has no coefficients for {name}. State its group (conifer, broadleaf, "
            "evergreen-broadleaf) to use that group's.",
            {"species": name, "known": known},
        )
    return min(
        (_species(table, key) for key in alike),
        key=lambda one: (one.tonnes_per_m3 * one.carbon_fraction, one.key),
    )


def _full(row: Mapping[str, Decimal | str]) -> tuple[str, str]:
    return str(row["ko"]).lower(), str(row.get("scientific", "")).lower()
