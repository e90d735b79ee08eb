"""A run laid open: what went in, which factors on whose word, what was left out, what came out."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from onsil import footprint
from onsil.core.database import Connection
from onsil.core.refusal import Refusal
from onsil.footprint.factors import library_of
from onsil.footprint.methodologies import tables_of
from onsil.footprint.quality import Finding


@dataclass(frozen=True)
class Coverage:
    """The fate of a series' expected intervals in one part of a run (baseline, reporting, all)."""

    role: str
    part: str
    expected: int
    used: int
    missing: int
    excluded: dict[str, int]
    used_pct: str
    gaps: list[list[Any]]


@dataclass(frozen=True)
class Component:
    """One source's part in the uncertainty: its half-width, and how long its bar is (0 to 100)."""

    source: str
    name_ko: str
    name_en: str
    half_width_t: Decimal
    confidence_pct: str
    distribution: str
    bar_pct: int


@dataclass(frozen=True)
class OpenRun:
    """Everything of a run that its page shows."""

    run: footprint.Run
    method: Any
    series: list[dict[str, Any]]
    parameters: dict[str, Any]
    factors: list[dict[str, Any]]
    coverage: list[Coverage]
    details: list[tuple[str, Any]]
    claims: list[footprint.Claim]
    uncertainty: dict[str, Any]
    gases_kg: dict[str, str]
    code_sha256: str
    inputs: dict[str, Any]
    tables: list[dict[str, Any]]
    coefficients: list[dict[str, Any]]
    components: list["Component"]
    findings: list[Finding]
    recomputations: list[dict[str, Any]]
    archive: str


def open_run(conn: Connection, city: str, run_id: UUID) -> OpenRun | None:
    """A run with its inputs and outputs parsed for reading; None for an unknown one."""
    found = footprint.run_details(conn, city, run_id)
    if found is None:
        return None
    inputs, outputs = found["inputs"], found["outputs"]
    method = footprint.methodology(inputs["methodology"]["id"], inputs["methodology"]["version"])
    return OpenRun(
        run=found["run"],
        method=None if isinstance(method, Refusal) else method,
        series=[{"role": role, **one} for role, one in found["series"].items()],
        parameters=inputs["parameters"],
        factors=_factors(conn, city, inputs),
        coverage=list(_coverage(outputs.get("coverage") or {})),
        details=list(_flat(outputs.get("details") or {})),
        claims=found["claims"],
        uncertainty=outputs.get("uncertainty") or {},
        gases_kg=outputs.get("gases_kg") or {},
        code_sha256=found["code_sha256"],
        inputs=inputs,
        tables=_tables(method, found["tables"]),
        coefficients=[{"table": t, **one} for t, one in sorted(found["coefficients"].items())],
        components=_components(outputs.get("uncertainty") or {}),
        findings=found["findings"],
        recomputations=found["recomputations"],
        archive=footprint.archive_name(
            found["run"].created_at, found["run"].methodology, found["run"].id
        ),
    )


def _tables(method: Any, stated: dict[str, Any]) -> list[dict[str, Any]]:
    roles = {} if isinstance(method, Refusal) else {r.name: r for r in tables_of(method)}
    return [{"role": roles.get(name), "name": name, **one} for name, one in stated.items()]


def _components(stated: dict[str, Any]) -> list[Component]:
    """The components of the stated uncertainty, the widest first."""
    found = [(one, Decimal(one["half_width_t"])) for one in stated.get("components") or []]
    widest = max((abs(width) for _, width in found), default=Decimal(0))
    found.sort(key=lambda pair: -abs(pair[1]))
    return [
        Component(
            one["source"], one["ko"] or one["source"], one["en"] or one["source"], width,
            str(one["confidence_pct"]), one["distribution"],
            round(100 * abs(width) / widest) if widest else 0,
        )
        for one, width in found
    ]  # fmt: skip


def _factors(conn: Connection, city: str, inputs: dict[str, Any]) -> list[dict[str, Any]]:
    """The factors of a run with the very versions of their sets, imported ones too."""
    library = library_of(conn, city)
    return [
        {
            "commodity": commodity,
            "factor": factor,
            "gases": factor.get("gases_kg", factor.get("gases_kg_per_mwh")),
            "total": factor.get("co2e_kg", factor.get("co2e_kg_per_mwh")),
            "per": factor.get("per", "MWh"),
            "set": library.set_named(factor),
            "digest": inputs["factor_sets"].get(factor["set"], ""),
            "authority": next(
                (a for a in inputs["authorities"] if a["commodity"] == commodity), None
            ),
        }
        for commodity, factor in inputs["factors"].items()
    ]


def _coverage(stated: dict[str, Any]) -> Iterator[Coverage]:
    for role, found in stated.items():
        if not isinstance(found, dict):
            continue
        if "expected" in found:
            yield _one(role, "", found)
            continue
        for part, inner in found.items():
            counted = inner.get("intervals", inner) if isinstance(inner, dict) else {}
            if "expected" in counted:
                yield _one(role, part, counted)


def _one(role: str, part: str, found: dict[str, Any]) -> Coverage:
    return Coverage(
        role, part, found["expected"], found["used"], found.get("missing", 0),
        found.get("excluded") or {}, str(found.get("used_pct", "–")), found.get("gaps") or [],
    )  # fmt: skip


def _flat(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """A nested document as lines of dotted name and value."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _flat(inner, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        yield path, ", ".join(str(inner) for inner in value)
    else:
        yield path, value
