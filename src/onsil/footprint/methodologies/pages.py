"""A documentation page for each installed methodology, written from the code itself.

`python -m onsil.footprint.methodologies.pages [FOLDER]` writes `docs/methodologies/`; with
`--check` it writes nothing and fails when a page is not what the code says.
"""

import inspect
import sys
from decimal import localcontext
from pathlib import Path

from onsil.core.canonical import decimal_text
from onsil.core.refusal import Refusal
from onsil.footprint.engine import ARITHMETIC
from onsil.footprint.methodologies import Methodology, Parameter, Role, methodologies
from onsil.footprint.terms import ActivitySeries


def page(made: Methodology) -> str:
    """The methodology in Markdown: what it says of itself, and its example calculated now."""
    parts = [
        f"# {made.TITLE_EN} ({made.TITLE_KO})",
        f"`{made.ID}` version {made.VERSION}. Written by "
        "`python -m onsil.footprint.methodologies.pages` from the methodology's own file.",
        _prose(made),
        f"## Formula (산정식)\n\n```\n{made.FORMULA}\n```",
        "## Sources (근거)\n\n" + "\n".join(f"- {source}" for source in made.SOURCES),
        "## Conditions, checked on the data (적용 조건)\n\n"
        + "\n".join(f"- {en}  \n  {ko}" for ko, en in made.CONDITIONS),
        "## Series (입력 계열)\n\n| Role | Measures | Needed | |\n|---|---|---|---|\n"
        + "\n".join(_role(role) for role in made.ROLES),
        "## Parameters (매개변수)\n\n| Name | Kind | Unit | Default | |\n|---|---|---|---|---|\n"
        + "\n".join(_parameter(parameter) for parameter in made.PARAMETERS),
        "## Factors, chosen by authority (배출계수)\n\n"
        + "\n".join(
            f"- `{need.commodity}` at the `{need.boundary}` boundary, "
            f"where {', '.join(need.roles)} is metered"
            for need in made.FACTORS
        ),
        _example(made),
    ]
    return "\n\n".join(parts) + "\n"


def _prose(made: Methodology) -> str:
    text = inspect.getdoc(made) or ""
    lines = text.splitlines()[2:]
    return "\n".join(f"    {line[4:]}" if line.startswith("    ") else line for line in lines)


def _role(role: Role) -> str:
    needed = "yes" if role.required else "no"
    return f"| `{role.name}` | {role.measures} | {needed} | {role.en} ({role.ko}) |"


def _parameter(one: Parameter) -> str:
    kind = ", ".join(one.choices) if one.choices else one.kind
    default = "required" if one.default is None and one.required else one.default
    shown = "" if default is None else str(default).lower() if one.kind == "boolean" else default
    return f"| `{one.name}` | {kind} | {one.unit} | {shown} | {one.en} ({one.ko}) |"


def _example(made: Methodology) -> str:
    example = made.worked_example()
    with localcontext(ARITHMETIC):
        found = made.quantify(example.inputs)
    assert not isinstance(found, Refusal), found
    series = "\n".join(f"- {_readings(one)}" for one in example.inputs.series.values())
    lines = "\n".join(
        f"- {line.quantity} at `{line.meter}`: {decimal_text(line.amount)} {line.unit}"
        for line in found.lines
    )
    return (
        f"## Worked example (계산 예)\n\n{example.source}.\n\n{series}\n\nBy hand:\n\n"
        + "\n".join(f"{number}. {step}" for number, step in enumerate(example.steps, 1))
        + f"\n\nCalculated from the code when this page was written:\n\n{lines}\n"
        + f"- {decimal_text(found.co2e_t)} tCO2e (by hand: {decimal_text(example.co2e_t)})"
    )


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
