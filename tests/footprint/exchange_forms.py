"""What the two exchange formats ask for, as their own published schemas say it, in our words.

CAD Trust: docs/cadtrust-schema-v2.0.2.json of Chia-Network/cadt at
0f406f57cfaa98c1e35517f4334202d0483877c1 (dictionary 2.0.2, 2026-06-30): API field names, types,
and which are required of whoever hands in. Left out: fields of the node itself (createdAt, orgUid).
Two names differ between that dictionary and the node's own models, which take what is sent
(program-v2, co-benefit-v2 modeltypes): there the models' names stand.

CDOP: json_schema/ of Carbon-Data-Open-Protocol/Carbon-Data-Open-Protocol at
0df2dcb80f709902f6279a5ac115e3e7eeb4905c: names, types, formats, required fields and closed lists of
the parts that we give. Both are facts taken over by hand; the files themselves are not copied.
"""

from typing import Any

# kind: i UUID, t text, l link, d day, n number, y year, or the name of a pick list; ! required.
CAD_TRUST = {
    "program": "i!cadTrustProgramId t!programName t!programRegistry t!programRegistryProgramId "
    "t?programDescription t?programRegistryActivityId",
    "methodology": "i!cadTrustMethodologyId t!methodologyCode t!methodologyName "
    "type?methodologyType t?methodologyVersion d?methodologyDate l?methodologyLink",
    "stakeholder": "i!cadTrustStakeholderId t!stakeholderName stakeholder!stakeholderType "
    "l?stakeholderLink",
    "stakeholder-projects": "i!cadTrustStakeholderProjectId i!cadTrustStakeholderId "
    "i!cadTrustProjectId",
    "label": "i!cadTrustLabelId t!labelName label!labelType l?labelLink d?labelDate",
    "project": "i!cadTrustProjectId t!projectRegistryName t!projectId t?projectCreditingProgram "
    "t!projectName l!projectLink t?projectDescription sector!projectSector ptype!projectType "
    "t?projectSubtype pstatus!projectStatus d!projectStatusDate metric!projectUnitMetric "
    "t?cadTrustReferenceProjectId i?cadTrustProgramId",
    "project-methodology": "i!cadTrustProjectMethodologyId i!cadTrustProjectId "
    "i!cadTrustMethodologyId d?projectMethodologyDate t?projectMethodologyDescription",
    "validation": "i!cadTrustValidationId t!validationId t!validationType t!validationBody "
    "d?validationDate d?validationCreditPeriodStartDate d?validationCreditPeriodEndDate "
    "i!cadTrustProjectId",
    "verification": "i!cadTrustVerificationId t!verificationId d?verificationStartDate "
    "d?verificationEndDate t!verificationBody i!cadTrustProjectId i?cadTrustValidationId",
    "location": "i!cadTrustLocationId t!locationCountry t?locationRegion t?locationGis "
    "t?locationMapType l?locationMapFileLink i!cadTrustProjectId",
    "estimation": "i!cadTrustEstimationId d!estimationStartDate d!estimationEndDate "
    "n!estimationUnitCount t?estimationReferenceNo i!cadTrustProjectId",
    "co-benefit": "i!cadTrustCoBenefitId t!coBenefitId i!cadTrustProjectId",
    "issuance": "i!cadTrustIssuanceId t!issuanceId d?issuanceDate i!cadTrustVerificationId "
    "i!cadTrustProjectMethodologyId i!cadTrustLocationId",
    "unit": "i!cadTrustUnitId t!unitSerialId t!unitStartBlock t!unitEndBlock n!unitCount "
    "type!unitType y!unitVintageYear status!unitStatus t!unitStatusReason d!unitStatusDate "
    "t?unitRetirementDetail t?unitRetirementBeneficiary t?unitRetirementBeneficiaryId l?unitLink "
    "metric!unitMetric t?unitCurrentOwner t?unitItmosReferenceId i!cadTrustIssuanceId",
    "unit-label": "i!cadTrustLabelId i!cadTrustUnitId d!labelUnitDate t?labelUnitDescription",
}  # fmt: skip
_TYPES = (
    "Avoidance - nature|Avoidance - technical|Not Determined|Reduction - nature|"
    "Reduction - technical|Removal - nature|Removal - technical"
)
_KINDS = {
    "i": {"pattern": "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"},
    "t": {},
    "l": {"format": "uri"},
    "d": {"format": "date"},
    "n": {"pattern": r"^\d+(\.\d{1,6})?$"},
    "y": {"pattern": "^(19|20)\\d\\d$"},
}
_LISTS = {
    "type": _TYPES,
    "status": "Buffer|Cancelled|Expired|Held|Inactive|Issued|Rejected|Retired",
    "metric": "gCO2eq/kWh|kt (Kiloton)|tCO2e",
    "pstatus": "Certified|Completed|Inactive|Listed|Registered|Rejected|Validated|Verified|"
    "Withdrawn",
    "sector": "Afforestation and reforestation|Agriculture|Any combination of the above|"
    "Carbon capture and storage|Chemical industries|Construction|Energy demand|"
    "Energy distribution|Energy industries (renewable-/ non renewable sources)|"
    "Livestock and manure management|Manufacturing industries|Metal production|"
    "Mining/mineral production|Others|Solvent use|Transport|Urban Development|"
    "Waste handling and disposal",
    "ptype": "Afforestation|Agriculture|Agriculture, forestry and other land use (AFOLU)|"
    "Any combination of the above|Biogas|Biomass Energy|CO2 usage|Cement|Coal bed/mine methane|"
    "Energy Efficiency Industry|Energy Efficiency households|Energy Efficiency own generation|"
    "Energy Efficiency service|Energy Efficiency supply side|Energy distribution|Fugitive|"
    "Geothermal|Hydro|Landfill gas|Methane avoidance|N2O|PFCs and SF6|Reforestation|Solar|Tidal|"
    "Transport|Waste|Wind",
    "stakeholder": "Owner|Developer|Consultant",
    "label": "Certification|Article 6 - Endorsement|Article 6 - Letter of Qualification|"
    "Article 6 - Authorisation|Article 6 - Letter of Approvals",
}  # fmt: skip


