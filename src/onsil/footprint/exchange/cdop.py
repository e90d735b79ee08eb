"""The registry's records in the field names of the Carbon Data Open Protocol.

Field names and lists: JSON schemas of Carbon-Data-Open-Protocol/Carbon-Data-Open-Protocol, at the
commits that docs/footprint/exchange.md names. Fields that we do not have are left out, never
invented; `missing` says which of the protocol's required ones those are.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from onsil.footprint.exchange.cadtrust import SECTORS
from onsil.footprint.exchange.records import Issued, Record, Registry, Units

COMMIT = "0df2dcb80f709902f6279a5ac115e3e7eeb4905c"
PROJECT_STATUS = {
    "planned": "Feasibility", "consulting": "Feasibility", "reviewing": "Feasibility",
    "listed": "Listed", "validating": "Validation", "design-review": "Validation",
    "validated": "Validated", "requested": "Validated", "registered": "Registered",
    "certified-design": "Registered", "renewing": "Registered", "ended": "Completed",
    "closed": "Completed", "withdrawn": "Withdrawn",
}  # fmt: skip
"""States of our routes in the protocol's list of project states."""

REQUIRED: Mapping[str, tuple[str, ...]] = {
    "project": (
        "project.project_name", "project.project_description", "project.status[].project_status",
        "project.status[].is_current", "project.location[].country_code",
        "project_stakeholder.project_developer_name",
        "validation.validation[].validation_id",
        "validation.validation[].current_crediting_period_start_date",
        "validation.validation[].current_crediting_period_end_date",
        "validation.validation[].current_crediting_period_number",
    ),
    "unit": (
        "project.current_registry_project_id", "unit.descriptor[].metric", "unit.descriptor[].type",
        "unit.owner_account_id", "unit.reference[].serial_number", "unit.status[].status",
        "unit.status[].is_current", "unit.credit_block[].quantity", "unit.credit_block[].block_end",
        "unit.credit_block[].block_start", "vintage.vintage",
    ),
}  # fmt: skip
"""Required fields by path, of what is given here. `unit.owner_account_id` is private by the
protocol itself, and `unit.descriptor[].type` is a name of another registry's units: never given."""


def document(registry: Registry, found: Sequence[Record]) -> dict[str, Any]:
    """{"protocol", "schema_commit", "projects", "units", "missing"}; `missing` holds paths."""
    projects = [_project(registry, one) for one in found]
    units = [_unit(record, one, units) for record in found for one in record.issued
             for units in one.units]  # fmt: skip
    return {
        "protocol": "CDOP",
        "schema_commit": COMMIT,
        "projects": projects,
        "units": units,
        "missing": {
            "project": sorted({path for one in projects for path in missing(one, "project")}),
            "unit": sorted({path for one in units for path in missing(one, "unit")}),
        },
    }


def missing(made: Mapping[str, Any], kind: str) -> list[str]:
    """The required paths that a project or unit has no value for."""
    return [path for path in REQUIRED[kind] if not all(_has(made, path.split(".")))]


def _has(made: Any, path: list[str]) -> Iterator[bool]:
    if not path:
        yield made not in ("", None)
        return
    name = path[0].removesuffix("[]")
    if not isinstance(made, Mapping) or name not in made:
        yield False
        return
    if path[0].endswith("[]"):
        yield bool(made[name])
        for one in made[name]:
            yield from _has(one, path[1:])
        return
    yield from _has(made[name], path[1:])


def _filled(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value not in ("", None)}


def _project(registry: Registry, record: Record) -> dict[str, Any]:
    project, design = record.project, record.design
    sector, kind = SECTORS.get(project.methodology, ("", ""))
    status = PROJECT_STATUS.get(record.standing.state)
    made: dict[str, Any] = {
        "project": _filled(
            project_name=project.name_en, project_description=design.boundary if design else "",
            current_registry_project_id=project.code,
            current_registry_project_link=f"{registry.address}/registry/",
        ),
        "crediting_program": {
            "crediting_program": [
                {"crediting_program_name": record.programme, "is_current": True}
            ],
        },
        "registry": {"current_registry": registry.name},
        "issuance": {"issuance": _issuances(registry, record)},
    }  # fmt: skip
    made["project"]["location"] = [
        {"country_code": "KOR", "country_name": "Korea (the Republic of)"}
    ]
    if status is not None:
        made["project"]["status"] = [{"project_status": status, "is_current": True}]
    if sector:
        made["project"]["mitigation"] = [_filled(project_sector=sector, project_type=kind)]
    if design is not None:
        made["project_stakeholder"] = {"project_developer_name": design.developer}
    validated = record.verifier(None)
    made["validation"] = {"validation": [
        {
            "validation_id": one.number,
            "current_crediting_period_start_date": one.starts.isoformat(),
            "current_crediting_period_end_date": (one.ends - timedelta(days=1)).isoformat(),
            "current_crediting_period_number": one.number,
        }
        for one in record.crediting
    ]}  # fmt: skip
    if validated is not None:
        at = validated.opinions[0].created_at
        assert at is not None
        made["validation"] |= {
            "validation_body_name": validated.engagement.organisation,
            "validation_date": registry.day(at),
        }
    return made


def _issuances(registry: Registry, record: Record) -> list[dict[str, Any]]:
    made, total = [], 0
    for one in record.issued:
        total += one.batch.tonnes
        verified = record.verifier(one.monitoring.id)
        at = None if verified is None else verified.opinions[0].created_at
        made.append(
            _filled(
                batch_identifier=str(one.batch.id),
                issuance_url=f"{registry.address}/registry/{one.batch.id}/",
                date_of_issuance=registry.day(one.batch.created_at),
                date_of_verification=None if at is None else registry.day(at),
                verification_period_start=registry.day(one.monitoring.period.start),
                verification_period_end=_last(registry, one),
                batch_issued_volume=one.batch.tonnes,
                cumulative_issued_volume=total,
                issuance_status="issued",
            )
        )
    return made


def _last(registry: Registry, one: Issued) -> str:
    return registry.day(one.monitoring.period.end - timedelta(microseconds=1))


def _unit(record: Record, one: Issued, units: Units) -> dict[str, Any]:
    found, block = units.found, units.found.block
    unit: dict[str, Any] = {
        "descriptor": [{"metric": found.unit}],
        "reference": [
            {"serial_number": found.serials, "source_serial_number": one.batch.serials}
        ],
        "status": [{"status": found.status, "is_current": True}],
        "credit_block": [
            {"quantity": block.units, "block_start": block.first, "block_end": block.last}
        ],
    }  # fmt: skip
    if units.retirements:
        unit["retirement"] = [
            _filled(retirement_beneficiary=r.beneficiary,
                    retirement_detail=f"{r.purpose}: {r.reason}")
            for r in units.retirements
        ]  # fmt: skip
    return {
        "project": {"current_registry_project_id": record.project.code},
        "unit": unit,
        "vintage": {"vintage": f"{found.vintage}-01-01"},
    }
