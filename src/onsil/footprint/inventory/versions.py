"""Compiling an inventory into a version, sealing it by a second person, and doing it again."""

import hashlib
import json
import zlib
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from onsil import proof
from onsil.core.canonical import canonical_bytes, digest, plain
from onsil.core.clock import Clock
from onsil.core.database import Connection
from onsil.core.ids import new_id
from onsil.core.periods import Period, local_year
from onsil.core.refusal import Refusal
from onsil.footprint import engine
from onsil.footprint.factors import CoefficientTable, library_of
from onsil.footprint.inventory import activity, compiling, simulating
from onsil.footprint.inventory.books import (
    inventories,
    inventory,
    lines,
    settings,
    unknown_inventory,
)
from onsil.footprint.inventory.certificates import retired
from onsil.footprint.inventory.checking import Chosen, check_line
from onsil.footprint.inventory.sold import lots, sold_units
from onsil.footprint.inventory.terms import (
    CITY,
    FULL_SHARE_BP,
    Check,
    Inventory,
    Line,
    Settings,
    Version,
)
from onsil.footprint.store import Row, execute, lock, rows

SEOUL = ZoneInfo("Asia/Seoul")
_VERSION = """SELECT v.id, v.inventory_id, v.number, v.co2e_kg, v.inputs_sha256 AS inputs_digest,
  v.outputs_sha256 AS outputs_digest, v.engine, v.code_sha256 AS code_digest, v.maker,
  v.created_at, d.decision, d.checker, d.created_at AS decided_at, coalesce(d.reason, '') AS reason
  FROM footprint_inventory_version v LEFT JOIN footprint_inventory_decision d
    ON d.city = v.city AND d.version_id = v.id"""
_CODE = ("inventory", "inventory/data", "inventory/sectors", "uncertainty")


@cache
def code_digest() -> str:
    """SHA-256 over what compiles an inventory: this room's sources and trees, and the engine's."""
    root, hashed = files("onsil.footprint"), hashlib.sha256()
    for part in _CODE:
        folder = root.joinpath(part)
        for one in sorted(folder.iterdir(), key=lambda f: f.name):
            if one.name.endswith((".py", ".toml")):
                text = hashlib.sha256(one.read_bytes()).hexdigest()
                hashed.update(f"{part}/{one.name} {text}\n".encode())
    hashed.update(engine.code_digest().encode())
    return hashed.hexdigest()


def compile_version(
    conn: Connection, city: str, inventory_id: UUID, actor: str, clock: Clock,
    zone: ZoneInfo = SEOUL,
) -> Version | Refusal:  # fmt: skip
    """Compile the lines as they stand into a version; with nothing changed, the one that is there.

    The year is the city's own, from midnight to midnight. A line's factor is the one that its
    authority gave on the day the line was written. Refused: `unknown-inventory`,
    `activity-missing` where no meter of a line counted anything, and the codes of `check_line` and
    of `read_meters`.
    """
    found = inventory(conn, city, inventory_id)
    if found is None:
        return unknown_inventory(inventory_id)
    lock(conn, city, [f"inventory {inventory_id}"])
    period = local_year(found.year, zone)
    standing = lines(conn, city, inventory_id)
    wanted = {
        line.spec.code: line.spec.activity
        for line in standing
        if line.spec.activity is not None and line.spec.activity.source == "hub"
    }
    meters = activity.read_meters(conn, city, wanted, period, zone)
    if isinstance(meters, Refusal):
        return meters
    holds = settings(conn, city, inventory_id)
    inputs = _inputs(conn, city, found, holds, standing, meters, period, zone)
    if isinstance(inputs, Refusal):
        return inputs
    stated = plain(inputs)
    there = rows(
        conn,
        f"{_VERSION} WHERE v.city = %s AND v.inventory_id = %s AND v.inputs_sha256 = %s",
        (city, inventory_id, digest(stated)),
    )
    if there:
        return Version(**there[0])
    return _keep(conn, city, found, holds, stated, meters, actor, clock)


