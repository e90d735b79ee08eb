"""What methodologies about waste share: weighed lots, tickets, global warming potentials."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from onsil.core.refusal import Refusal
from onsil.footprint.factors.gwp import GASES, GWP_SETS, gwp
from onsil.footprint.methodologies.records import Row
from onsil.footprint.methodologies.registry import Column, Parameter
from onsil.footprint.terms import MethodInputs, RunLine

LOT_COLUMNS = (
    Column("date", "date", "계량일", "Day of weighing"),
    Column("ticket", "text", "계량 전표 번호", "Weighbridge ticket"),
)
GWP_SET = Parameter(
    "gwp_set", "choice", "지구온난화지수 집합", "Set of global warming potentials",
    choices=GWP_SETS,
)  # fmt: skip
SCALE = Parameter(
    "scale_uncertainty_pct", "decimal", "계량대 불확도 (95 %)", "Scale's uncertainty at 95 %", "%",
    default="1", minimum=Decimal(0), maximum=Decimal(5),
)  # fmt: skip
TICKET_CONDITION = (
    "계량 전표는 한 번만 쓸 수 있습니다.",
    "A weighbridge ticket is used once.",
)


def ticket_used_twice(rows: Sequence[Row]) -> Refusal | None:
    """A refusal when two lots show the same ticket: `duplicate-ticket`."""
    tickets = [row["ticket"] for row in rows]
    twice = sorted({ticket for ticket in tickets if tickets.count(ticket) > 1})
    if not twice:
        return None
    return Refusal(
        "duplicate-ticket",
        f"같은 계량 전표가 두 번 쓰였습니다: {', '.join(twice[:5])}.",
        f"A weighbridge ticket is used twice: {', '.join(twice[:5])}.",
        {"tickets": twice},
    )


def gwp_differs(inputs: MethodInputs) -> Refusal | None:
    """A refusal when factors come with another set than the parameter states: `gwp-differs`."""
    stated, chosen = inputs.parameters["gwp_set"], inputs.gwp_set
    if chosen is None or not inputs.factors or chosen == stated:
        return None
    return Refusal(
        "gwp-differs",
        f"매개변수의 GWP({stated})와 배출계수의 GWP({chosen})가 다릅니다. 한 산정에는 하나만 "
        "씁니다.",
        f"The stated GWP set ({stated}) is not that of the factors ({chosen}): use one.",
        {"stated": stated, "chosen": chosen},
    )


def co2e_t(gases_kg: dict[str, Decimal], gwp_set: str) -> Decimal:
    """Tonnes of CO2e of gases in kg."""
    return sum((kg * gwp(gwp_set, gas) for gas, kg in gases_kg.items()), Decimal(0)) / 1000


def no_gases() -> dict[str, Decimal]:
    """Nothing of any of the three gases."""
    return {gas: Decimal(0) for gas in GASES}


def daily_lines(lots: Iterable[tuple[Row, Decimal]], quantity: str) -> tuple[RunLine, ...]:
    """A line in kg for each lot above nothing, on the day of its weighing."""
    return tuple(
        RunLine(row["id"], quantity, kg, "kg", {row["date"].isoformat(): kg})
        for row, kg in lots
        if kg > 0
    )


def maturities(table: Any, keys: Iterable[str]) -> dict[str, str]:
    """How far each row that was used may be trusted."""
    return {key: table.maturity_of(key) for key in sorted(set(keys))}
