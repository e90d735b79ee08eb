"""The calculation: canonical inputs and readings in, canonical outputs out; nothing else counts.

Arithmetic is in decimals of fifty digits, rounded half to even, from the first reading to the last
tonne; rounding to whole tonnes happens once, at issuance.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from typing import Any

from onsil.core.canonical import canonical_bytes, decimal_text, instant_text
from onsil.core.periods import Period
from onsil.core.refusal import Refusal
from onsil.footprint.engines import FORMS, NEWEST
from onsil.footprint.factors import Factor
from onsil.footprint.factors.coefficients import CoefficientTable
from onsil.footprint.methodologies import check_parameters, check_tables, methodology
from onsil.footprint.terms import NOT_YET_MEASURABLE, ActivitySeries, MethodInputs

FORMAT = NEWEST
ARITHMETIC = Context(prec=50, rounding=ROUND_HALF_EVEN)
_CODE = (
    "engine.py", "engines", "intervals.py", "factors", "methodologies", "savings", "uncertainty",
    "trees", "waste",
)  # fmt: skip
_NOT_CALCULATING = ("pages.py",)


def engine_name() -> str:
    """The engine's name and version, kept with every run."""
    return f"onsil {version('onsil')}"


@cache
def code_digest() -> str:
    """SHA-256 over the sources that calculate, by file name: the code behind a run's figures."""
    root, hashed = files("onsil.footprint"), hashlib.sha256()
    found: list[tuple[str, bytes]] = []
    for name in _CODE:
        part = root.joinpath(name)
        members = [part] if part.is_file() else list(part.iterdir())
        found += [
            (m.name, m.read_bytes())
            for m in members
            if m.name.endswith(".py") and m.name not in _NOT_CALCULATING
        ]
    for name, text in sorted(found):
        hashed.update(f"{name} {hashlib.sha256(text).hexdigest()}\n".encode())
    return hashed.hexdigest()


def reading_lines(times: list[datetime], values: list[Decimal]) -> bytes:
    """Readings as the snapshot's manifest hashes them: one line each, instant, space, value."""
    pairs = zip(times, values, strict=True)
    return "".join(f"{_instant(t)} {decimal_text(v)}\n" for t, v in pairs).encode("ascii")


def _instant(at: datetime) -> str:
    """`instant_text`, which the hub's instants, being UTC already, reach by a shorter way."""
    text = at.isoformat()
    return f"{text[:-6]}Z" if text.endswith("+00:00") else instant_text(at)


def parse_lines(lines: bytes) -> tuple[tuple[datetime, ...], tuple[Decimal, ...]]:
    """The inverse of `reading_lines`. Raises ValueError for a line of another form."""
    times: list[datetime] = []
    values: list[Decimal] = []
    for line in lines.decode("ascii").splitlines():
        instant, space, number = line.partition(" ")
        if not space:
            raise ValueError(f"not a reading: {line!r}")
        times.append(datetime.fromisoformat(instant))
        values.append(Decimal(number))
    return tuple(times), tuple(values)


def table_lines(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """A table as it is hashed and kept: canonical JSON, one row a line, in the order given."""
    return b"".join(canonical_bytes(row) + b"\n" for row in rows)


def tables_from_lines(
    inputs: Mapping[str, Any], lines_by_sha256: Mapping[str, bytes]
) -> dict[str, list[dict[str, Any]]]:
    """Each role's rows, as plain values, by the hash that the inputs name.

    Raises KeyError when rows are not there.
    """
    return {
        role: [json.loads(line) for line in lines_by_sha256[one["sha256"]].splitlines()]
        for role, one in inputs.get("tables", {}).items()
    }


def series_from_manifest(
    inputs: Mapping[str, Any], lines_by_sha256: Mapping[str, bytes]
) -> dict[str, ActivitySeries]:
    """Each role's series, its readings looked up by the hash the manifest names.

    Raises KeyError when readings are not there.
    """
    described = {
        (one["entity"], one["attribute"]): one for one in inputs["snapshot"]["manifest"]["series"]
    }
    made: dict[str, ActivitySeries] = {}
    for role, key in inputs["series"].items():
        one = described[key["entity"], key["attribute"]]
        times, values = parse_lines(lines_by_sha256[one["sha256"]])
        made[role] = ActivitySeries(
            role, one["entity"], one["attribute"], one["unit"], int(one["interval_s"]),
            one["kind"], one["source"], times, values,
        )  # fmt: skip
    return made


def calculate(
    inputs: Mapping[str, Any],
    series: Mapping[str, ActivitySeries],
    tables: Mapping[str, Sequence[Mapping[str, Any]]] | None = None,
) -> dict[str, Any] | Refusal:
    """Run the methodology that the canonical inputs name, on these series and tables.

    `inputs` are plain JSON values as stored. Returns the outputs, ready for canonical bytes, in
    the form that the inputs name; a refusal when the methodology does not apply (but
    `not-yet-measurable` is an output of its own). Raises KeyError for an unknown form.
    """
    form = FORMS[inputs["format"]]
    made = methodology(inputs["methodology"]["id"], inputs["methodology"]["version"])
    if isinstance(made, Refusal):
        return made
    parameters = check_parameters(made, inputs["parameters"])
    if isinstance(parameters, Refusal):
        return parameters
    typed = check_tables(made, tables or {})
    if isinstance(typed, Refusal):
        return typed
    with localcontext(ARITHMETIC):
        found = made.quantify(
            MethodInputs(
                period=Period(
                    datetime.fromisoformat(inputs["period"]["start"]),
                    datetime.fromisoformat(inputs["period"]["end"]),
                ),
                zone=inputs["zone"],
                parameters=parameters,
                series=series,
                factors={c: Factor.from_document(f) for c, f in inputs["factors"].items()},
                gwp_set=inputs["gwp_set"],
                tables=typed,
                coefficients={
                    table: CoefficientTable.from_document(one)
                    for table, one in inputs.get("coefficients", {}).items()
                },
            )
        )
    if isinstance(found, Refusal):
        return form.not_measurable(found) if found.code == NOT_YET_MEASURABLE else found
    return form.quantified(found)


def recalculate(inputs_text: str, lines_by_sha256: Mapping[str, bytes]) -> bytes | Refusal:
    """The output bytes that stored inputs, readings and tables lead to."""
    inputs = json.loads(inputs_text)
    found = calculate(
        inputs,
        series_from_manifest(inputs, lines_by_sha256),
        tables_from_lines(inputs, lines_by_sha256),
    )
    return found if isinstance(found, Refusal) else canonical_bytes(found)
