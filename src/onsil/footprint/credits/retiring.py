"""Using units up for good: whose they were, for whom, why, where and for which days."""

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from psycopg.types.range import Range

from onsil import proof
from onsil.core.clock import Clock
from onsil.core.database import Connection
from onsil.core.ids import new_id
from onsil.core.refusal import Refusal
from onsil.footprint.credits.batches import RETIRED, any_batch, key_reused, unknown_batch
from onsil.footprint.credits.events import as_ranges, as_spans
from onsil.footprint.credits.holders import a_holder, not_held
from onsil.footprint.credits.labels import adjustment
from onsil.footprint.credits.planned import planned_of
from onsil.footprint.credits.spans import Span, count
from onsil.footprint.credits.terms import ABROAD, PURPOSES, Move
from onsil.footprint.credits.units import move
from onsil.footprint.store import Row, execute, lock, rows
from onsil.footprint.terms import Retirement

_RETIREMENT = """SELECT id, batch_id, company, tonnes, beneficiary, reason, serials, key,
  transfer_id, actor, created_at, stretches, jurisdiction, purpose, served
  FROM footprint_retirement"""


@dataclass(frozen=True)
class RetirementUse:
    """What a retirement is for. `jurisdiction` is an ISO 3166-1 code or empty; `purpose` one of
    PURPOSES; `served` the days it answers for, the end not included."""

    jurisdiction: str = ""
    purpose: str = "voluntary"
    served: tuple[date, date] | None = None


_PLAIN = RetirementUse()


def _retirement(row: Row) -> Retirement:
    serials, served = row.pop("serials"), row.pop("served")
    return Retirement(
        serial_first=serials.lower,
        serial_last=serials.upper - 1,
        stretches=as_spans(row.pop("stretches")),
        served=None if served is None else (served.lower, served.upper),
        **row,
    )


def retire(
    conn: Connection,
    city: str,
    batch_id: UUID,
    company: str,
    tonnes: int,
    beneficiary: str,
    reason: str,
    key: str,
    actor: str,
    clock: Clock,
    use: RetirementUse = _PLAIN,
    spans: tuple[Span, ...] | None = None,
) -> Retirement | Refusal:
    """Use up units a company holds, on a beneficiary's behalf: its lowest serials, or `spans`.

    `key` makes it happen once: again with the same terms, the retirement that was made. Refused:
    unknown-batch, planned-not-retirable, account-not-held (buffer, set apart or gone),
    retirement-incomplete, purpose-unknown, not-authorised (for use abroad without the host
    country's letter), key-reused, insufficient-balance, serials-not-held.
    """
    found = any_batch(conn, city, batch_id)
    if found is None:
        return _planned_or_unknown(conn, city, batch_id)
    if not a_holder(company):
        return not_held(company)
    refusal = _complete(tonnes, beneficiary, reason, use)
    if refusal is not None:
        return refusal
    assert spans is None or count(spans) == tonnes
    lock(conn, city, [f"retirement {key}"])
    there = rows(conn, f"{_RETIREMENT} WHERE city = %s AND key = %s", (city, key))
    if there:
        return _again(_retirement(there[0]), (batch_id, company, tonnes, beneficiary, reason), use)
    if use.purpose in ABROAD and adjustment(conn, city, batch_id).declaration != "Committed":
        return Refusal(
            "not-authorised",
            "유치국의 승인서와 상응조정 약속이 있는 크레딧만 국외 목적으로 쓸 수 있습니다.",
            "Use abroad wants the host country's letter of authorisation and its commitment to a"
            " corresponding adjustment.",
            {"batch": str(batch_id), "purpose": use.purpose},
        )
    made = new_id()
    moved = move(
        conn, city,
        Move(
            batch_id, "retirement", company, RETIRED, tonnes, key, actor, spans,
            {"retirement": str(made)}, f"{beneficiary}: {reason}", origin=("retirement", str(made)),
        ),
        clock,
    )  # fmt: skip
    if isinstance(moved, Refusal):
        return moved
    assert moved.transfer_id is not None
    return _record(conn, city, made, moved.spans, moved.transfer_id, (batch_id, company, tonnes,
                   beneficiary, reason), use, key, actor, clock)  # fmt: skip


def _planned_or_unknown(conn: Connection, city: str, batch_id: UUID) -> Refusal:
    if planned_of(conn, city, batch_id) is None:
        return unknown_batch(batch_id)
    return Refusal(
        "planned-not-retirable",
        "계획분은 아직 발행되지 않은 것이어서 쓸 수 없습니다.",
        "Planned units are not issued yet and cannot be retired.",
        {"planned": str(batch_id)},
    )