def _inputs(
    conn: Connection, city: str, found: Inventory, holds: Settings, standing: list[Line],
    meters: activity.Meters, period: Period, zone: ZoneInfo,
) -> dict[str, Any] | Refusal:  # fmt: skip
    history = _history(conn, city, found.id)
    library = library_of(conn, city)
    tables: dict[str, Any] = {}
    made: list[dict[str, Any]] = []
    for line in standing:
        checked = check_line(line.spec, found.kind, holds, line.created_at.date(), library)
        if isinstance(checked, Refusal):
            return checked
        one = _line(line, checked[1], holds, meters, period)
        if one["activity"] is not None and activity.amount(plain(one["activity"])) is None:
            return _no_reading(line)
        if isinstance(checked[1], CoefficientTable):
            tables[checked[1].set_id] = checked[1].document()
        made.append({**one, "history": history[line.spec.code]})
    standing_codes = {line.spec.code for line in standing}
    return {
        "format": compiling.FORMAT,
        "city": city,
        "inventory": found.id,
        "kind": found.kind,
        "subject": found.subject,
        "year": found.year,
        "period": {"start": period.start, "end": period.end},
        "zone": zone.key,
        "settings": holds.document(),
        "lines": made,
        "removed": {
            code: causes[-1][1] for code, causes in history.items() if code not in standing_codes
        },
        "coefficients": tables,
        "credits": sold_units(conn, city, found.year, holds.inside) if found.kind == CITY else [],
        "certificates": [one.document() for one in retired(conn, city, found.id)],
        "lots": lots(conn, city, found.year) if found.kind == CITY else [],
        # one seed for all versions of a year: what differs between them is not chance
        "simulation": simulating.plan(found.id.int),
    }


def _line(
    line: Line, chosen: Chosen | CoefficientTable | None, holds: Settings,
    meters: activity.Meters, period: Period,
) -> dict[str, Any]:  # fmt: skip
    spec, stated, factor, provenance = line.spec, None, None, None
    if isinstance(chosen, tuple):
        factor, provenance = chosen[0].document(), chosen[1]
        # the factor's code names it in the sum of uncertainties: who shares it shares its error
        shared = chosen[0].id if spec.factor and spec.factor.source == "authority" else spec.code
        spec = replace(spec, factor_source=spec.factor_source or f"factor:{shared}")
    elif chosen is not None:
        spec = replace(spec, factor_source=spec.factor_source or f"factor:{chosen.reference}")
    if spec.activity is not None:
        stated = (
            activity.hub_document(spec.activity, spec.code, meters, period)
            if spec.activity.source == "hub"
            else activity.table_document(spec.activity)
        )
    part = next((p for p in holds.parts if p.code == spec.entity), None)
    return {
        **spec.document(),
        "activity": stated,
        "factor": factor,
        "provenance": provenance,
        "activity_source": spec.activity_source or f"activity:{spec.code}",
        "share_bp": FULL_SHARE_BP if part is None else part.share_bp(holds.approach),
        "revision": line.revision,
    }


def _history(conn: Connection, city: str, inventory_id: UUID) -> dict[str, list[list[Any]]]:
    """Every line's revisions with their causes, in order; lines taken out too."""
    made: dict[str, list[list[Any]]] = {}
    for row in rows(
        conn,
        """SELECT code, revision, cause FROM footprint_inventory_line
        WHERE city = %s AND inventory_id = %s ORDER BY code, revision""",
        (city, inventory_id),
    ):
        made.setdefault(row["code"], []).append([row["revision"], row["cause"]])
    return made


def _no_reading(line: Line) -> Refusal:
    return Refusal(
        "activity-missing",
        f"{line.spec.ref} {line.spec.code}: 그 해에 측정값이 하나도 없습니다. 0으로 보지 않습니다. "
        "자료를 넣거나 NE로 표기해 주세요.",
        f"{line.spec.ref} {line.spec.code}: nothing was measured that year. It is not taken for "
        "zero: bring in the data, or mark the line NE.",
        {"line": line.spec.code, "ref": line.spec.ref},
    )


