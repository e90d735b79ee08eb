"""Issuing credits for approved periods and retiring them; the units themselves are the ledger's."""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from psycopg.types.range import Range

from onsil import ledger, proof
from onsil.core.clock import Clock
from onsil.core.database import Connection
from onsil.core.ids import new_id
from onsil.core.periods import local_day
from onsil.core.refusal import Refusal
from onsil.footprint.issuance import issuance_amounts
from onsil.footprint.projects import monitoring, project
from onsil.footprint.store import Row, execute, lock, rows
from onsil.footprint.terms import CreditBatch, Holding, Monitoring, Project, Retirement

ISSUER, BUFFER, RETIRED = "issuer:credit", "buffer", "retired"
_BATCH = """SELECT b.id, b.project_id, b.monitoring_id, b.position, b.vintage, b.tonnes,
  b.buffer_tonnes, b.serials, b.quantified_t, b.carried_in_t, b.carried_out_t, b.transfer_id,
  b.actor, b.created_at, p.code FROM footprint_batch b
  JOIN footprint_project p ON p.city = b.city AND p.id = b.project_id"""
_RETIREMENT = """SELECT id, batch_id, company, tonnes, beneficiary, reason, serials, key,
  transfer_id, actor, created_at FROM footprint_retirement"""


def _ends(serials: Any) -> tuple[int, int]:
    return (0, 0) if serials is None else (serials.lower, serials.upper - 1)


def _batch(city: str, row: Row) -> CreditBatch:
    first, last = _ends(row.pop("serials"))
    prefix = f"ONSIL-{city.upper()}-{row.pop('code')}-{row['vintage']}"
    return CreditBatch(serial_first=first, serial_last=last, serial_prefix=prefix, **row)


def _retirement(row: Row) -> Retirement:
    first, last = _ends(row.pop("serials"))
    return Retirement(serial_first=first, serial_last=last, **row)


def batch(conn: Connection, city: str, batch_id: UUID) -> CreditBatch | None:
    found = rows(conn, f"{_BATCH} WHERE b.city = %s AND b.id = %s", (city, batch_id))
    return _batch(city, found[0]) if found else None


def batches(conn: Connection, city: str, project_id: UUID | None = None) -> list[CreditBatch]:
    """Issued batches, newest first, optionally of one project (then by place in its row)."""
    found = rows(
        conn,
        f"""{_BATCH} WHERE b.city = %(city)s
          AND (%(project)s::uuid IS NULL OR b.project_id = %(project)s::uuid)
        ORDER BY CASE WHEN %(project)s::uuid IS NULL THEN 0 ELSE b.position END DESC, b.id DESC""",
        {"city": city, "project": project_id},
    )
    return [_batch(city, row) for row in found]


def batch_by_serial(conn: Connection, city: str, serial: int) -> CreditBatch | None:
    """The batch that a serial number belongs to."""
    found = rows(conn, f"{_BATCH} WHERE b.city = %s AND b.serials @> %s::bigint", (city, serial))
    return _batch(city, found[0]) if found else None


def issue(
    conn: Connection,
    city: str,
    monitoring_id: UUID,
    actor: str,
    clock: Clock,
    zone: ZoneInfo | None = None,
) -> CreditBatch | Refusal:
    """Issue an approved period's whole tonnes to its project; again, the batch that was issued.

    What is left of a tonne is carried to the project's next issuance, so a small period may issue
    nothing and still count. The vintage is the local year in which the period ends. Refused:
    unknown-monitoring, monitoring-state, and the ledger's codes.
    """
    found = monitoring(conn, city, monitoring_id)
    if found is None:
        return Refusal(
            "unknown-monitoring", "모니터링 기간을 찾을 수 없습니다.", "There is no such period."
        )
    lock(conn, city, [f"issue {found.project_id}", "serials"])
    there = rows(conn, f"{_BATCH} WHERE b.city = %s AND b.monitoring_id = %s", (city, found.id))
    if there:
        return _batch(city, there[0])
    if found.status != "approved":
        return Refusal(
            "monitoring-state",
            f"승인된 모니터링 기간만 발행할 수 있습니다 (지금: {found.status}).",
            f"Only an approved monitoring period can be issued (it is {found.status}).",
            {"monitoring": str(found.id), "status": found.status},
        )
    owner = project(conn, city, found.project_id)
    assert owner is not None
    vintage = local_day(
        found.period.end - timedelta(microseconds=1), zone or ZoneInfo("Asia/Seoul")
    ).year
    return _issue(conn, city, found, owner, vintage, actor, clock)


