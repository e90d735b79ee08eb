"""Finding units: by serial, project, vintage, state, disclosed holder or beneficiary."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from onsil.core.database import Connection
from onsil.footprint.credits.events import as_range, events
from onsil.footprint.credits.labels import public_names
from onsil.footprint.credits.spans import common
from onsil.footprint.credits.terms import CAD_TRUST, STATES, UnitBlock, state_of
from onsil.footprint.store import rows

_SERIAL = re.compile(r"^(?:(?P<prefix>.+)-)?(?P<number>\d{1,18})$")
_FOUND = """SELECT u.id, u.batch_id, u.serials, u.account, u.state, u.born_by, u.ended_by,
  b.vintage, b.unit, b.origin, b.project_id, coalesce(p.code, 'IMPORT') AS code, p.name_ko,
  p.name_en, p.programme, p.methodology, i.facts AS import_facts,
  adj.facts AS adjustment, count(*) OVER () AS total
FROM footprint_unit_block u
JOIN footprint_batch b ON b.city = u.city AND b.id = u.batch_id
LEFT JOIN footprint_project p ON p.city = b.city AND p.id = b.project_id
LEFT JOIN footprint_unit_event i ON i.city = u.city AND i.batch_id = u.batch_id
  AND i.kind = 'import'
LEFT JOIN LATERAL (SELECT a.facts FROM footprint_unit_event a WHERE a.city = u.city
  AND a.batch_id = u.batch_id AND a.kind = 'adjustment' ORDER BY a.id DESC LIMIT 1) adj ON true
WHERE u.city = %(city)s AND u.ended_by IS NULL
  AND (%(id)s::uuid IS NULL OR u.id = %(id)s::uuid)
  AND (%(batch)s::uuid IS NULL OR u.batch_id = %(batch)s::uuid)
  AND (%(number)s::bigint IS NULL OR u.serials @> %(number)s::bigint)
  AND (%(prefix)s = '' OR starts_with(lower('ONSIL-' || u.city || '-' || coalesce(p.code, 'IMPORT')
    || '-' || b.vintage), %(prefix)s))
  AND (%(outside)s = '' OR strpos(lower(coalesce(i.facts ->> 'serials', '')), %(outside)s) > 0)
  AND (%(project)s = '' OR strpos(lower(coalesce(p.code, '') || ' ' || coalesce(p.name_ko, '')
    || ' ' || coalesce(p.name_en, '') || ' ' || coalesce(i.facts ->> 'project', '')),
    %(project)s) > 0)
  AND (%(vintage)s::int IS NULL OR b.vintage = %(vintage)s::int)
  AND (%(state)s = '' OR u.state = %(state)s)
  AND (%(accounts)s::text[] IS NULL OR u.account = ANY(%(accounts)s::text[]))
  AND (%(beneficiary)s = '' OR EXISTS (SELECT FROM footprint_retirement r WHERE r.city = u.city
    AND r.batch_id = u.batch_id AND r.stretches && u.serials
    AND strpos(lower(r.beneficiary), %(beneficiary)s) > 0))
ORDER BY u.serials DESC LIMIT %(limit)s OFFSET %(offset)s"""


@dataclass(frozen=True)
class UnitQuery:
    """What to look for; empty fields leave a criterion open. `serial` is a full serial, a number
    alone, the beginning of a serial, or part of another registry's. `holder` matches the disclosed
    name; `account` (officials only) the ledger account exactly."""

    serial: str = ""
    project: str = ""
    vintage: int | None = None
    state: str = ""
    holder: str = ""
    beneficiary: str = ""
    batch_id: UUID | None = None
    account: str = ""


@dataclass(frozen=True)
class FoundUnits:
    """A live block with what it is a part of. `holder` is the disclosed name, empty otherwise;
    `outside` are the facts of an import (registry, serials as given, project …); `declaration`,
    `adjustment` and `country` how the corresponding adjustment stands, in CAD Trust's words."""

    block: UnitBlock
    vintage: int
    unit: str
    origin: str
    project_id: UUID | None
    code: str
    name_ko: str
    name_en: str
    programme: str
    methodology: str
    holder: str
    serial_prefix: str
    outside: Mapping[str, Any] = field(default_factory=dict)
    declaration: str = "Unknown"
    adjustment: str = "Unknown"
    country: str = ""

    @property
    def serials(self) -> str:
        return f"{self.serial_prefix}-{self.block.first}…{self.block.last}"

    @property
    def status(self) -> str:
        """The state in CAD Trust's words."""
        return CAD_TRUST[self.block.state]


@dataclass(frozen=True)
class Found:
    rows: tuple[FoundUnits, ...]
    total: int


@dataclass(frozen=True)
class PublicStep:
    """One step of units' history, without private names: what happened to how many of them."""

    event_id: UUID
    kind: str
    at: Any
    spans: tuple[tuple[int, int], ...]
    source: str
    destination: str
    registry: str
    outside_serials: str


