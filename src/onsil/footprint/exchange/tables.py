"""The tables of the CAD Trust data model, version 2: columns, what must be there, pick lists.

Column names, required columns and pick lists are those of the public repository Chia-Network/cadt
(`src/models/v2/*-v2.modeltypes`, `src/models/governance/governance-v2-real-picklists.js`), read at
the commits that docs/footprint/exchange.md names; where the published dictionary 2.0.2 is newer
(`docs/cadtrust-schema-v2.0.2.json`), its. A leading `*` marks a column that may not be
empty.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

_TYPES = (
    "Avoidance - nature", "Avoidance - technical", "Reduction - nature", "Reduction - technical",
    "Removal - nature", "Removal - technical", "Not Determined",
)  # fmt: skip
_METRICS = ("tCO2e", "gCO2eq/kWh", "kt (Kiloton)")
BODIES = (
    "Korea Energy Agency", "Korea Testing & Research Institute", "Korean Foundation for Quality",
    "Korean Standards Association",
)  # fmt: skip
"""The Korean bodies of the model's list of validation and verification bodies."""

PICKS: Mapping[str, tuple[str, ...]] = {
    "projectSector": (
        "Afforestation and reforestation", "Agriculture", "Energy demand", "Energy distribution",
        "Energy industries (renewable-/ non renewable sources)", "Transport", "Urban Development",
        "Waste handling and disposal", "Others",
    ),
    "projectType": (
        "Energy Efficiency households", "Energy Efficiency service", "Solar", "Transport",
        "Reforestation", "Afforestation", "Waste", "Any combination of the above",
    ),
    "projectStatus": (
        "Listed", "Registered", "Validated", "Verified", "Certified", "Completed", "Withdrawn",
        "Inactive", "Rejected",
    ),
    "projectUnitMetric": _METRICS,
    "methodologyType": _TYPES,
    "validationType": (
        "Validation of Project Design Document", "Validation of Post Registration Change",
        "Validation of Renewal of Credit Period",
    ),
    "validationBody": BODIES,
    "verificationBody": BODIES,
    "unitType": _TYPES,
    "unitStatus": (
        "Issued", "Held", "Retired", "Cancelled", "Expired", "Buffer", "Inactive", "Rejected",
    ),
    "unitMetric": _METRICS,
    "locationCountry": ("Republic of Korea",),
    "stakeholderType": ("Owner", "Developer", "Consultant"),
    "labelType": (
        "Certification", "Article 6 - Endorsement", "Article 6 - Letter of Qualification",
        "Article 6 - Authorisation", "Article 6 - Letter of Approvals",
    ),
}  # fmt: skip
"""Values that a column may have; lists of which this registry can never use the rest are cut."""


@dataclass(frozen=True)
class Table:
    """A table's name in the model, its columns in order, and which of them may not be empty."""

    name: str
    columns: tuple[str, ...]
    required: tuple[str, ...]


def _table(name: str, columns: str) -> Table:
    words = columns.split()
    return Table(
        name, tuple(w.lstrip("*") for w in words), tuple(w[1:] for w in words if w[0] == "*")
    )


TABLES: tuple[Table, ...] = (
    _table("program", """*cadTrustProgramId *programName *programRegistry *programRegistryProgramId
        programRegistryActivityId programDescription"""),
    _table("project", """*cadTrustProjectId *projectRegistryName *projectId projectCreditingProgram
        *projectName projectLink projectDescription projectSector projectType projectSubtype
        projectStatus projectStatusDate projectUnitMetric cadTrustReferenceProjectId
        cadTrustProgramId"""),
    _table("methodology", """*cadTrustMethodologyId *methodologyCode *methodologyName
        methodologyVersion methodologyDate methodologyLink methodologyType"""),
    _table("project-methodology", """*cadTrustProjectMethodologyId *cadTrustProjectId
        *cadTrustMethodologyId
        projectMethodologyDate projectMethodologyDescription"""),
    _table("stakeholder", """*cadTrustStakeholderId *stakeholderName stakeholderType
        stakeholderLink"""),
    _table("stakeholder-projects", """*cadTrustStakeholderProjectId *cadTrustStakeholderId
        *cadTrustProjectId"""),
    _table("location", """*cadTrustLocationId locationCountry locationRegion locationGis
        locationMapType locationMapFileLink *cadTrustProjectId"""),
    _table("validation", """*cadTrustValidationId *validationId validationType validationBody
        validationDate validationCreditPeriodStartDate validationCreditPeriodEndDate
        *cadTrustProjectId"""),
    _table("verification", """*cadTrustVerificationId *verificationId verificationStartDate
        verificationEndDate verificationBody *cadTrustProjectId cadTrustValidationId"""),
    _table("estimation", """*cadTrustEstimationId *estimationStartDate *estimationEndDate
        estimationUnitCount estimationReferenceNo *cadTrustProjectId"""),
    _table("issuance", """*cadTrustIssuanceId *issuanceId issuanceDate *cadTrustVerificationId
        *cadTrustProjectMethodologyId cadTrustLocationId"""),
    _table("unit", """*cadTrustUnitId *unitSerialId *unitStartBlock *unitEndBlock unitCount unitType
        *unitVintageYear unitStatus unitStatusReason unitStatusDate unitRetirementDetail
        unitRetirementBeneficiary unitRetirementBeneficiaryId unitLink unitMetric unitCurrentOwner
        unitItmosReferenceId *cadTrustIssuanceId"""),
    _table("label", "*cadTrustLabelId *labelName labelType labelLink labelDate"),
    _table("unit-label", "*cadTrustLabelId *cadTrustUnitId labelUnitDate labelUnitDescription"),
    _table("co-benefit", "*cadTrustCoBenefitId *coBenefitId *cadTrustProjectId"),
)  # fmt: skip