def cad_trust_schema(table: str) -> dict[str, Any]:
    """JSON Schema of a row with its empty columns left out: nothing else, all that is required."""
    properties, required = {}, []
    for word in CAD_TRUST[table].split():
        sign = "!" if "!" in word else "?"
        kind, _, name = word.partition(sign)
        rule = _KINDS.get(kind) or ({"enum": _LISTS[kind].split("|")} if kind in _LISTS else {})
        properties[name] = {"type": "string", "minLength": 1, **rule}
        if sign == "!":
            required.append(name)
    return {"type": "object", "additionalProperties": False, "properties": properties,
            "required": required}  # fmt: skip


def _object(required: tuple[str, ...] = (), **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(required)}


def _list(required: tuple[str, ...] = (), **properties: Any) -> dict[str, Any]:
    return {"type": "array", "items": _object(required, **properties)}


_T, _N, _B = {"type": "string"}, {"type": "integer"}, {"type": "boolean"}
_D = {"type": "string", "format": "date"}
_STATUSES = (
    "Pre-feasibility|Feasibility|Project design drafting|Project design finalization|Listed|"
    "Validation|Validated|Registered|Approved|Authorized|Verified and issuing|Completed|Withdrawn|"
    "De-registered|Inactive|Rejected"
)  # fmt: skip
_PATHWAYS = (
    "Afforestation|Agriculture|Biogas|Biomass Energy|Cement|CO2 usage|Coal bed/mine methane|"
    "Energy distribution|Energy Efficiency households|Energy Efficiency Industry|"
    "Energy Efficiency own generation|Energy Efficiency service|Energy Efficiency supply side|"
    "Fossil fuel switch|Fugitive|Geothermal|Hydro|Landfill gas|Methane avoidance|N2O|PFCs and SF6|"
    "Reforestation|Solar|Tidal|Transport|Waste|Wind|Any combination of the above"
)  # fmt: skip
_UNIT = _object(
    ("project", "unit", "vintage"),
    project=_object(("current_registry_project_id",), current_registry_project_id=_T),
    unit=_object(
        ("owner_account_id",),
        descriptor=_list(("metric", "type"), metric=_T, type=_T),
        owner_account_id=_T,
        retirement=_list(retirement_beneficiary=_T, retirement_detail=_T),
        reference=_list(("serial_number",), serial_number=_T, source_serial_number=_T),
        status=_list(("is_current", "status"), status=_T, status_reason=_T, is_current=_B),
        credit_block=_list(
            ("block_end", "block_start", "quantity"), quantity=_N, block_end=_N, block_start=_N
        ),
    ),
    vintage=_object(("vintage",), vintage=_D),
)
_PERIOD = (
    "current_crediting_period_end_date", "current_crediting_period_number",
    "current_crediting_period_start_date", "validation_id",
)  # fmt: skip
_PROJECT = _object(
    crediting_program=_object(
        crediting_program=_list(crediting_program_name=_T, is_current=_B),
    ),
    project=_object(
        ("project_description", "project_name"),
        project_name=_T, project_description=_T, current_registry_project_link=_T,
        mitigation=_list(project_sector=_T, project_type={"enum": _PATHWAYS.split("|")}),
        status=_list(("is_current", "project_status"),
                     project_status={"enum": _STATUSES.split("|")}, is_current=_B),
    ),
    project_stakeholder=_object(("project_developer_name",), project_developer_name=_T),
    validation=_object(
        validation=_list(_PERIOD, validation_id=_N, current_crediting_period_start_date=_D,
                         current_crediting_period_end_date=_D, current_crediting_period_number=_N),
    ),
)  # fmt: skip
CDOP = {"project": _PROJECT, "unit": _UNIT}
