"""A documentation page for each installed methodology, written from the code itself.

`python -m onsil.footprint.methodologies.pages [FOLDER]` writes `docs/methodologies/`; with
`--check` it writes nothing and fails when a page is not what the code says.
"""

import inspect
import sys
from collections.abc import Mapping
from decimal import Decimal, localcontext
from pathlib import Path
from typing import Any

from onsil.core.canonical import decimal_text
from onsil.core.refusal import Refusal
from onsil.footprint.engine import ARITHMETIC
from onsil.footprint.factors.coefficients import CoefficientTable
from onsil.footprint.methodologies import (
    Column,
    FactorNeed,
    Methodology,
    MonitoringParameter,
    Parameter,
    Role,
    TableRole,
    coefficients_of,
    creditable,
    methodologies,
    monitoring_of,
    tables_of,
)
from onsil.footprint.terms import ActivitySeries


def page(made: Methodology) -> str:
    """The methodology in Markdown: what it says of itself, and its example calculated now."""
    parts = [
        f"# {made.TITLE_EN} ({made.TITLE_KO})",
        f"`{made.ID}` version {made.VERSION}. Written by "
        "`python -m onsil.footprint.methodologies.pages` from the methodology's own file.",
        "" if creditable(made) else _REWARD_ONLY,
        _prose(made),
        f"## Formula (산정식)\n\n```\n{made.FORMULA}\n```",
        "## Sources (근거)\n\n" + "\n".join(f"- {source}" for source in made.SOURCES),
        "## Conditions, checked on the data (적용 조건)\n\n"
        + "\n".join(f"- {en}  \n  {ko}" for ko, en in made.CONDITIONS),
        _table(
            "## Series (입력 계열)", ("Role", "Measures", "Needed", ""),
            [_role(role) for role in made.ROLES],
        ),
        *(_columns(role) for role in tables_of(made)),
        _table(
            "## Parameters (매개변수)", ("Name", "Kind", "Unit", "Limits", "Default", ""),
            [_parameter(parameter) for parameter in made.PARAMETERS],
        ),
        _listed(
            "## Factors, chosen by authority (배출계수)", [_factor(need) for need in made.FACTORS]
        ),
        _listed(
            "## Coefficients (계수표)",
            [f"`{need.table}` from `{need.default_set}`, unless another set is named"
             for need in coefficients_of(made)],
        ),
        *(_coefficients(one) for one in made.worked_example().inputs.coefficients.values()),
        _table(
            "## What a project monitors (모니터링 항목)",
            ("Parameter", "Unit", "How often", "By what means", "Quality"),
            [_monitored(one) for one in monitoring_of(made)],
        ),
        _example(made),
    ]  # fmt: skip
    return "\n\n".join(part for part in parts if part) + "\n"


_REWARD_ONLY = (
    "**For rewards only.** Its tonnes can never become compliance or voluntary units. "
    "(보상에만 쓰이며 크레딧이 될 수 없습니다.)"
)