def search(
    conn: Connection, city: str, query: UnitQuery, limit: int = 50, offset: int = 0
) -> Found:
    """Live blocks that match all of a query, the newest serials first, and how many there are."""
    if query.state and query.state not in STATES:
        return Found((), 0)
    names = public_names(conn, city)
    values = _values(city, query, names) | {"limit": limit, "offset": offset, "id": None}
    found = rows(conn, _FOUND, values)
    total = found[0]["total"] if found else 0
    return Found(tuple(_found(city, row, names) for row in found), total)


def units_of(conn: Connection, city: str, block_id: UUID) -> FoundUnits | None:
    """One live block, as search shows it."""
    names = public_names(conn, city)
    values = _values(city, UnitQuery(), names) | {"limit": 1, "offset": 0, "id": block_id}
    found = rows(conn, _FOUND, values)
    return _found(city, found[0], names) if found else None


def outside_facts(conn: Connection, city: str, batch_id: UUID) -> Mapping[str, Any]:
    """What an imported batch came with (registry, serials as given, project …); empty else."""
    found = events(conn, city, batch_id=batch_id, kinds=("import",))
    return _public(found[0].facts) if found else {}


def _public(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in facts.items() if name not in ("account", "blocks")}


def _values(city: str, query: UnitQuery, names: Mapping[str, str]) -> dict[str, Any]:
    text, number, prefix, outside = query.serial.strip(), None, "", ""
    parts = _SERIAL.match(text)
    if parts is not None and (parts["prefix"] or "ONSIL-").upper().startswith("ONSIL-"):
        number, prefix = int(parts["number"]), (parts["prefix"] or "").casefold()
        if _is_vintage(text):
            number, prefix = None, text.casefold()
    elif text.upper().startswith("ONSIL"):
        prefix = text.casefold()
    else:
        outside = text.casefold()
    accounts = None
    if query.holder.strip():
        wanted = query.holder.strip().casefold()
        accounts = [account for account, name in names.items() if wanted in name.casefold()]
    if query.account:
        accounts = [query.account]
    return {
        "city": city, "number": number, "prefix": prefix, "outside": outside,
        "project": query.project.strip().casefold(), "vintage": query.vintage,
        "state": query.state, "accounts": accounts, "batch": query.batch_id,
        "beneficiary": query.beneficiary.strip().casefold(),
    }  # fmt: skip


def _is_vintage(text: str) -> bool:
    """ONSIL-<city>-<code>-<vintage> is the beginning of serials, not one of them."""
    return re.fullmatch(r"(?i)ONSIL-[a-z]+-.+-(19|20)\d\d", text) is not None and (
        re.fullmatch(r"(?i).+-(19|20)\d\d-\d+", text) is None
    )


def _found(city: str, row: dict[str, Any], names: Mapping[str, str]) -> FoundUnits:
    serials, account = row["serials"], row["account"]
    block = UnitBlock(
        row["id"], row["batch_id"], serials.lower, serials.upper, account, row["state"],
        row["born_by"], row["ended_by"],
    )  # fmt: skip
    outside, stated = row["import_facts"] or {}, row["adjustment"] or {}
    return FoundUnits(
        block, row["vintage"], row["unit"], row["origin"], row["project_id"], row["code"],
        row["name_ko"] or outside.get("project", ""), row["name_en"] or outside.get("project", ""),
        row["programme"] or "", row["methodology"] or "", names.get(account, ""),
        f"ONSIL-{city.upper()}-{row['code']}-{row['vintage']}",
        _public(outside), stated.get("declaration", "Unknown"), stated.get("status", "Unknown"),
        stated.get("country", ""),
    )  # fmt: skip


def history(conn: Connection, city: str, block: UnitBlock) -> list[PublicStep]:
    """What happened to a block's serials since they came to be, oldest first. Holders who have not
    agreed to be named are only called holders."""
    names = public_names(conn, city)

    def public(account: str) -> str:
        if not account or account.startswith("project:"):
            return account and "project"
        return names.get(account) or state_of(account)

    made: list[PublicStep] = []
    for one in events(conn, city, batch_id=block.batch_id, serials=block.span):
        made.append(
            PublicStep(
                one.id, one.kind, one.created_at, common([block.span], one.spans),
                public(one.source), public(one.destination), one.facts.get("registry", ""),
                one.facts.get("serials", "") if one.kind in ("import", "exported") else "",
            )
        )  # fmt: skip
    return made


def retirements_of(conn: Connection, city: str, block: UnitBlock) -> list[UUID]:
    """The retirements that any of a block's serials went into."""
    found = rows(
        conn,
        """SELECT id FROM footprint_retirement WHERE city = %s AND batch_id = %s
          AND stretches && %s::int8range ORDER BY id""",
        (city, block.batch_id, as_range(block.span)),
    )
    return [row["id"] for row in found]