_KEYS = {
    "cadTrustProgramId": "program", "cadTrustProjectId": "project",
    "cadTrustMethodologyId": "methodology",
    "cadTrustProjectMethodologyId": "project-methodology", "cadTrustStakeholderId": "stakeholder",
    "cadTrustLocationId": "location", "cadTrustValidationId": "validation",
    "cadTrustVerificationId": "verification", "cadTrustIssuanceId": "issuance",
    "cadTrustUnitId": "unit", "cadTrustLabelId": "label",
}  # fmt: skip

ASKED: Mapping[str, tuple[str, ...]] = {
    "project": (
        "projectLink", "projectSector", "projectType", "projectStatus", "projectStatusDate",
        "projectUnitMetric",
    ),
    "stakeholder": ("stakeholderType",),
    "label": ("labelType",),
    "validation": ("validationType", "validationBody"),
    "verification": ("verificationBody",),
    "location": ("locationCountry",),
    "estimation": ("estimationUnitCount",),
    "issuance": ("cadTrustLocationId",),
    "unit": (
        "unitCount", "unitType", "unitStatus", "unitStatusReason", "unitStatusDate", "unitMetric",
    ),
    "unit-label": ("labelUnitDate",),
}  # fmt: skip
"""What the dictionary asks for beyond what the model's own tables need (see `wanting`)."""

Row = Mapping[str, str]
Filled = Mapping[str, Sequence[Row]]


def faults(filled: Filled) -> list[str]:
    """What the model would refuse in these tables, each as `table row column: why`; empty: none.

    Checked: the columns themselves, required values, UUIDs, dates, pick lists, references.
    """
    ids = {
        name: {row[key] for row in filled[name]} for key, name in _KEYS.items() if filled.get(name)
    }
    found: list[str] = []
    for table in TABLES:
        for number, row in enumerate(filled.get(table.name, ()), 1):
            at = f"{table.name} {number}"
            if tuple(row) != table.columns:
                found.append(f"{at}: columns {list(row)}")
                continue
            for column, value in row.items():
                why = _wrong(table, column, value, ids)
                if why:
                    found.append(f"{at} {column}: {why}")
    unknown = set(filled) - {table.name for table in TABLES}
    return found + [f"{name}: no such table" for name in sorted(unknown)]


def wanting(filled: Filled) -> list[str]:
    """`table.column` of what the dictionary asks for and some row has no value for. Not made up."""
    return [
        f"{name}.{column}"
        for name, columns in ASKED.items()
        for column in columns
        if any(not row[column] for row in filled.get(name, ()))
    ]


def _wrong(table: Table, column: str, value: str, ids: Mapping[str, set[str]]) -> str:
    if not value:
        return "empty" if column in table.required else ""
    if column in PICKS and value not in PICKS[column]:
        return f"{value!r} is not in the pick list"
    try:
        if column.startswith("cadTrust"):
            UUID(value)
        elif column.endswith("Date"):
            date.fromisoformat(value)
    except ValueError:
        return f"{value!r} is not of its kind"
    target = _KEYS.get(column)
    if target is not None and value not in ids.get(target, set()):
        return f"{value} is not in {target}"
    return ""
