"""The registry's public interface in OpenAPI 3.1 (https://spec.openapis.org/oas/v3.1.0), by hand.

Each answer's schema names the top-level keys that are always there; tests ask every path for them.
"""

from collections.abc import Mapping
from typing import Any

from onsil import __version__
from onsil.footprint.exchange import TABLES
from onsil.portal.views.units import COLUMNS

Schema = Mapping[str, Any]
_TEXT: Schema = {"type": "string"}
_UUID: Schema = {"type": "string", "format": "uuid"}
_JSON = "application/json"


def _object(**properties: Any) -> Schema:
    """An object whose properties are all always there."""
    return {"type": "object", "properties": properties, "required": list(properties)}


def _list(of: Schema) -> Schema:
    return {"type": "array", "items": of}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _in_path(name: str, schema: Schema, description: str) -> dict[str, Any]:
    return {
        "name": name, "in": "path", "required": True, "schema": schema, "description": description,
    }  # fmt: skip


def _in_query(name: str, schema: Schema, description: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": schema, "description": description}


def _get(
    id: str, summary: str, schema: Schema, *parameters: Mapping[str, Any], media: str = _JSON
) -> dict[str, Any]:
    answers: dict[str, Any] = {
        "200": {"description": summary, "content": {media: {"schema": schema}}}
    }
    if any(one["in"] == "path" for one in parameters):
        answers["404"] = {"description": "There is no such thing in this city."}
    made: dict[str, Any] = {"operationId": id, "summary": summary, "responses": answers}
    if parameters:
        made["parameters"] = list(parameters)
    return {"get": made}


def _schemas() -> dict[str, Schema]:
    numbers = {"first", "last", "units", "vintage"}
    row = {c: {"type": "integer"} if c in numbers else _TEXT for c in COLUMNS}
    span = {"type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 2,
            "description": "First serial, and the one after the last."}  # fmt: skip
    step = _object(kind=_TEXT, at={"type": "string", "format": "date-time"}, spans=_list(span),
                   source=_TEXT, destination=_TEXT)  # fmt: skip
    return {
        "Units": _object(**row),
        "Unit": _object(
            **row, id=_UUID, batch=_UUID, labels=_list({"type": "object"}),
            adjustment={"type": "object"}, retirements=_list(_UUID), history=_list(step),
        ),
        "Retirement": _object(
            id=_UUID, batch=_UUID, serials=_TEXT, units={"type": "integer"}, beneficiary=_TEXT,
            purpose=_TEXT, reason=_TEXT, jurisdiction=_TEXT,
            served={"type": ["array", "null"], "items": {"type": "string", "format": "date"}},
            retired_at={"type": "string", "format": "date-time"}, certificate=_TEXT,
            credential=_TEXT,
        ),
        "FactorSet": _object(
            id=_TEXT, version={"type": "integer"}, reference=_TEXT, publisher=_TEXT, document=_TEXT,
            published={"type": "string", "format": "date"}, maturity=_TEXT, sha256=_TEXT,
        ),
    }  # fmt: skip


def _searched() -> list[dict[str, Any]]:
    return [
        _in_query("serial", _TEXT, "A serial, its number alone, or the beginning of serials"),
        _in_query("project", _TEXT, "Part of a project's code or name"),
        _in_query("vintage", {"type": "integer"}, "Year"),
        _in_query("state", _TEXT, "held, buffer, retired, cancelled, expired, pending-export, "
                                  "exported or converted"),
        _in_query("holder", _TEXT, "Part of the name of a holder who agreed to be named"),
        _in_query("beneficiary", _TEXT, "Part of the name that units were used for"),
    ]  # fmt: skip


def _registry() -> dict[str, Any]:
    block = _in_path("block", _UUID, "A block of units, as the search gives it")
    used = _in_path("retirement", _UUID, "A retirement")
    return {
        "/registry/units.json": _get(
            "searchUnits", "Units that match, newest serials first, up to 10,000 blocks",
            _object(units=_list(_ref("Units"))), *_searched(),
        ),
        "/api/registry/units/{block}": _get(
            "unit", "A block of units with its history, labels and corresponding adjustment",
            _ref("Unit"), block,
        ),
        "/api/registry/retirements/{retirement}": _get(
            "retirement", "What was used up, by which serials and for whom", _ref("Retirement"),
            used,
        ),
        "/registry/retirements/{retirement}/credential.jwt": _get(
            "credential", "The retirement as a W3C verifiable credential, signed by the city",
            _TEXT, used, media="application/vc+jwt",
        ),
        "/.well-known/did.json": _get(
            "didDocument", "The city's DID document, with the key that signs its credentials",
            {"type": "object", "required": ["id", "verificationMethod"]},
            media="application/did+json",
        ),
    }  # fmt: skip


def _exchange() -> dict[str, Any]:
    tables = {table.name: _list({"type": "object", "required": list(table.columns)})
              for table in TABLES}  # fmt: skip
    return {
        "/registry/exchange/cad-trust.json": _get(
            "cadTrust", "The registry in the tables of the CAD Trust data model, version 2",
            _object(**tables),
        ),
        "/registry/exchange/cad-trust.zip": _get(
            "cadTrustFiles", "The same tables as CSV files in one ZIP",
            {"type": "string", "contentMediaType": "application/zip"}, media="application/zip",
        ),
        "/registry/exchange/cdop.json": _get(
            "cdop", "The registry in the fields of the Carbon Data Open Protocol; `missing` names "
            "the required fields that it has no value for",
            _object(protocol=_TEXT, schema_commit=_TEXT, projects=_list({"type": "object"}),
                    units=_list({"type": "object"}), missing={"type": "object"}),
        ),
        "/registry/catalog.jsonld": _get(
            "registryCatalogue", "The registry and the factor library as data sets (DCAT 3)",
            {"type": "object", "required": ["@context", "@graph"]},
            media="application/ld+json",
        ),
        "/api/methodologies/": _get(
            "methodologies", "Every methodology in every version, with formula and sources",
            {"type": "object", "required": ["methodologies"]},
        ),
        "/api/factors/": _get(
            "factorSets", "The emission factor sets that come with the product",
            _object(sets=_list(_ref("FactorSet"))),
        ),
        "/api/factors/{reference}": _get(
            "factorSet", "A factor set with its provenance and every factor",
            {"type": "object", "required": ["id", "version", "publisher", "maturity", "factors"]},
            _in_path("reference", _TEXT, "A set by id (its newest version) or as id@version"),
        ),
    }  # fmt: skip


def description(city_name: str, address: str) -> dict[str, Any]:
    """The whole document for the city at an address."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"Onsil carbon registry: {city_name}",
            "version": __version__,
            "description": "Public and read only. Nobody signs in. Quantities that are not whole "
            "are decimal texts. Holders are named only where they agreed to it.",
        },
        "servers": [{"url": address}],
        "paths": {
            **_registry(),
            **_exchange(),
            "/api/registry/openapi.json": _get(
                "description", "This document",
                {"type": "object", "required": ["openapi", "info", "paths"]},
            ),
        },
        "components": {"schemas": _schemas()},
    }  # fmt: skip