def _keep(
    conn: Connection, city: str, found: Inventory, holds: Settings, inputs: Mapping[str, Any],
    meters: activity.Meters, actor: str, clock: Clock,
) -> Version:  # fmt: skip
    outputs = compiling.calculate(inputs)
    made, at = new_id(), clock.now()
    number = rows(
        conn,
        """SELECT coalesce(max(number), 0) + 1 AS next FROM footprint_inventory_version
        WHERE city = %s AND inventory_id = %s""",
        (city, found.id),
    )[0]["next"]
    for sha256, (count, text) in meters.evidence().items():
        execute(
            conn,
            """INSERT INTO footprint_inventory_days (city, sha256, count, lines)
            VALUES (%s,%s,%s,%s) ON CONFLICT DO NOTHING""",
            (city, sha256, count, zlib.compress(text, 6)),
        )
    total = outputs["totals"][holds.level]
    execute(
        conn,
        """INSERT INTO footprint_inventory_version (city, id, inventory_id, number, co2e_kg,
          missing, inputs, inputs_sha256, outputs, outputs_sha256, engine, code_sha256, maker,
          created_at) VALUES (%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s)""",
        (
            city, made, found.id, number, total, len(outputs["missing"]),
            canonical_bytes(inputs).decode(), digest(inputs), canonical_bytes(outputs).decode(),
            digest(outputs), engine.engine_name(), code_digest(), actor, at,
        ),
    )  # fmt: skip
    version = version_of(conn, city, made)
    assert version is not None
    proof.append(conn, city, "inventory", made, version_entry(version))
    proof.audit(
        conn, city, actor, "inventory.compiled", "inventory", str(found.id), None,
        {"version": number, "co2e_kg": total, "inputs": version.inputs_digest},
    )  # fmt: skip
    return version


def version_of(conn: Connection, city: str, version_id: UUID) -> Version | None:
    """A version with what was decided of it, or None."""
    found = rows(conn, f"{_VERSION} WHERE v.city = %s AND v.id = %s", (city, version_id))
    return Version(**found[0]) if found else None


def versions(conn: Connection, city: str, inventory_id: UUID | None = None) -> list[Version]:
    """Versions, newest first, optionally of one inventory."""
    found = rows(
        conn,
        f"""{_VERSION} WHERE v.city = %(city)s
          AND (%(inventory)s::uuid IS NULL OR v.inventory_id = %(inventory)s::uuid)
        ORDER BY v.created_at DESC, v.number DESC""",
        {"city": city, "inventory": inventory_id},
    )
    return [Version(**row) for row in found]


def newest_sealed(conn: Connection, city: str, inventory_id: UUID) -> Version | None:
    """The inventory's last sealed version."""
    found = [one for one in versions(conn, city, inventory_id) if one.sealed]
    return max(found, key=lambda one: one.number, default=None)


def totals_by_year(conn: Connection, city: str) -> dict[int, Decimal]:
    """tCO2e of the city's sealed inventories by year; a year without one, or whose total is not
    known, is absent."""
    found: dict[int, Decimal] = {}
    for one in inventories(conn, city, "city"):
        version = newest_sealed(conn, city, one.id)
        if version is not None and version.co2e_kg is not None:
            found[one.year] = version.co2e_kg / 1000
    return found


def documents(
    conn: Connection, city: str, version_id: UUID
) -> tuple[dict[str, Any], dict[str, Any]]:
    """A version's inputs and outputs as plain JSON. Raises IndexError for an unknown version."""
    found = _texts(conn, city, version_id)[0]
    return json.loads(found["inputs"]), json.loads(found["outputs"])


def _texts(conn: Connection, city: str, version_id: UUID) -> list[Row]:
    return rows(
        conn,
        """SELECT inputs, inputs_sha256, outputs, outputs_sha256, code_sha256
        FROM footprint_inventory_version WHERE city = %s AND id = %s""",
        (city, version_id),
    )


