"""What one tree can take up in a year, and why a plan's pine coefficient is not that.

Public figures of a tree's year, in kg CO2: an urban maple 4, a thirty-year pine 6.6, a central
Korean pine 9.8, the highest forest tree listed 16.6 (a sixty-year oak), a mean street tree of a
Korean city 25.4. Landscape trees of 10 cm: 2.2 to 21.6 (0.6 to 5.9 kg C).
"""

from collections.abc import Iterable
from decimal import Decimal

from onsil.core.refusal import Refusal

PUBLIC_YEARLY_KG = (Decimal("2.2"), Decimal("25.4"))
# Beyond this no tree's year goes, whatever a site states: above twice the highest mean.
YEARLY_MOST = Decimal(100)
_PINE_KG, _PINE_YEARS = Decimal("166.6"), 17


def growth_implausible(
    yearly_kg: Iterable[tuple[str, Decimal]], most_kg: Decimal
) -> Refusal | None:
    """A refusal when a tree's yearly uptake exceeds `most_kg`, naming the trees.

    Refused: `growth-implausible`.
    """
    beyond = [(tree, kg) for tree, kg in yearly_kg if kg > min(most_kg, YEARLY_MOST)]
    if not beyond:
        return None
    tree, kg = max(beyond, key=lambda one: one[1])
    shown, low, high = round(kg, 1), *PUBLIC_YEARLY_KG
    mean = _PINE_KG / _PINE_YEARS
    return Refusal(
        "growth-implausible",
        f"나무 {tree}의 한 해 흡수량이 {shown} kgCO2로, 한도 {most_kg} kg을 넘습니다. 공개된 값은 "
        f"한 해 {low}~{high} kg입니다. 0.1666 tCO2(166.6 kg)은 소나무 한 그루의 {_PINE_YEARS}년 "
        f"누적량({_PINE_YEARS} × {mean} kg)이며 한 해 값이 아닙니다. 측정값과 단위를 확인하세요.",
        f"Tree {tree} would take up {shown} kg CO2 in a year, above the limit of {most_kg} kg. "
        f"Public figures are {low} to {high} kg a year. 0.1666 t (166.6 kg) is {_PINE_YEARS} "
        f"years' growth of one pine ({_PINE_YEARS} × {mean} kg), never one year's. Check the "
        "measurements and their units.",
        {
            "trees": [one for one, _ in beyond],
            "yearly_kg": kg,
            "most_kg": most_kg,
            "public_yearly_kg": list(PUBLIC_YEARLY_KG),
        },
    )
