"""The second program that recomputes evidence, run beside the engine on the same bundle."""

import json
import sys
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal, localcontext
from importlib import import_module
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from onsil.core.canonical import canonical_bytes, digest, plain
from onsil.core.refusal import Refusal
from onsil.footprint import engine
from onsil.footprint.archive import pack
from onsil.footprint.methodologies import (
    Column,
    Methodology,
    Parameter,
    check_parameters,
    coefficients_of,
    methodologies,
    methodology,
    tables_of,
)
from onsil.footprint.rows import sha256_of
from onsil.footprint.terms import MethodInputs

VERIFIER = str(Path(__file__).parents[1] / "verifier")
RUN = UUID("00000000-0000-4000-8000-000000000000")


def second(name: str) -> Any:
    """A module of the second program, which is not installed."""
    if VERIFIER not in sys.path:
        sys.path.insert(0, VERIFIER)
    return import_module(f"onsil_verifier.{name}")


def example(name: str, version: str = "1") -> MethodInputs:
    made = methodology(name, version)
    assert not isinstance(made, Refusal)
    return made.worked_example().inputs


def evidence(name: str, version: str, inputs: MethodInputs) -> dict[str, bytes]:
    """What a bundle holds of inputs: canonical inputs, readings, tables, factors, coefficients."""
    made = methodology(name, version)
    assert not isinstance(made, Refusal)
    stated = check_parameters(made, plain(inputs.parameters))
    assert not isinstance(stated, Refusal), stated
    members: dict[str, bytes] = {}
    described, tables = [], {}
    for one in inputs.series.values():
        lines = engine.reading_lines(list(one.times), list(one.values))
        members[f"readings/{sha256_of(lines)}.txt"] = lines
        described.append(
            {
                "entity": one.entity, "attribute": one.attribute, "unit": one.unit,
                "kind": one.kind, "interval_s": one.interval_s, "source": one.source,
                "count": len(one.times), "sum": sum(one.values, Decimal(0)),
                "sha256": sha256_of(lines),
            }
        )  # fmt: skip
    for role, rows in inputs.tables.items():
        lines = engine.table_lines(sorted(rows, key=lambda row: row["id"]))
        members[f"tables/{sha256_of(lines)}.jsonl"] = lines
        tables[role] = {"sha256": sha256_of(lines), "rows": len(rows)}
    sets: dict[str, list[Any]] = {}
    for factor in inputs.factors.values():
        sets.setdefault(factor.set_id, []).append(factor.document())
    for set_id, factors in sets.items():
        members[f"factors/{set_id}.json"] = canonical_bytes({"id": set_id, "factors": factors})
    for table, one in inputs.coefficients.items():
        members[f"coefficients/{table}.json"] = canonical_bytes(one.document())
    span = made.span(inputs.parameters, inputs.period, inputs.zone)
    read = [at for one in inputs.series.values() for at in one.times]
    manifest = {
        "format": "onsil-snapshot-1", "city": "pyeongtaek", "start": min([span.start, *read]),
        "end": max([span.end, *(at + timedelta(seconds=1) for at in read)]),
        "series": described,
    }  # fmt: skip
    members["inputs.json"] = canonical_bytes(
        {
            "format": engine.FORMAT, "city": "pyeongtaek",
            "methodology": {"id": name, "version": version}, "parameters": stated,
            "period": {"start": inputs.period.start, "end": inputs.period.end},
            "zone": inputs.zone, "gwp_set": inputs.gwp_set,
            "authorities": [
                {
                    "programme": "test", "factor_set": one.set_id, "boundary": one.boundary,
                    "gwp_set": inputs.gwp_set, "commodity": commodity,
                }
                for commodity, one in inputs.factors.items()
            ],
            "factors": {c: f.document() for c, f in inputs.factors.items()},
            "factor_sets": {s: sha256_of(members[f"factors/{s}.json"]) for s in sets},
            "series": {
                role: {"entity": one.entity, "attribute": one.attribute}
                for role, one in inputs.series.items()
            },
            "snapshot": {"digest": digest(manifest), "manifest": manifest},
            "tables": tables,
            "coefficients": {t: one.document() for t, one in inputs.coefficients.items()},
        }
    )  # fmt: skip
    return members


