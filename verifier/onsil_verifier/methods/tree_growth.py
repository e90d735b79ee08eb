"""tree-growth 1: stocks of trees measured twice, less the first stocks of those that died."""

from typing import Any

from onsil_verifier.given import Given
from onsil_verifier.methods import NotMeasurable
from onsil_verifier.rows import Row, days, judge, legal_duty, line, total
from onsil_verifier.trees import (
    NOTE,
    Tree,
    bounded,
    dates_reason,
    growth_components,
    inside,
    net_loss,
    plausible,
    reader,
    removed,
    too_uncertain,
    width_90,
)
from onsil_verifier.uncertainty import ar_tool14, stated


def growth(given: Given) -> dict[str, Any] | NotMeasurable:
    legal_duty(given)
    within, read, trees = days(given), reader(given), dict[str, Tree]()

    def reason(row: Row) -> str | None:
        found = dates_reason(row, given, within) or _place_reason(given, row)
        if found is not None:
            return found
        tree = read.tree(row, died=row["status"] != "alive")
        if isinstance(tree, str):
            return tree
        trees[row["id"]] = tree
        return None

    judged = judge(given.tables["trees"], reason)
    living = [trees[row["id"]] for row in judged.used if row["status"] == "alive"]
    lost = [trees[row["id"]] for row in judged.used if row["status"] != "alive"]
    plausible(given, living)
    grown_t = total(tree.grown_kg for tree in living) / 1000
    lost_t = total(tree.first_kg for tree in lost) / 1000
    net_t = grown_t - lost_t
    if net_t <= 0:
        return net_loss(grown_t, lost_t)
    components = growth_components(given, read, list(trees.values()), readings=True)
    left, taken, relative, accepted = ar_tool14(net_t, width_90(components))
    if not accepted:
        return too_uncertain(relative, "ar-tool14", net_t)
    return {
        "co2e_t": left,
        "gases_kg": removed(left),
        "lines": [line(tree.id, "tree-year", tree.years, "tree-year") for tree in living],
        "uncertainty": stated(net_t, components, note=NOTE),
        "coverage": {"trees": judged.coverage()},
        "details": {
            "grown_t": grown_t,
            "lost_t": lost_t,
            "deducted_t": taken,
            "relative_90_pct": relative,
            "living": len(living),
            "dead_or_missing": len(lost),
            "coefficients_maturity": read.biomass.maturities(
                {tree.wood.key for tree in trees.values()}
            ),
            "trees": {
                tree.id: {"species": tree.wood.key, "grown_kg": tree.grown_kg} for tree in living
            },
        },
    }


def _place_reason(given: Given, row: Row) -> str | None:
    if not bounded(given):
        return None
    if not {"latitude", "longitude"} <= row.keys():
        return "place-missing"
    return None if inside(given, row) else "outside-area"


METHODS = {("tree-growth", "1"): growth}