def _complete(tonnes: int, beneficiary: str, reason: str, use: RetirementUse) -> Refusal | None:
    if tonnes < 1 or not beneficiary.strip() or not reason.strip():
        return Refusal(
            "retirement-incomplete",
            "1톤 이상과 수혜자, 사유를 적어야 합니다.",
            "State a tonne or more, the beneficiary and the reason.",
            {"tonnes": tonnes},
        )
    code = use.jurisdiction
    wrong_days = use.served is not None and use.served[0] >= use.served[1]
    wrong_code = bool(code) and not (code.isascii() and code.isalpha() and code.isupper())
    if use.purpose in PURPOSES and not wrong_days and not wrong_code:
        return None
    return Refusal(
        "purpose-unknown",
        "쓰임, 국가 코드 또는 기간이 잘못되었습니다.",
        "The purpose, the country's code or the days are wrong.",
        {"purpose": use.purpose, "jurisdiction": code},
    )


def _again(
    before: Retirement, asked: tuple[UUID, str, int, str, str], use: RetirementUse
) -> Retirement | Refusal:
    terms = (before.batch_id, before.company, before.tonnes, before.beneficiary, before.reason)
    same = RetirementUse(before.jurisdiction, before.purpose, before.served)
    return before if asked == terms and same == use else key_reused(before.key)


def _record(
    conn: Connection, city: str, made: UUID, taken: tuple[Span, ...], transfer_id: UUID,
    terms: tuple[UUID, str, int, str, str], use: RetirementUse, key: str, actor: str, clock: Clock,
) -> Retirement:  # fmt: skip
    batch_id, company, tonnes, beneficiary, reason = terms
    served = None if use.served is None else Range[date](*use.served)
    execute(
        conn,
        """INSERT INTO footprint_retirement (city, id, batch_id, company, tonnes, beneficiary,
          reason, serials, stretches, jurisdiction, purpose, served, key, transfer_id, actor,
          created_at)
        VALUES (%s,%s,%s,%s,%s,%s,%s,%s,%s::int8multirange,%s,%s,%s,%s,%s,%s,%s)""",
        (
            city, made, batch_id, company, tonnes, beneficiary, reason,
            Range[int](taken[0][0], taken[-1][1]), as_ranges(taken), use.jurisdiction, use.purpose,
            served, key, transfer_id, actor, clock.now(),
        ),
    )  # fmt: skip
    stored = retirement(conn, city, made)
    assert stored is not None
    proof.append(conn, city, "retirement", made, retirement_entry(stored))
    proof.audit(
        conn, city, actor, "credits.retired", "retirement", str(made), None,
        {"batch": batch_id, "company": company, "tonnes": tonnes, "beneficiary": beneficiary},
    )  # fmt: skip
    return stored


def retirement(conn: Connection, city: str, retirement_id: UUID) -> Retirement | None:
    found = rows(conn, f"{_RETIREMENT} WHERE city = %s AND id = %s", (city, retirement_id))
    return _retirement(found[0]) if found else None


def retirements(
    conn: Connection, city: str, batch_id: UUID | None = None, company: str | None = None
) -> list[Retirement]:
    """Retirements, newest first, optionally of one batch or company."""
    found = rows(
        conn,
        f"""{_RETIREMENT} WHERE city = %(city)s
          AND (%(batch)s::uuid IS NULL OR batch_id = %(batch)s::uuid)
          AND (%(company)s::text IS NULL OR company = %(company)s::text) ORDER BY id DESC""",
        {"city": city, "batch": batch_id, "company": company},
    )
    return [_retirement(row) for row in found]


def retirement_entry(made: Retirement) -> dict[str, Any]:
    """What the log holds of a retirement; what is as in its first form is left out."""
    entry: dict[str, Any] = {
        "batch": made.batch_id,
        "company": made.company,
        "tonnes": made.tonnes,
        "beneficiary": made.beneficiary,
        "reason": made.reason,
        "serials": [made.serial_first, made.serial_last],
        "transfer": made.transfer_id,
        "actor": made.actor,
        "created_at": made.created_at,
    }
    if len(made.stretches) > 1:
        entry["stretches"] = [[first, end - 1] for first, end in made.stretches]
    if made.jurisdiction:
        entry["jurisdiction"] = made.jurisdiction
    if made.purpose != "voluntary":
        entry["purpose"] = made.purpose
    if made.served is not None:
        entry["served"] = list(made.served)
    return entry
