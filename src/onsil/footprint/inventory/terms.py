"""The nouns of an inventory: whose and of which year, its lines, its sealed versions."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

CITY, COMPANY = "city", "company"
NOTATION = ("NO", "NE", "IE", "C")
CAUSES = ("activity", "factor", "gwp", "boundary", "method", "error")
APPROACHES = ("operational-control", "financial-control", "equity-share")
LEVELS = ("BASIC", "BASIC+")
FULL_SHARE_BP = 10_000


@dataclass(frozen=True)
class Activity:
    """Activity data: a stated amount from a document, or the hub's meters over the year.

    `source` is `table` (then `amount` and `document`) or `hub` (then `series` as
    "entity#attribute", or `attribute` with `entity_type` for all meters of a kind). `gap_rule`:
    `as-measured` counts what was measured and shows what is missing; `mean` adds for missing
    intervals the mean of those measured, and the added share is shown. `basis` is `ncv` or `gcv`
    where the unit is one of fuel energy.
    """

    source: str
    unit: str
    amount: Decimal | None = None
    document: str = ""
    series: tuple[str, ...] = ()
    attribute: str = ""
    entity_type: str = ""
    gap_rule: str = "as-measured"
    basis: str = ""

    def document_form(self) -> dict[str, Any]:
        return {
            "source": self.source, "unit": self.unit, "amount": self.amount,
            "document": self.document, "series": list(self.series), "attribute": self.attribute,
            "entity_type": self.entity_type, "gap_rule": self.gap_rule, "basis": self.basis,
        }  # fmt: skip

    @staticmethod
    def of(made: Mapping[str, Any]) -> "Activity":
        return Activity(
            made["source"], made["unit"], decimal_or_none(made.get("amount")),
            made.get("document", ""), tuple(made.get("series", ())), made.get("attribute", ""),
            made.get("entity_type", ""), made.get("gap_rule", "as-measured"),
            made.get("basis", ""),
        )  # fmt: skip


@dataclass(frozen=True)
class FactorUse:
    """Which factor: of the library by authority, or stated with the document it stands in.

    `source` is `authority` (then the five names of a FactorAuthority) or `stated` (then
    `gases_kg` per `per`, or `co2e_kg` with the GWP set it was summed under; `co2b` is biogenic
    CO2, counted apart). A stated factor needs a `document` and says its `maturity`.
    """

    source: str
    programme: str = ""
    factor_set: str = ""
    commodity: str = ""
    boundary: str = ""
    gases_kg: Mapping[str, Decimal] | None = None
    co2e_kg: Decimal | None = None
    co2e_gwp_set: str = ""
    per: str = ""
    document: str = ""
    maturity: str = ""

    def document_form(self) -> dict[str, Any]:
        return {
            "source": self.source, "programme": self.programme, "factor_set": self.factor_set,
            "commodity": self.commodity, "boundary": self.boundary,
            "gases_kg": None if self.gases_kg is None else dict(self.gases_kg),
            "co2e_kg": self.co2e_kg, "co2e_gwp_set": self.co2e_gwp_set, "per": self.per,
            "document": self.document, "maturity": self.maturity,
        }  # fmt: skip

    @staticmethod
    def of(made: Mapping[str, Any]) -> "FactorUse":
        gases = made.get("gases_kg")
        return FactorUse(
            made["source"], made.get("programme", ""), made.get("factor_set", ""),
            made.get("commodity", ""), made.get("boundary", ""),
            None if gases is None else {gas: Decimal(kg) for gas, kg in gases.items()},
            decimal_or_none(made.get("co2e_kg")), made.get("co2e_gwp_set", ""),
            made.get("per", ""), made.get("document", ""), made.get("maturity", ""),
        )  # fmt: skip


@dataclass(frozen=True)
class LineSpec:
    """One line: a reference number with activity data and factor, a calculator, or notation keys.

    `code` names the line within its inventory and stays the same from version to version.
    `elsewhere` says where an IE line is included. `share_bp`, in ten-thousandths, is what a
    company's boundary takes of it; `entity` is the part of the company it belongs to. The two
    percentages are half-widths of 95 % confidence; lines that share `factor_source` share one
    error. `calculator` with `parameters` replaces activity and factor. Quality is H, M or L.
    """

    code: str
    ref: str
    name: str
    notation: tuple[str, ...] = ()
    elsewhere: str = ""
    activity: Activity | None = None
    factor: FactorUse | None = None
    calculator: str = ""
    parameters: Mapping[str, Any] | None = None
    tier: int | None = None
    activity_quality: str = ""
    factor_quality: str = ""
    activity_pct: Decimal | None = None
    factor_pct: Decimal | None = None
    activity_source: str = ""
    factor_source: str = ""
    method: str = ""
    entity: str = ""

    @property
    def quantified(self) -> bool:
        return self.activity is not None or self.calculator != ""

    def document(self) -> dict[str, Any]:
        """The line as it is stored and hashed."""
        return {
            "code": self.code, "ref": self.ref, "name": self.name,
            "notation": list(self.notation), "elsewhere": self.elsewhere,
            "activity": None if self.activity is None else self.activity.document_form(),
            "factor": None if self.factor is None else self.factor.document_form(),
            "calculator": self.calculator,
            "parameters": None if self.parameters is None else dict(self.parameters),
            "tier": self.tier, "activity_quality": self.activity_quality,
            "factor_quality": self.factor_quality, "activity_pct": self.activity_pct,
            "factor_pct": self.factor_pct, "activity_source": self.activity_source,
            "factor_source": self.factor_source, "method": self.method, "entity": self.entity,
        }  # fmt: skip

    @staticmethod
    def of(made: Mapping[str, Any]) -> "LineSpec":
        activity, factor = made.get("activity"), made.get("factor")
        return LineSpec(
            made["code"], made["ref"], made["name"], tuple(made.get("notation", ())),
            made.get("elsewhere", ""), None if activity is None else Activity.of(activity),
            None if factor is None else FactorUse.of(factor), made.get("calculator", ""),
            made.get("parameters"), made.get("tier"), made.get("activity_quality", ""),
            made.get("factor_quality", ""), decimal_or_none(made.get("activity_pct")),
            decimal_or_none(made.get("factor_pct")), made.get("activity_source", ""),
            made.get("factor_source", ""), made.get("method", ""), made.get("entity", ""),
        )  # fmt: skip


@dataclass(frozen=True)
class Part:
    """A part of a company: what it holds of it, and whether it controls it."""

    code: str
    name: str
    equity_bp: int
    operational: bool
    financial: bool

    def share_bp(self, approach: str) -> int:
        """Ten-thousandths that the chosen approach consolidates (Corporate Standard, chapter 3)."""
        if approach == "equity-share":
            return self.equity_bp
        held = self.operational if approach == "operational-control" else self.financial
        return FULL_SHARE_BP if held else 0


@dataclass(frozen=True)
class Settings:
    """What holds for the whole inventory: GWP set, level, boundary, who is inside it.

    `inside` names buyers of credits that lie within the city, whose units stay in its account.
    `approach` and `parts` are a company's organisational boundary.
    """

    gwp_set: str = "AR5"
    level: str = "BASIC"
    boundary: str = ""
    approach: str = "operational-control"
    parts: tuple[Part, ...] = ()
    inside: tuple[str, ...] = ()
    population: int | None = None

    def document(self) -> dict[str, Any]:
        return {
            "gwp_set": self.gwp_set, "level": self.level, "boundary": self.boundary,
            "approach": self.approach, "inside": list(self.inside), "population": self.population,
            "parts": [dict(vars(part)) for part in self.parts],
        }  # fmt: skip

    @staticmethod
    def of(made: Mapping[str, Any]) -> "Settings":
        return Settings(
            made["gwp_set"], made["level"], made["boundary"], made["approach"],
            tuple(Part(**part) for part in made["parts"]), tuple(made["inside"]),
            made["population"],
        )  # fmt: skip


@dataclass(frozen=True)
class Inventory:
    """Whose emissions of which year: a city's (`subject` is its code) or a company's."""

    id: UUID
    kind: str
    subject: str
    name: str
    year: int
    actor: str
    created_at: datetime


@dataclass(frozen=True)
class Line:
    """A line as it stands: its spec, which revision it is, why and by whom it was changed."""

    spec: LineSpec
    revision: int
    cause: str
    reason: str
    actor: str
    created_at: datetime


@dataclass(frozen=True)
class Version:
    """A compilation: inputs and outputs by hash; sealed once a second person has agreed."""

    id: UUID
    inventory_id: UUID
    number: int
    co2e_kg: Decimal | None
    inputs_digest: str
    outputs_digest: str
    engine: str
    code_digest: str
    maker: str
    created_at: datetime
    decision: str | None
    checker: str | None
    decided_at: datetime | None
    reason: str

    @property
    def sealed(self) -> bool:
        return self.decision == "sealed"


@dataclass(frozen=True)
class RecalculationPolicy:
    """When the base year must be done again: which causes count, from which share on."""

    base_year: int
    threshold_bp: int
    causes: tuple[str, ...]
    text: str
    revision: int = 0
    actor: str = ""
    created_at: datetime | None = None


@dataclass(frozen=True)
class Check:
    """A version compiled again: identical when its outputs have the very same bytes."""

    identical: bool
    stored_digest: str
    recomputed_digest: str
    note: str = ""


def decimal_or_none(text: Any) -> Decimal | None:
    return None if text is None else Decimal(text)
