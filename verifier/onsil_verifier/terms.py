"""What the methodologies' pages say of their inputs: kinds, limits, what is needed.

`terms.json` holds the tables of docs/methodologies/ of each methodology and version.
"""

import json
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from onsil_verifier import strict
from onsil_verifier.archive import Bundle

Terms = dict[str, Any]


@cache
def _every() -> dict[str, Terms]:
    return json.loads(Path(__file__).with_name("terms.json").read_text("utf-8"))


def findings(bundle: Bundle) -> list[str]:
    """Everything in the inputs that the methodology's page does not allow."""
    stated = bundle.inputs["methodology"]
    terms = _every().get(f"{stated['id']} {stated['version']}")
    if terms is None:
        return []  # another part says that this program does not know it
    return [
        *_values("parameter", bundle.inputs["parameters"], terms["parameters"]),
        *_series(bundle, terms),
        *_tables(bundle, terms),
        *_factors(bundle, terms),
    ]


def _values(where: str, given: dict[str, Any], terms: dict[str, Terms]) -> Iterator[str]:
    for name in sorted(given.keys() - terms.keys()):
        yield f"{where} {name} is not one of this methodology"
    for name, one in terms.items():
        if name in given:
            wrong = _wrong(given[name], one)
            if wrong is not None:
                yield f"{where} {name}: {wrong}"
        elif one.get("needed"):
            yield f"{where} {name} is missing"


def _wrong(value: Any, one: Terms) -> str | None:
    """Why a value may not stand there; None where it may."""
    match one["kind"]:
        case "boolean":
            return None if isinstance(value, bool) else "neither true nor false"
        case "choice":
            return None if value in one["choices"] else "none of the choices"
        case "text":
            return None if isinstance(value, str) and value.strip() else "not a text"
        case "date":
            strict.day(value)
            return None
    number = Decimal(value) if type(value) is int else strict.number(value)
    if one["kind"] == "integer" and number != number.to_integral_value():
        return f"{number} is not whole"
    if "minimum" in one and number < Decimal(one["minimum"]):
        return f"{number} is below {one['minimum']}"
    if "maximum" in one and number > Decimal(one["maximum"]):
        return f"{number} is above {one['maximum']}"
    return None


def _series(bundle: Bundle, terms: Terms) -> Iterator[str]:
    given = bundle.inputs["series"]
    for role in sorted(given.keys() - terms["series"].keys()):
        yield f"series {role} is not one of this methodology"
    for role, needed in terms["series"].items():
        if needed and role not in given:
            yield f"series {role} is missing"


def _tables(bundle: Bundle, terms: Terms) -> Iterator[str]:
    given = bundle.inputs.get("tables", {})
    for role in sorted(given.keys() - terms["tables"].keys()):
        yield f"table {role} is not one of this methodology"
    for role, one in terms["tables"].items():
        rows = _rows(bundle, given[role]) if role in given else []
        if one["needed"] and not rows:
            yield f"table {role} has no rows"
        ids = [name for name in (row.get("id") for row in rows) if isinstance(name, str)]
        if len(ids) != len(rows) or not all(name.strip() for name in ids):
            yield f"table {role} has a row without an id"
        elif any(one >= after for one, after in pairwise(ids)):
            yield f"table {role} is not in order of ids of its own"
        for row in rows:
            values = {name: value for name, value in row.items() if name != "id"}
            yield from _values(f"table {role}, row {row.get('id')}, column", values, one["columns"])


def _rows(bundle: Bundle, described: dict[str, Any]) -> list[dict[str, Any]]:
    data = bundle.members[f"tables/{described['sha256']}.jsonl"]
    return [strict.loads(line) for line in data.splitlines()]


def _factors(bundle: Bundle, terms: Terms) -> Iterator[str]:
    given = bundle.inputs["factors"]
    roles = {*bundle.inputs["series"], *bundle.inputs.get("tables", {})}
    for commodity in sorted(given.keys() - terms["factors"].keys()):
        yield f"factor {commodity} is not one of this methodology"
    for commodity, one in terms["factors"].items():
        wanted = one["needed"] and (not one["with"] or roles & {*one["with"]})
        if commodity in given and given[commodity]["boundary"] not in one["boundaries"]:
            yield f"factor {commodity} is of another boundary"
        if commodity not in given and wanted:
            yield f"factor {commodity} is missing"
    for table in terms["coefficients"]:
        if table not in bundle.inputs.get("coefficients", {}):
            yield f"coefficients {table} are missing"
