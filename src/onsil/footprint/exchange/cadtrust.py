"""The registry's records as tables of the CAD Trust data model, version 2.

What we do not have stays empty: methodology dates and links, GIS, co-benefits, and every name of a
body that the model's pick list does not know. Sites of a project are not given, only its city: a
member site may be somebody's home.
"""

import csv
import io
import zipfile
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from onsil.footprint.exchange.records import Issued, Record, Registry, Units
from onsil.footprint.exchange.tables import BODIES, TABLES, Row

STATUS = {
    "held": "Held", "buffer": "Buffer", "retired": "Retired", "cancelled": "Cancelled",
    "expired": "Expired", "pending-export": "Inactive", "exported": "Inactive",
    "converted": "Inactive",
}  # fmt: skip
"""Our states in the model's pick list. It has no word for units that leave or left for another
registry: they are Inactive here, and unitStatusReason says why."""

PROJECT_STATUS = {
    "listed": "Listed", "validating": "Listed", "design-review": "Listed",
    "validated": "Validated", "requested": "Validated", "registered": "Registered",
    "certified-design": "Registered", "renewing": "Registered", "ended": "Completed",
    "closed": "Completed", "withdrawn": "Withdrawn",
}  # fmt: skip
"""States of our routes in the model's pick list; others, before a project is public, stay empty."""

_ENERGY = "Energy industries (renewable-/ non renewable sources)"
SECTORS: Mapping[str, tuple[str, str]] = {
    "solar-self-consumption": (_ENERGY, "Solar"),
    "grid-solar": (_ENERGY, "Solar"),
    "solar-fleet": (_ENERGY, "Solar"),
    "building-energy-savings": ("Energy demand", "Energy Efficiency service"),
    "led-replacement": ("Energy demand", "Energy Efficiency service"),
    "efficient-appliances": ("Energy demand", "Energy Efficiency households"),
    "district-heat-saving": ("Energy demand", "Energy Efficiency households"),
    "ev-replacement": ("Transport", "Transport"),
    "bus-modal-shift": ("Transport", "Transport"),
    "afforestation": ("Afforestation and reforestation", "Afforestation"),
    "tree-growth": ("Afforestation and reforestation", ""),
    "street-tree-census": ("Urban Development", ""),
    "urban-tree-defaults": ("Urban Development", ""),
    "pet-recycling": ("Waste handling and disposal", "Waste"),
    "landfill-avoidance": ("Waste handling and disposal", "Waste"),
    "incineration-avoidance": ("Waste handling and disposal", "Waste"),
    "pyrolysis-mass-balance": ("Waste handling and disposal", "Waste"),
}
"""Sector and type of each methodology in the model's pick lists; others stay empty."""

REMOVALS = ("afforestation", "tree-growth", "street-tree-census", "urban-tree-defaults")
"""Methodologies whose units are removals by nature; that of the others is not determined here."""

Tables = dict[str, list[Row]]


def _id(kind: str, *parts: object) -> str:
    """A lasting UUID of something that has none here: the same thing, the same id."""
    return str(uuid5(NAMESPACE_URL, ":".join(["onsil", kind, *map(str, parts)])))


def tables(registry: Registry, found: Sequence[Record]) -> Tables:
    """Every table, filled; the columns of each row are the table's, in order, all of them texts."""
    made: dict[str, dict[tuple[str, ...], Row]] = {table.name: {} for table in TABLES}
    columns = {table.name: table.columns for table in TABLES}

    def add(name: str, **values: Any) -> None:
        row = {c: _text(values.pop(c, "")) for c in columns[name]}
        assert not values, values
        made[name][tuple(row.values())] = row

    for record in found:
        _project(add, registry, record)
        _parties(add, registry, record)
        for one in record.issued:
            _issuance(add, registry, record, one)
    return {name: list(rows.values()) for name, rows in made.items()}


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _project(add: Any, registry: Registry, record: Record) -> None:
    project, standing, design = record.project, record.standing, record.design
    sector, kind = SECTORS.get(project.methodology, ("", ""))
    status = PROJECT_STATUS.get(standing.state, "")
    at = standing.steps[-1].created_at if standing.steps else project.created_at
    programme = _id("programme", project.programme)
    add("program", cadTrustProgramId=programme, programName=record.programme,
        programRegistry=registry.name, programRegistryProgramId=project.programme)  # fmt: skip
    add(
        "project", cadTrustProjectId=project.id, projectRegistryName=registry.name,
        projectId=project.code, projectCreditingProgram=record.programme,
        projectName=project.name_en, projectLink=f"{registry.address}/registry/",
        projectDescription=design.boundary if design else "", projectSector=sector,
        projectType=kind, projectStatus=status, projectStatusDate=status and registry.day(at),
        projectUnitMetric="tCO2e", cadTrustProgramId=programme,
    )  # fmt: skip
    add("location", cadTrustLocationId=_id("location", project.id),
        locationCountry="Republic of Korea", locationRegion=registry.city_name,
        cadTrustProjectId=project.id)  # fmt: skip
    for one in record.planned:
        add("estimation", cadTrustEstimationId=one.id, estimationStartDate=f"{one.vintage}-01-01",
            estimationEndDate=f"{one.vintage}-12-31", estimationUnitCount=one.open,
            cadTrustProjectId=project.id)  # fmt: skip


