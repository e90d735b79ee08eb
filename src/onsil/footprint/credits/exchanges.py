"""To and from other registries. Their serials are recorded as given, never made up here."""

from collections.abc import Mapping
from datetime import date
from typing import Any
from unicodedata import normalize
from uuid import UUID
from zoneinfo import ZoneInfo

from psycopg.types.range import Range

from onsil import ledger
from onsil.core.clock import Clock
from onsil.core.database import Connection
from onsil.core.ids import new_id
from onsil.core.periods import local_day
from onsil.core.refusal import Refusal
from onsil.footprint.credits.batches import (
    ISSUER,
    any_batch,
    next_serial,
    post,
    unknown_batch,
)
from onsil.footprint.credits.events import draft, event_by_key, events, repeated, state, write
from onsil.footprint.credits.holders import a_holder, not_held
from onsil.footprint.credits.terms import (
    EXPORTED,
    PENDING_EXPORT,
    Action,
    Move,
    UnitEvent,
)
from onsil.footprint.credits.units import move, open_blocks, units_invalid
from onsil.footprint.store import execute, lock, rows

_SEOUL = ZoneInfo("Asia/Seoul")


def check_export(
    conn: Connection, city: str, terms: Mapping[str, Any], clock: Clock, zone: ZoneInfo
) -> Refusal | None:
    """An export's terms: batch, account, units, registry, recipient.

    Refused: unknown-batch, account-not-held, units-invalid, registry-missing."""
    if any_batch(conn, city, UUID(str(terms["batch"]))) is None:
        return unknown_batch(UUID(str(terms["batch"])))
    if not a_holder(terms["account"]):
        return not_held(terms["account"])
    if terms["units"] < 1:
        return units_invalid(terms["units"])
    return None if str(terms["registry"]).strip() else _registry_missing()


def start_export(conn: Connection, city: str, action: Action, clock: Clock) -> UnitEvent | Refusal:
    """Set the units of a proposed export apart, so that nobody can use them meanwhile."""
    terms = action.terms
    asked = Move(
        UUID(terms["batch"]), "export-started", terms["account"], PENDING_EXPORT, terms["units"],
        action.key, action.maker, facts={"registry": terms["registry"]}, memo=terms["registry"],
        action_id=action.id,
    )  # fmt: skip
    return move(conn, city, asked, clock)


def approve_export(
    conn: Connection, city: str, action: Action, actor: str, clock: Clock
) -> UnitEvent | Refusal:
    """The other registry has taken the units up under serials of its own. Refused:
    outside-serials-missing."""
    serials = str(action.outcome.get("serials", "")).strip()
    if not serials:
        return Refusal(
            "outside-serials-missing",
            "상대 등록부가 준 일련번호를 그대로 적어 주세요.",
            "Write down the serials that the other registry gave.",
        )
    started = event_by_key(conn, city, "export-started", action.key)
    assert started is not None
    facts = {
        "registry": action.terms["registry"], "serials": serials,
        "recipient": action.terms["recipient"],
    }  # fmt: skip
    asked = Move(
        UUID(action.terms["batch"]), "exported", PENDING_EXPORT, EXPORTED, started.tonnes,
        action.key, actor, started.spans, facts, action.terms["registry"], action_id=action.id,
        parent_id=started.id,
    )  # fmt: skip
    return move(conn, city, asked, clock)


def reject_export(
    conn: Connection, city: str, action: Action, actor: str, clock: Clock
) -> UnitEvent | Refusal:
    """Give the very units back to whom they were taken from."""
    started = event_by_key(conn, city, "export-started", action.key)
    assert started is not None
    asked = Move(
        UUID(action.terms["batch"]), "export-returned", PENDING_EXPORT, started.source,
        started.tonnes, action.key, actor, started.spans, {"reason": action.reason},
        action_id=action.id, parent_id=started.id,
    )  # fmt: skip
    return move(conn, city, asked, clock)


def check_import(
    conn: Connection, city: str, terms: Mapping[str, Any], clock: Clock, zone: ZoneInfo
) -> Refusal | None:
    """An import's terms: registry, serials (as given), units, vintage, unit, project (its name
    there), reference (its number there), standard, account, evidence.

    Refused: registry-missing, import-invalid, account-not-held, already-imported (however the
    serials are spelled), already-retired-elsewhere."""
    if not str(terms["registry"]).strip() or not str(terms["serials"]).strip():
        return _registry_missing()
    this_year = local_day(clock.now(), zone).year
    named = str(terms["project"]).strip() and str(terms["evidence"]).strip()
    if terms["units"] < 1 or not 1990 <= terms["vintage"] <= this_year or not named:
        return Refusal(
            "import-invalid",
            "수량, 발생 연도, 사업 이름, 근거를 모두 바르게 적어 주세요.",
            "State the quantity, the vintage, the project's name and the evidence.",
        )
    if terms["unit"] not in ("tCO2e", "m3"):
        return units_invalid(terms["units"])
    if not a_holder(terms["account"]):
        return not_held(terms["account"])
    return _imported_before(conn, city, terms)


def _imported_before(conn: Connection, city: str, terms: Mapping[str, Any]) -> Refusal | None:
    registry, serials = terms["registry"], terms["serials"]
    there = _noted(conn, city, registry, serials)
    if "import" not in there and "retired-elsewhere" in there:
        return _used_there(registry, serials)
    if not there:
        return None
    return Refusal(
        "already-imported",
        f"{registry}의 일련번호 {serials}은(는) 이미 들어와 있습니다.",
        f"The serials {serials} of {registry} have been brought in already.",
        {"registry": registry, "serials": serials},
    )