def decide(
    conn: Connection, city: str, version_id: UUID, sealed: bool, reason: str, actor: str,
    clock: Clock,
) -> Version | Refusal:  # fmt: skip
    """Seal a version or return it with a reason. Decided once, by another than who compiled it.

    Refused: `unknown-version`, `same-person`, `already-decided`, `inventory-incomplete` (rows
    without figure or notation key), `reason-missing` for a return.
    """
    lock(conn, city, [f"inventory version {version_id}"])
    version = version_of(conn, city, version_id)
    if version is None:
        return Refusal("unknown-version", "그런 판이 없습니다.", "There is no such version.")
    if version.decision is not None:
        same = (version.decision, version.checker) == ("sealed" if sealed else "returned", actor)
        return version if same else _decided(version)
    if version.maker == actor:
        return Refusal(
            "same-person",
            "산정한 사람은 확정할 수 없습니다. 다른 사람이 확인해 주세요.",
            "Who compiled it cannot seal it; another person has to.",
            {"maker": actor},
        )
    if not sealed and not reason.strip():
        return Refusal(
            "reason-missing", "돌려보내는 까닭을 적어 주세요.", "Say why it is returned."
        )
    missing = documents(conn, city, version_id)[1]["missing"]
    if sealed and (missing or version.co2e_kg is None):
        return Refusal(
            "inventory-incomplete",
            f"값도 표기 기호도 없는 항목이 {len(missing)}개 있습니다: {', '.join(missing[:8])}. "
            "자료를 넣거나 NO, NE, IE, C로 표기해 주세요.",
            f"{len(missing)} rows have neither figure nor notation key: {', '.join(missing[:8])}.",
            {"missing": missing},
        )
    made = new_id()
    decision = "sealed" if sealed else "returned"
    execute(
        conn,
        """INSERT INTO footprint_inventory_decision
        (city, id, version_id, decision, checker, reason, created_at) VALUES (%s,%s,%s,%s,%s,%s,%s)
        """,
        (city, made, version_id, decision, actor, reason, clock.now()),
    )
    after = version_of(conn, city, version_id)
    assert after is not None
    proof.append(conn, city, "inventory-decision", made, decision_entry(after))
    proof.audit(
        conn, city, actor, f"inventory.{decision}", "inventory", str(version.inventory_id), None,
        {"version": version.number, "reason": reason},
    )  # fmt: skip
    return after


def _decided(version: Version) -> Refusal:
    return Refusal(
        "already-decided", "이미 결정된 판입니다.", "This version has been decided on.",
        {"decision": version.decision, "checker": version.checker},
    )  # fmt: skip


def recompute(conn: Connection, city: str, version_id: UUID) -> Check | Refusal:
    """Compile a stored version again from its own inputs and compare the bytes.

    The days of every meter are read back and must have the hash, count and sum that the inputs
    state. Refused: `unknown-version`.
    """
    found = _texts(conn, city, version_id)
    if not found:
        return Refusal("unknown-version", "그런 판이 없습니다.", "There is no such version.")
    stored = found[0]
    inputs = json.loads(stored["inputs"])
    broken = _broken_meter(conn, city, inputs)
    if broken:
        return Check(
            False, stored["outputs_sha256"], "", f"The days of {broken} are not as stated."
        )
    again = compiling.recalculate(stored["inputs"])
    note = "" if stored["code_sha256"] == code_digest() else "The compiling code has changed since."
    identical = again == stored["outputs"].encode()
    return Check(identical, stored["outputs_sha256"], hashlib.sha256(again).hexdigest(), note)


def _broken_meter(conn: Connection, city: str, inputs: Mapping[str, Any]) -> str:
    """The first meter whose kept days are missing or are others; empty where all hold."""
    stated = {
        meter["sha256"]: meter
        for line in inputs["lines"]
        if line["activity"] and line["activity"]["source"] == "hub"
        for meter in line["activity"]["meters"]
    }
    kept = {
        row["sha256"]: zlib.decompress(row["lines"])
        for row in rows(
            conn,
            "SELECT sha256, lines FROM footprint_inventory_days"
            " WHERE city = %s AND sha256 = ANY(%s)",
            (city, list(stated)),
        )
    }
    for sha256, meter in stated.items():
        text = kept.get(sha256)
        if text is None or hashlib.sha256(text).hexdigest() != sha256:
            return meter["entity"]
        if activity.parse_day_lines(text) != (meter["count"], Decimal(meter["total"])):
            return meter["entity"]
    return ""


def version_entry(made: Version) -> dict[str, Any]:
    """What the log holds of a compilation."""
    return {
        "inventory": made.inventory_id,
        "number": made.number,
        "co2e_kg": made.co2e_kg,
        "inputs": made.inputs_digest,
        "outputs": made.outputs_digest,
        "engine": made.engine,
        "maker": made.maker,
        "created_at": made.created_at,
    }


def decision_entry(made: Version) -> dict[str, Any]:
    """What the log holds of a second person's decision."""
    return {
        "version": made.id,
        "decision": made.decision,
        "checker": made.checker,
        "reason": made.reason,
        "outputs": made.outputs_digest,
        "decided_at": made.decided_at,
    }


def decided_version(conn: Connection, city: str, decision_id: UUID) -> Version | None:
    """The version that a decision is about."""
    found = rows(
        conn,
        """SELECT version_id FROM footprint_inventory_decision WHERE city = %s AND id = %s""",
        (city, decision_id),
    )
    return version_of(conn, city, found[0]["version_id"]) if found else None