def _parties(add: Any, registry: Registry, record: Record) -> None:
    project, design = record.project, record.design
    if design is not None:
        who = _id("stakeholder", registry.city, design.developer)
        add("stakeholder", cadTrustStakeholderId=who, stakeholderName=design.developer,
            stakeholderType="Developer")  # fmt: skip
        add("stakeholder-projects", cadTrustStakeholderId=who, cadTrustProjectId=project.id,
            cadTrustStakeholderProjectId=_id("party", project.id, who))  # fmt: skip
    validated = record.verifier(None)
    if validated is None:
        return
    opinion, first = validated.opinions[0], record.crediting[0] if record.crediting else None
    assert opinion.created_at is not None
    add(
        "validation", cadTrustValidationId=validated.engagement.id, validationId=opinion.id,
        validationType="Validation of Project Design Document",
        validationBody=_body(validated.engagement.organisation),
        validationDate=registry.day(opinion.created_at),
        validationCreditPeriodStartDate=first.starts if first else "",
        validationCreditPeriodEndDate=first.ends - timedelta(days=1) if first else "",
        cadTrustProjectId=project.id,
    )  # fmt: skip


def _body(name: str) -> str:
    return name if name in BODIES else ""


def _issuance(add: Any, registry: Registry, record: Record, one: Issued) -> None:
    project, batch, period = record.project, one.batch, one.monitoring
    method = _id("methodology", one.method.id, one.method.version)
    nature = "Removal - nature" if one.method.id in REMOVALS else "Not Determined"
    applied = _id("project-methodology", project.id, method)
    add("methodology", cadTrustMethodologyId=method, methodologyCode=one.method.id,
        methodologyName=one.method.title, methodologyVersion=one.method.version,
        methodologyType=nature)  # fmt: skip
    add("project-methodology", cadTrustProjectMethodologyId=applied,
        cadTrustProjectId=project.id, cadTrustMethodologyId=method)  # fmt: skip
    verified, validated = record.verifier(period.id), record.verifier(None)
    add(
        "verification", cadTrustVerificationId=period.id,
        verificationId=f"{project.code}-{period.sequence}",
        verificationStartDate=registry.day(period.period.start),
        verificationEndDate=registry.day(period.period.end - timedelta(microseconds=1)),
        verificationBody=_body(verified.engagement.organisation) if verified else "",
        cadTrustProjectId=project.id,
        cadTrustValidationId=validated.engagement.id if validated else "",
    )  # fmt: skip
    add("issuance", cadTrustIssuanceId=batch.id, issuanceId=batch.serials,
        issuanceDate=registry.day(batch.created_at), cadTrustVerificationId=period.id,
        cadTrustProjectMethodologyId=applied,
        cadTrustLocationId=_id("location", project.id))  # fmt: skip
    for units in one.units:
        _unit(add, registry, units, nature, batch.id)
    _labels(add, registry, one)


def _unit(add: Any, registry: Registry, units: Units, nature: str, batch: UUID) -> None:
    found, block = units.found, units.found.block
    add(
        "unit", cadTrustUnitId=block.id, unitSerialId=found.serials, unitStartBlock=block.first,
        unitEndBlock=block.last, unitCount=block.units, unitType=nature,
        unitVintageYear=found.vintage, unitStatus=STATUS[block.state],
        unitStatusReason=units.reason, unitStatusDate=registry.day(units.since),
        unitRetirementDetail="; ".join(f"{r.purpose}: {r.reason}" for r in units.retirements),
        unitRetirementBeneficiary="; ".join(r.beneficiary for r in units.retirements),
        unitLink=f"{registry.address}/registry/units/{block.id}/", unitMetric="tCO2e",
        unitCurrentOwner=found.holder, cadTrustIssuanceId=batch,
    )  # fmt: skip


def _labels(add: Any, registry: Registry, one: Issued) -> None:
    stated: list[tuple[str, str, str, date | None, str]] = [
        (str(x.id), x.label, "Certification", x.starts, x.reference) for x in one.labels
    ]
    letter = one.adjustment
    if letter.letter:
        key = _id("letter", one.batch.id, letter.letter)
        kind = "Article 6 - Authorisation"
        stated.append((key, letter.letter, kind, letter.letter_on, letter.country))
    for key, name, kind, day, why in stated:
        add("label", cadTrustLabelId=key, labelName=name, labelType=kind, labelDate=day)
        for units in one.units:
            add("unit-label", cadTrustLabelId=key, cadTrustUnitId=units.found.block.id,
                labelUnitDate=day, labelUnitDescription=why)  # fmt: skip


# A spreadsheet runs a cell that begins so as a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def archive(filled: Mapping[str, Sequence[Row]]) -> bytes:
    """All tables as one ZIP of CSV files, byte for byte the same for the same tables."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for table in TABLES:
            text = io.StringIO(newline="")
            writer = csv.writer(text)
            writer.writerow(table.columns)
            for row in filled[table.name]:
                writer.writerow(f"'{v}" if v.startswith(_FORMULA) else v for v in row.values())
            made.writestr(zipfile.ZipInfo(f"{table.name}.csv"), text.getvalue().encode())
    return out.getvalue()