def _noted(conn: Connection, city: str, registry: str, serials: str) -> set[str]:
    """What has been written about serials of another registry, however they were spelled: `import`,
    `retired-elsewhere`."""
    found = rows(
        conn,
        """SELECT DISTINCT kind FROM footprint_unit_event
        WHERE city = %s AND kind IN ('import', 'retired-elsewhere')
          AND footprint_spelled(facts ->> 'registry') = footprint_spelled(%s)
          AND footprint_spelled(facts ->> 'serials') = footprint_spelled(%s)""",
        (city, registry, serials),
    )
    return {row["kind"] for row in found}


def _used_there(registry: str, serials: str) -> Refusal:
    return Refusal(
        "already-retired-elsewhere",
        f"{registry}의 {serials}은(는) 그곳에서 이미 쓰인 것으로 적혀 있습니다.",
        f"The use of {serials} in {registry} has been noted already.",
        {"registry": registry, "serials": serials},
    )


def spelled(text: str) -> str:
    """Letters and digits alone, so that case, blanks and dashes do not make another serial."""
    return "".join(one for one in normalize("NFKC", text) if one.isalnum()).upper()


def approve_import(
    conn: Connection, city: str, action: Action, actor: str, clock: Clock
) -> UnitEvent | Refusal:
    """Bring another registry's units in: a batch of their own, marked as imported."""
    terms = action.terms
    lock(
        conn, city,
        [f"import {spelled(terms['registry'])} {spelled(terms['serials'])}", "serials"],
    )  # fmt: skip
    refusal = check_import(conn, city, terms, clock, _SEOUL)
    if refusal is not None:
        return refusal
    made, units, account = new_id(), terms["units"], terms["account"]
    asset, top = f"credit:{made}", next_serial(conn, city)
    ledger.open_accounts(
        conn, city,
        [
            ledger.AccountSpec(ISSUER, asset, "issuer", minimum=None),
            ledger.AccountSpec(account, asset, "company"),
        ],
    )  # fmt: skip
    request = ledger.TransferRequest(
        f"import:{action.key}", "import", (ledger.Leg(ISSUER, account, asset, units),),
        clock.now(), str(terms["registry"])[:200], "batch", str(made),
    )  # fmt: skip
    transfer_id = post(conn, city, request, clock)
    if isinstance(transfer_id, Refusal):
        return transfer_id
    execute(
        conn,
        """INSERT INTO footprint_batch (city, id, origin, position, vintage, tonnes, buffer_tonnes,
          serials, quantified_t, carried_in_t, carried_out_t, transfer_id, unit, actor, created_at)
        VALUES (%s,%s,'imported',1,%s,%s,0,%s,%s,0,0,%s,%s,%s,%s)""",
        (
            city, made, terms["vintage"], units, Range[int](top, top + units), units, transfer_id,
            terms["unit"], actor, clock.now(),
        ),
    )  # fmt: skip
    stored = any_batch(conn, city, made)
    assert stored is not None
    span = (top, top + units)
    event = draft(
        "import", action.key, actor, clock, batch_id=made, tonnes=units, spans=(span,),
        facts={**terms, "blocks": [[account, top, top + units - 1]]}, transfer_id=transfer_id,
        action_id=action.id, destination=account,
    )  # fmt: skip
    written = write(conn, city, event)
    open_blocks(conn, city, stored, written, [(account, span)])
    return written


def retired_elsewhere(
    conn: Connection,
    city: str,
    registry: str,
    serials: str,
    units: int,
    beneficiary: str,
    retired_on: date,
    evidence: str,
    key: str,
    actor: str,
    clock: Clock,
    export_id: UUID | None = None,
) -> UnitEvent | Refusal:
    """Note a retirement that another registry shows, of units we exported (`export_id`) or not.

    Refused: registry-missing, units-invalid, unknown-export (or more than it took out),
    already-retired-elsewhere, key-reused."""
    facts = {
        "registry": registry, "serials": serials, "units": units, "beneficiary": beneficiary,
        "retired_on": retired_on, "evidence": evidence, "export": export_id,
    }  # fmt: skip
    if not registry.strip() or not serials.strip() or not evidence.strip():
        return _registry_missing()
    if units < 1 or retired_on > local_day(clock.now(), _SEOUL):
        return units_invalid(units)
    lock(conn, city, [f"retired elsewhere {spelled(registry)}"])
    exported = next(
        (one for one in events(conn, city, kinds=("exported",)) if one.id == export_id), None
    )
    batch_id = exported.batch_id if exported is not None else None
    there = repeated(conn, city, "retired-elsewhere", key, facts, batch_id)
    if there is not None:
        return there
    others = events(conn, city, kinds=("retired-elsewhere",))
    if "retired-elsewhere" in _noted(conn, city, registry, serials):
        return _used_there(registry, serials)
    used = sum(one.facts["units"] for one in others if one.facts["export"] == str(export_id))
    if export_id is not None and (exported is None or used + units > exported.tonnes):
        return Refusal(
            "unknown-export",
            "내보낸 기록이 없거나 내보낸 것보다 많습니다.",
            "There is no such export, or it took out fewer units.",
        )
    return state(
        conn, city, "retired-elsewhere", key, actor, clock, facts, batch_id=batch_id,
        parent_id=export_id,
    )  # fmt: skip


def _registry_missing() -> Refusal:
    return Refusal(
        "registry-missing",
        "상대 등록부의 이름과 그곳의 일련번호, 근거를 적어 주세요.",
        "Name the other registry, its serials as given, and the evidence.",
    )