def _issue(
    conn: Connection,
    city: str,
    found: Monitoring,
    owner: Project,
    vintage: int,
    actor: str,
    clock: Clock,
) -> CreditBatch | Refusal:
    last = batches(conn, city, owner.id)
    carried_in_t = last[0].carried_out_t if last else Decimal(0)
    position = last[0].position + 1 if last else 1
    amounts = issuance_amounts(found.co2e_t, carried_in_t, owner.buffer_bp)
    made, transfer_id, serials = new_id(), None, None
    if amounts.tonnes:
        answer = _post_issuance(conn, city, made, owner, found, amounts.tonnes,
                                amounts.buffer_tonnes, clock)  # fmt: skip
        if isinstance(answer, Refusal):
            return answer
        transfer_id = answer
        top = rows(
            conn,
            "SELECT coalesce(max(upper(serials)), 1) AS n FROM footprint_batch WHERE city = %s",
            (city,),
        )[0]["n"]
        serials = Range[int](top, top + amounts.tonnes)
    execute(
        conn,
        """INSERT INTO footprint_batch (city, id, project_id, monitoring_id, position, vintage,
          tonnes, buffer_tonnes, serials, quantified_t, carried_in_t, carried_out_t, transfer_id,
          actor, created_at) VALUES (%s,%s,%s,%s,%s,%s,%s,%s,%s::int8range,%s,%s,%s,%s,%s,%s)""",
        (
            city, made, owner.id, found.id, position, vintage, amounts.tonnes,
            amounts.buffer_tonnes, serials, found.co2e_t, carried_in_t, amounts.carried_out_t,
            transfer_id, actor, clock.now(),
        ),
    )  # fmt: skip
    execute(
        conn,
        "UPDATE footprint_monitoring SET status = 'issued' WHERE city = %s AND id = %s",
        (city, found.id),
    )
    stored = batch(conn, city, made)
    assert stored is not None
    proof.append(conn, city, "issuance", made, batch_entry(stored))
    proof.audit(
        conn, city, actor, "credits.issued", "batch", str(made), None,
        {"project": owner.code, "tonnes": stored.tonnes, "serials": stored.serials},
    )  # fmt: skip
    return stored


def _post_issuance(
    conn: Connection,
    city: str,
    made: UUID,
    owner: Project,
    found: Monitoring,
    tonnes: int,
    buffer_tonnes: int,
    clock: Clock,
) -> UUID | Refusal:
    asset = f"credit:{made}"
    ledger.open_accounts(
        conn,
        city,
        [
            ledger.AccountSpec(ISSUER, asset, "issuer", minimum=None),
            ledger.AccountSpec(owner.account, asset, "project"),
            ledger.AccountSpec(BUFFER, asset, "buffer"),
            ledger.AccountSpec(RETIRED, asset, "retired"),
        ],
    )
    split = ((owner.account, tonnes - buffer_tonnes), (BUFFER, buffer_tonnes))
    legs = tuple(ledger.Leg(ISSUER, to, asset, amount) for to, amount in split if amount)
    return post(
        conn,
        city,
        ledger.TransferRequest(
            f"issuance:{made}", "issuance", legs, found.period.end, owner.code, "batch", str(made)
        ),
        clock,
    )


def post(
    conn: Connection, city: str, request: ledger.TransferRequest, clock: Clock
) -> UUID | Refusal:
    """Have a transfer decided in this transaction: its id, or the ledger's refusal."""
    answer = ledger.post(conn, city, [request], clock)[request.key]
    if answer.refusal is not None:
        return answer.refusal
    assert answer.transfer_id is not None
    return answer.transfer_id