def _table(title: str, heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """A titled Markdown table; nothing at all where it has no rows."""
    if not rows:
        return ""
    lines = [heads, ("---",) * len(heads), *rows]
    return f"{title}\n\n" + "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _listed(title: str, items: list[str]) -> str:
    return f"{title}\n\n" + "\n".join(f"- {item}" for item in items) if items else ""


def _prose(made: Methodology) -> str:
    text = inspect.getdoc(made) or ""
    lines = text.splitlines()[2:]
    return "\n".join(f"    {line[4:]}" if line.startswith("    ") else line for line in lines)


def _role(role: Role) -> tuple[str, ...]:
    needed = "yes" if role.required else "no"
    return (f"`{role.name}`", role.measures, needed, f"{role.en} ({role.ko})")


def _columns(role: TableRole) -> str:
    needed = "" if role.required else ", not needed"
    rows = [
        (
            f"`{one.name}`", ", ".join(one.choices) or one.kind, one.unit, limits(one),
            "yes" if one.required else "no", f"{one.en} ({one.ko})",
        )
        for one in role.columns
    ]  # fmt: skip
    title = f"## Table `{role.name}`: {role.en} ({role.ko}){needed}"
    said = "Every row has an `id` of its own."
    return _table(f"{title}\n\n{said}", ("Column", "Kind", "Unit", "Limits", "Needed", ""), rows)


def _parameter(one: Parameter) -> tuple[str, ...]:
    kind = ", ".join(one.choices) if one.choices else one.kind
    default = "required" if one.default is None and one.required else one.default
    shown = "" if default is None else str(default).lower() if one.kind == "boolean" else default
    return (f"`{one.name}`", kind, one.unit, limits(one), str(shown), f"{one.en} ({one.ko})")


def limits(one: Parameter | Column) -> str:
    """The values a number may have: at least, at most."""
    bounds = ((one.minimum, "≥"), (one.maximum, "≤"))
    return ", ".join(f"{sign} {decimal_text(to)}" for to, sign in bounds if to is not None)


def _factor(need: FactorNeed) -> str:
    where = f", where {', '.join(need.roles)} is given" if need.roles else ""
    only = ", CO2 alone" if need.gases == "co2" else ""
    asked = "" if need.required else " (only where it is stated)"
    return (
        f"`{need.commodity}` at the `{'` or `'.join(need.boundaries)}` boundary{only}{where}{asked}"
    )


def _coefficients(one: CoefficientTable) -> str:
    """A table of coefficients as shipped, with how far each row may be trusted."""
    rows = [
        (key, *(_cell(cells.get(column)) for column in one.columns), one.maturity_of(key))
        for key, cells in one.rows.items()
    ]
    heads = tuple(f"{name} ({unit})" for name, unit in one.columns.items())
    title = f"`{one.reference}`: {one.title}. {one.note}".strip()
    return _table(title, ("Key", *heads, "Maturity"), rows)


def _cell(value: Decimal | str | None) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else decimal_text(value)


def _monitored(one: MonitoringParameter) -> tuple[str, ...]:
    return (
        f"`{one.name}` {one.en} ({one.ko})", one.unit, f"{one.frequency_en} ({one.frequency_ko})",
        f"{one.means_en} ({one.means_ko})", f"{one.quality_en} ({one.quality_ko})",
    )  # fmt: skip


def _example(made: Methodology) -> str:
    example = made.worked_example()
    with localcontext(ARITHMETIC):
        found = made.quantify(example.inputs)
    assert not isinstance(found, Refusal), found
    given = [f"- {_readings(one)}" for one in example.inputs.series.values()]
    for role, rows in example.inputs.tables.items():
        given += [f"- `{role}`: {_row(row)}" for row in rows[:6]]
        given += [f"- `{role}`: … ({len(rows)} rows in all)"] if len(rows) > 6 else []
    lines = "\n".join(
        f"- {line.quantity} at `{line.meter}`: {decimal_text(line.amount)} {line.unit}"
        for line in found.lines
    )
    return (
        f"## Worked example (계산 예)\n\n{example.source}.\n\n{_text(given)}\n\nBy hand:\n\n"
        + "\n".join(f"{number}. {step}" for number, step in enumerate(example.steps, 1))
        + f"\n\nCalculated from the code when this page was written:\n\n{lines}\n"
        + f"- {decimal_text(found.co2e_t)} tCO2e (by hand: {decimal_text(example.co2e_t)})"
    )


def _text(lines: list[str]) -> str:
    return "\n".join(lines)


def _row(row: Mapping[str, Any]) -> str:
    told = (
        f"{name} {decimal_text(value) if isinstance(value, Decimal) else str(value).lower()}"
        if not isinstance(value, str)
        else f"{name} {value}"
        for name, value in row.items()
    )
    return ", ".join(told)


def _readings(one: ActivitySeries) -> str:
    first = ", ".join(decimal_text(value) for value in one.values[:10])
    rest = f", … ({len(one.values)} in all)" if len(one.values) > 10 else ""
    return f"`{one.role}` in {one.unit} each {one.interval_s} s: {first}{rest}"


def pages() -> dict[str, str]:
    """Every page by file name, and an index."""
    made = {f"{one.ID}-{one.VERSION}.md": (one, page(one)) for one in methodologies()}
    index = "# Methodologies (방법론)\n\n" + "\n".join(
        f"- [{one.TITLE_EN}]({name}) ({one.TITLE_KO}), `{one.ID}` version {one.VERSION}"
        for name, (one, _) in made.items()
    )
    return {"index.md": index + "\n", **{name: text for name, (_, text) in made.items()}}


def main(arguments: list[str]) -> int:
    folder = Path(next((a for a in arguments if not a.startswith("-")), "docs/methodologies"))
    wanted = pages()
    if "--check" in arguments:
        stale = [
            name
            for name, text in wanted.items()
            if not (folder / name).exists() or (folder / name).read_text("utf-8") != text
        ]
        for name in stale:
            print(f"{folder / name} is not what the code says", file=sys.stderr)
        return 1 if stale else 0
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in wanted.items():
        (folder / name).write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