def by_engine(members: Mapping[str, bytes]) -> bytes | Refusal:
    lines = {
        path.rpartition("/")[2].partition(".")[0]: content
        for path, content in members.items()
        if path.startswith(("readings/", "tables/"))
    }
    with localcontext(engine.ARITHMETIC):
        return engine.recalculate(members["inputs.json"].decode(), lines)


def packed(members: Mapping[str, bytes], outputs: bytes) -> bytes:
    inputs = members["inputs.json"]
    run = {
        "run": str(RUN), "city": "pyeongtaek", "inputs_sha256": sha256_of(inputs),
        "outputs_sha256": sha256_of(outputs),
    }  # fmt: skip
    entry = {"inputs": sha256_of(inputs), "outputs": sha256_of(outputs)}
    return pack(
        "pyeongtaek",
        RUN,
        {
            **members,
            "outputs.json": outputs,
            "run.json": canonical_bytes(run),
            "log_entry.json": canonical_bytes(entry),
        },
    )


def compare(name: str, version: str, inputs: MethodInputs) -> dict[str, Any] | str:
    """The outputs on which both programs agree, or the code with which the engine refused."""
    members = evidence(name, version, inputs)
    expected = by_engine(members)
    refused = second("methods").Refused
    if isinstance(expected, Refusal):
        bundle = second("archive").open_bundle(packed(members, b"{}"))
        with pytest.raises(refused) as told:
            second("recompute").recompute(bundle)
        assert str(told.value) == expected.code
        return expected.code
    bundle = second("archive").open_bundle(packed(members, expected))
    assert second("archive").hash_findings(bundle) == []
    found = second("recompute").recompute(bundle)
    if found != expected:
        assert json.loads(found) == json.loads(expected)
    assert found == expected
    return json.loads(expected)


def terms(made: Methodology) -> dict[str, Any]:
    """What a methodology's page says of its inputs, as the second program keeps it."""

    def kept(one: Parameter | Column) -> dict[str, Any]:
        said = {
            "kind": one.kind, "minimum": one.minimum, "maximum": one.maximum,
            "choices": list(one.choices) or None,
            "needed": True if one.required or getattr(one, "default", None) is not None else None,
        }  # fmt: skip
        return {name: value for name, value in said.items() if value is not None}

    return plain(
        {
            "series": {one.name: one.required for one in made.ROLES},
            "parameters": {one.name: kept(one) for one in made.PARAMETERS},
            "tables": {
                one.name: {
                    "needed": one.required, "columns": {c.name: kept(c) for c in one.columns},
                }
                for one in tables_of(made)
            },
            "factors": {
                one.commodity: {
                    "boundaries": list(one.boundaries), "with": list(one.roles),
                    "needed": one.required,
                }
                for one in made.FACTORS
            },
            "coefficients": [one.table for one in coefficients_of(made)],
        }
    )  # fmt: skip


def every_terms() -> str:
    """All of them: what verifier/onsil_verifier/terms.json holds."""
    found = {f"{made.ID} {made.VERSION}": terms(made) for made in methodologies()}
    return json.dumps(found, indent=1, sort_keys=True) + "\n"


def tabled(name: str, role: str, *changes: Mapping[str, Any], **parameters: Any) -> MethodInputs:
    """The worked example with a table made of its first row and these changes to it.

    A change of None leaves the column out; parameters are changed alike.
    """
    inputs = example(name)
    first = inputs.tables[role][0]
    rows = tuple(
        {
            column: value
            for column, value in {**first, "id": f"row:{number}", **change}.items()
            if value is not None
        }
        for number, change in enumerate(changes, 1)
    )
    stated = {k: v for k, v in {**inputs.parameters, **parameters}.items() if v is not None}
    return replace(inputs, tables={**inputs.tables, role: rows}, parameters=stated)


if __name__ == "__main__":
    (Path(VERIFIER) / "onsil_verifier" / "terms.json").write_text(every_terms(), "utf-8")