def short_of(conn: Connection, city: str, account: str, asset: str, amount: int) -> Refusal | None:
    """A refusal when an account holds less than is asked; the request's key stays unused then."""
    held = ledger.balance(conn, city, account, asset)
    if held >= amount:
        return None
    return Refusal(
        "insufficient-balance",
        f"잔액이 부족합니다 (보유 {held}, 필요 {amount}).",
        f"The balance does not suffice (held {held}, needed {amount}).",
        {"account": account, "asset": asset, "held": held, "needed": amount},
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
) -> Retirement | Refusal:
    """Use up units a company holds, on a beneficiary's behalf, with serials no one else gets.

    `key` makes it happen once: again with the same terms, the retirement that was made. Refused:
    unknown-batch, retirement-incomplete, key-reused, insufficient-balance.
    """
    found = batch(conn, city, batch_id)
    if found is None:
        return unknown_batch(batch_id)
    if tonnes < 1 or not beneficiary.strip() or not reason.strip():
        return Refusal(
            "retirement-incomplete",
            "1톤 이상과 수혜자, 사유를 적어야 합니다.",
            "State a tonne or more, the beneficiary and the reason.",
            {"tonnes": tonnes},
        )
    lock(conn, city, [f"retire {batch_id}", f"retirement {key}"])
    there = rows(conn, f"{_RETIREMENT} WHERE city = %s AND key = %s", (city, key))
    if there:
        before = _retirement(there[0])
        asked = (batch_id, company, tonnes, beneficiary, reason)
        same = (before.batch_id, before.company, before.tonnes, before.beneficiary, before.reason)
        return before if asked == same else key_reused(key)
    refusal = short_of(conn, city, company, found.asset, tonnes)
    if refusal is not None:
        return refusal
    made = new_id()
    transfer_id = post(
        conn,
        city,
        ledger.TransferRequest(
            f"retirement:{key}", "retirement",
            (ledger.Leg(company, RETIRED, found.asset, tonnes),),
            clock.now(), f"{beneficiary}: {reason}"[:200], "retirement", str(made),
        ),
        clock,
    )  # fmt: skip
    if isinstance(transfer_id, Refusal):
        return transfer_id
    used = rows(
        conn,
        """SELECT coalesce(sum(tonnes), 0)::bigint AS n FROM footprint_retirement
        WHERE city = %s AND batch_id = %s""",
        (city, batch_id),
    )[0]["n"]
    first = found.serial_first + used
    execute(
        conn,
        """INSERT INTO footprint_retirement (city, id, batch_id, company, tonnes, beneficiary,
          reason, serials, key, transfer_id, actor, created_at)
        VALUES (%s,%s,%s,%s,%s,%s,%s,int8range(%s,%s),%s,%s,%s,%s)""",
        (
            city, made, batch_id, company, tonnes, beneficiary, reason, first, first + tonnes,
            key, transfer_id, actor, clock.now(),
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


def holdings(conn: Connection, city: str, account: str) -> list[Holding]:
    """What an account (company, project, buffer or retired) holds of each batch; newest first."""
    found = batches(conn, city)
    held = ledger.balances(conn, city, [(account, one.asset) for one in found])
    return [
        Holding(one, tonnes) for one in found if (tonnes := held.get((account, one.asset), 0)) > 0
    ]


def unknown_batch(batch_id: UUID) -> Refusal:
    return Refusal(
        "unknown-batch",
        f"크레딧 {batch_id}을(를) 찾을 수 없습니다.",
        f"There is no credit batch {batch_id}.",
        {"batch": str(batch_id)},
    )


def key_reused(key: str) -> Refusal:
    return Refusal(
        "key-reused",
        "같은 요청 번호가 다른 내용으로 이미 쓰였습니다.",
        "This request key was already used for something else.",
        {"key": key},
    )


def batch_entry(made: CreditBatch) -> dict[str, Any]:
    """What the log holds of an issuance."""
    return {
        "project": made.project_id,
        "monitoring": made.monitoring_id,
        "position": made.position,
        "vintage": made.vintage,
        "tonnes": made.tonnes,
        "buffer_tonnes": made.buffer_tonnes,
        "serials": [made.serial_first, made.serial_last],
        "quantified_t": made.quantified_t,
        "carried_in_t": made.carried_in_t,
        "carried_out_t": made.carried_out_t,
        "transfer": made.transfer_id,
        "actor": made.actor,
        "created_at": made.created_at,
    }


def retirement_entry(made: Retirement) -> dict[str, Any]:
    """What the log holds of a retirement."""
    return {
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
