"""Certificates retired for a company: they lower scope 2 by the market, once, and nothing else.

A certificate is a claim of a programme of certificates (`kr-rec`, `re100`) on generated kilowatt-
hours; its exclusive hold stands in the claims registry. Retiring it for a company's year is a use
of the claim, which PostgreSQL allows once. Scope 2 by the location stays as it is (GHG Protocol
Scope 2 Guidance, 2015, ch. 6 and 7: contractual instruments count in the market-based method only,
each once, generated close to the year of use; from memory).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from onsil import proof
from onsil.core.clock import Clock
from onsil.core.database import Connection
from onsil.core.periods import local_year
from onsil.core.quantities import UnitError, convert
from onsil.core.refusal import Refusal
from onsil.footprint import claims
from onsil.footprint import rows as stored
from onsil.footprint.inventory.books import inventory, unknown_inventory
from onsil.footprint.inventory.combining import KG
from onsil.footprint.inventory.terms import COMPANY, FULL_SHARE_BP
from onsil.footprint.store import lock, rows
from onsil.footprint.terms import Claim

USE = "rec-retirement"
LOCATION, MARKET = "2.L", "2.M"
_ELECTRICITY = "electricity"
SEOUL = ZoneInfo("Asia/Seoul")
_CLAIMS = """SELECT c.id AS claim, c.programme, c.energy_wh / 1000 AS kwh,
    lower(c.period) AS start, upper(c.period) AS "end", c.run_id AS run
  FROM footprint_claim c"""

_FREE = """ WHERE c.city = %s AND footprint_programme_kind(c.programme) = 'rec'
    AND c.energy_wh > 0 AND c.period <@ tstzrange(%s, %s)
    AND NOT EXISTS (SELECT FROM footprint_claim_use u
      WHERE u.city = c.city AND u.claim_id = c.id)
    AND NOT EXISTS (SELECT FROM footprint_claim_release l
      WHERE l.city = c.city AND l.claim_id = c.id)
  ORDER BY lower(c.period), c.id LIMIT 200"""


@dataclass(frozen=True)
class Certificate:
    """A claim of certificates: kWh generated in a period, in whose run they were found."""

    claim: UUID
    programme: str
    kwh: Decimal
    start: datetime
    end: datetime
    run: UUID

    def document(self) -> dict[str, Any]:
        return dict(vars(self))


def retire_certificate(
    conn: Connection, city: str, inventory_id: UUID, claim_id: UUID, actor: str, clock: Clock,
    zone: ZoneInfo = SEOUL,
) -> Certificate | Refusal:  # fmt: skip
    """Retire a certificate for a company's year; for the same one again it is the one that is.

    Refused: `unknown-inventory`, `not-a-company`, `unknown-claim`, `not-a-certificate` (a claim of
    another kind of programme, or of no energy), `year-differs` (generated outside the year),
    `certificate-used` (serves another company or year), `claim-released`, `claim-served`.
    """
    book = inventory(conn, city, inventory_id)
    if book is None:
        return unknown_inventory(inventory_id)
    held = stored.claim_of(conn, city, claim_id)
    wrong = _unfit(book.kind, book.year, held, claim_id, zone)
    if wrong is not None:
        return wrong
    lock(conn, city, [f"certificate {claim_id}"])
    before = _serves(conn, city, claim_id)
    if before is None:
        refused = claims.use(conn, city, claim_id, USE, str(inventory_id), clock)
        if refused is not None:
            return refused
    if _serves(conn, city, claim_id) != str(inventory_id):
        return Refusal(
            "certificate-used",
            "이 인증서는 이미 다른 기업이나 해에 쓰였습니다. 한 번만 쓸 수 있습니다.",
            "This certificate already serves another company or year. It counts once.",
            {"claim": str(claim_id)},
        )
    if before is None:
        proof.audit(
            conn, city, actor, "inventory.certificate", "inventory", str(inventory_id), None,
            {"claim": claim_id},
        )  # fmt: skip
    (found,) = [one for one in retired(conn, city, inventory_id) if one.claim == claim_id]
    return found


def _unfit(
    kind: str, year: int, held: Claim | None, claim_id: UUID, zone: ZoneInfo
) -> Refusal | None:
    facts = {"claim": str(claim_id)}
    if kind != COMPANY:
        return Refusal("not-a-company", "인증서는 기업 인벤토리에만 씁니다.",
                       "Certificates serve a company's inventory only.", facts)  # fmt: skip
    if held is None:
        return Refusal("unknown-claim", "청구를 찾을 수 없습니다.",
                       f"There is no claim {claim_id}.", facts)  # fmt: skip
    if held.kind != "rec" or held.energy_wh <= 0:
        return Refusal(
            "not-a-certificate",
            "재생에너지 인증(REC)으로 등록된 발전량만 쓸 수 있습니다.",
            "Only generation that is claimed for certificates can be retired here.",
            {**facts, "kind": held.kind},
        )
    whole = local_year(year, zone)
    if held.period.start < whole.start or held.period.end > whole.end:
        return Refusal(
            "year-differs",
            f"{year}년에 발전한 인증서만 {year}년 인벤토리에 쓸 수 있습니다.",
            f"Only what was generated in {year} serves the inventory of {year}.",
            facts,
        )
    return None


def _serves(conn: Connection, city: str, claim_id: UUID) -> str | None:
    found = rows(
        conn,
        "SELECT subject FROM footprint_claim_use WHERE city = %s AND claim_id = %s AND kind = %s",
        (city, claim_id, USE),
    )
    return found[0]["subject"] if found else None


def retired(conn: Connection, city: str, inventory_id: UUID) -> list[Certificate]:
    """What was retired for an inventory, by period."""
    found = rows(
        conn,
        f"""{_CLAIMS} JOIN footprint_claim_use u ON u.city = c.city AND u.claim_id = c.id
        WHERE c.city = %s AND u.kind = %s AND u.subject = %s ORDER BY lower(c.period), c.id""",
        (city, USE, str(inventory_id)),
    )
    return [Certificate(**row) for row in found]


def available(conn: Connection, city: str, year: int, zone: ZoneInfo = SEOUL) -> list[Certificate]:
    """Certificates generated within the year that nothing was made of yet."""
    whole = local_year(year, zone)
    found = rows(
        conn,
        _CLAIMS + _FREE,
        (city, whole.start, whole.end),
    )
    return [Certificate(**row) for row in found]


def market(
    lines: Sequence[Mapping[str, Any]], outputs: Iterable[Mapping[str, Any]],
    certificates: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:  # fmt: skip
    """Scope 2 by the market in kg: the market lines (the location's where there are none) less
    the electricity that certificates cover, each kWh by its own line's kg. Pure.

    `surplus_kwh` is what the certificates have beyond the electricity used; it lowers nothing.
    Lines whose factor is not one of electricity are covered by none.
    """
    specs = {one["code"]: one for one in lines}
    counted = [one for one in outputs if one["counted"] and one["ref"] in (LOCATION, MARKET)]
    used = [one for one in counted if one["ref"] == MARKET] or counted
    ref = used[0]["ref"] if used else None
    held = sum((Decimal(one["kwh"]) for one in certificates), Decimal(0))
    left, lowered, covered = held, Decimal(0), Decimal(0)
    by_line: dict[str, Any] = {}
    for one in used:
        kwh = _kwh(specs[one["code"]], one)
        if not kwh or not left:
            continue
        taken = min(kwh, left)
        less = (one["co2e_kg"] * taken / kwh).quantize(KG)
        by_line[one["code"]] = {"covered_kwh": taken, "kwh": kwh, "less_kg": less}
        left, lowered, covered = left - taken, lowered + less, covered + taken
    gross = sum((one["co2e_kg"] for one in used), Decimal(0)) if used else None
    return {
        "from": ref,
        "gross_kg": gross,
        "less_kg": lowered,
        "net_kg": None if gross is None else gross - lowered,
        "certificates_kwh": held,
        "covered_kwh": covered,
        "surplus_kwh": left,
        "lines": by_line,
    }


def _kwh(line: Mapping[str, Any], found: Mapping[str, Any]) -> Decimal | None:
    """The line's electricity, for the share that the boundary takes; None for anything else."""
    if (line["factor"] or {}).get("commodity") != _ELECTRICITY or found.get("amount") is None:
        return None
    try:
        whole = convert(found["amount"], found["unit"], "kWh")
    except UnitError:
        return None
    return whole * line["share_bp"] / FULL_SHARE_BP
