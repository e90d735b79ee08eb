"""Batches of units as they were issued or brought in; the units themselves are the ledger's."""

from typing import Any
from uuid import UUID

from onsil import ledger
from onsil.core.clock import Clock
from onsil.core.database import Connection
from onsil.core.refusal import Refusal
from onsil.footprint.store import Row, rows
from onsil.footprint.terms import CreditBatch, Holding

ISSUER, BUFFER, RETIRED = "issuer:credit", "buffer", "retired"
_BATCH = """SELECT b.id, b.project_id, b.monitoring_id, b.position, b.vintage, b.tonnes,
  b.buffer_tonnes, b.serials, b.quantified_t, b.carried_in_t, b.carried_out_t, b.transfer_id,
  b.actor, b.created_at, b.unit, coalesce(p.code, 'IMPORT') AS code FROM footprint_batch b
  LEFT JOIN footprint_project p ON p.city = b.city AND p.id = b.project_id"""
_ISSUED = f"{_BATCH} WHERE b.origin = 'issued' AND"


def _batch(city: str, row: Row) -> CreditBatch:
    serials = row.pop("serials")
    first, last = (0, 0) if serials is None else (serials.lower, serials.upper - 1)
    prefix = f"ONSIL-{city.upper()}-{row.pop('code')}-{row['vintage']}"
    return CreditBatch(serial_first=first, serial_last=last, serial_prefix=prefix, **row)


def batch(conn: Connection, city: str, batch_id: UUID) -> CreditBatch | None:
    """A batch issued here; `any_batch` finds those of other registries too."""
    found = rows(conn, f"{_ISSUED} b.city = %s AND b.id = %s", (city, batch_id))
    return _batch(city, found[0]) if found else None


def any_batch(conn: Connection, city: str, batch_id: UUID) -> CreditBatch | None:
    """A batch, issued here or brought in; the latter has neither project nor period (both None)."""
    found = rows(conn, f"{_BATCH} WHERE b.city = %s AND b.id = %s", (city, batch_id))
    return _batch(city, found[0]) if found else None


def imported(made: CreditBatch) -> bool:
    """Whether a batch's units are another registry's."""
    return made.project_id is None


def batches(conn: Connection, city: str, project_id: UUID | None = None) -> list[CreditBatch]:
    """Issued batches, newest first, optionally of one project (then by place in its row)."""
    found = rows(
        conn,
        f"""{_ISSUED} b.city = %(city)s
          AND (%(project)s::uuid IS NULL OR b.project_id = %(project)s::uuid)
        ORDER BY CASE WHEN %(project)s::uuid IS NULL THEN 0 ELSE b.position END DESC, b.id DESC""",
        {"city": city, "project": project_id},
    )
    return [_batch(city, row) for row in found]


def batches_of_period(conn: Connection, city: str, monitoring_id: UUID) -> list[CreditBatch]:
    """The batches issued for a monitoring period, one a vintage, in order."""
    found = rows(
        conn, f"{_ISSUED} b.city = %s AND b.monitoring_id = %s ORDER BY b.position",
        (city, monitoring_id),
    )  # fmt: skip
    return [_batch(city, row) for row in found]


def imports(conn: Connection, city: str) -> list[CreditBatch]:
    """Batches brought in from other registries, newest first."""
    found = rows(
        conn, f"{_BATCH} WHERE b.origin = 'imported' AND b.city = %s ORDER BY b.id DESC", (city,)
    )
    return [_batch(city, row) for row in found]


def batch_by_serial(conn: Connection, city: str, serial: int) -> CreditBatch | None:
    """The batch issued here that a serial number belongs to."""
    found = rows(conn, f"{_ISSUED} b.city = %s AND b.serials @> %s::bigint", (city, serial))
    return _batch(city, found[0]) if found else None


def next_serial(conn: Connection, city: str) -> int:
    """The first serial that no batch has yet; hold the lock `serials` while it is used."""
    top = rows(
        conn,
        "SELECT coalesce(max(upper(serials)), 1) AS n FROM footprint_batch WHERE city = %s",
        (city,),
    )
    return top[0]["n"]


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
    return None if held >= amount else insufficient(account, asset, held, amount)


def insufficient(account: str, asset: str, held: int, amount: int) -> Refusal:
    return Refusal(
        "insufficient-balance",
        f"잔액이 부족합니다 (보유 {held}, 필요 {amount}).",
        f"The balance does not suffice (held {held}, needed {amount}).",
        {"account": account, "asset": asset, "held": held, "needed": amount},
    )


def holdings(conn: Connection, city: str, account: str) -> list[Holding]:
    """What an account (company, project, buffer or retired) holds of each batch; newest first."""
    found = [*batches(conn, city), *imports(conn, city)]
    found.sort(key=lambda one: one.id, reverse=True)
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
    entry: dict[str, Any] = {
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
    return entry if made.unit == "tCO2e" else entry | {"unit": made.unit}
