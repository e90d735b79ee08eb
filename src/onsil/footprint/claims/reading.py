"""Looking at claims: who holds a quantity, a meter's bands over time, and finding claims."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from onsil.core.database import Connection
from onsil.core.periods import Period
from onsil.footprint import rows
from onsil.footprint.claims.parts import Part
from onsil.footprint.store import as_period, as_range
from onsil.footprint.store import rows as select
from onsil.footprint.terms import Claim, Run


@dataclass(frozen=True)
class Band:
    """What one claim holds at one meter: a stretch of time and of shares.

    `meter` is where it was measured; where that lies inside the meter looked at, `inside` is True.
    `period` has no bounds for what happens once, such as a delivered lot.
    """

    claim_id: UUID
    run_id: UUID
    programme: str
    kind: str
    meter: str
    quantity: str
    share_from: int
    share_to: int
    period: Period
    amount: Decimal
    unit: str
    inside: bool
    for_good: bool
    actor: str
    created_at: datetime


@dataclass(frozen=True)
class Hit:
    """A meter or record that was claimed: how often, by which programmes, over which time."""

    meter: str
    quantity: str
    unit: str
    claims: int
    programmes: tuple[str, ...]
    period: Period
    refused: int


def held_against(
    conn: Connection, city: str, found: Run, wanted: Part, shares: tuple[int, int]
) -> list[Claim]:
    """The claims that stand in the way of a part of a run, as the exclusion constraint sees it."""
    held = select(
        conn,
        """SELECT DISTINCT h.claim_id FROM unnest(%s::text[], %s::text[]) AS w (meter, quantity)
        CROSS JOIN LATERAL footprint_holds_of(%s, %s, w.meter, w.quantity, %s) o
        JOIN footprint_hold h ON h.city = %s AND h.meter = o.meter AND h.family = o.family
          AND h.part && o.part AND h.period && o.period AND h.share && int4range(%s, %s)
        ORDER BY h.claim_id""",
        (
            [line.meter for line in wanted.lines], [line.quantity for line in wanted.lines],
            city, found.id, as_range(wanted.period), city, *shares,
        ),
    )  # fmt: skip
    made = [rows.claim_of(conn, city, row["claim_id"]) for row in held]
    return [one for one in made if one is not None]


def timeline(conn: Connection, city: str, meter: str, period: Period | None = None) -> list[Band]:
    """Everything that is held at a meter, its parts included, by time; optionally in a period."""
    found = select(
        conn,
        """SELECT h.claim_id, c.run_id, c.programme, c.kind, h.line_meter, h.line_quantity, h.share,
          l.period, l.amount, l.unit, h.line_meter <> h.meter AS inside,
          lower_inf(h.period) AS for_good, c.actor, c.created_at
        FROM footprint_hold h
        JOIN footprint_claim c ON c.city = h.city AND c.id = h.claim_id
        JOIN footprint_claim_line l ON l.city = h.city AND l.claim_id = h.claim_id
          AND l.meter = h.line_meter AND l.quantity = h.line_quantity
        WHERE h.city = %(city)s AND h.meter = %(meter)s
          AND (%(start)s::timestamptz IS NULL
               OR l.period && tstzrange(%(start)s::timestamptz, %(end)s::timestamptz))
        ORDER BY l.period, h.share, h.claim_id""",
        {
            "city": city, "meter": meter,
            "start": None if period is None else period.start,
            "end": None if period is None else period.end,
        },
    )  # fmt: skip
    return [
        Band(
            row["claim_id"], row["run_id"], row["programme"], row["kind"], row["line_meter"],
            row["line_quantity"], row["share"].lower, row["share"].upper,
            as_period(row["period"]), row["amount"], row["unit"], row["inside"], row["for_good"],
            row["actor"], row["created_at"],
        )
        for row in found
    ]  # fmt: skip


def held_at(conn: Connection, city: str, meter: str, instant: datetime) -> list[Band]:
    """Who holds what of a meter at an instant: the claims and shares, part by part."""
    return [band for band in timeline(conn, city, meter) if instant in band.period]


def search(
    conn: Connection,
    city: str,
    meter: str = "",
    programme: str = "",
    kind: str = "",
    period: Period | None = None,
    limit: int = 200,
) -> list[Hit]:
    """Claimed meters and records by a part of their name, a programme or kind, and a period."""
    found = select(
        conn,
        """SELECT l.meter, l.quantity, min(l.unit) AS unit, count(DISTINCT l.claim_id) AS claims,
          array_agg(DISTINCT c.programme) AS programmes,
          tstzrange(min(lower(l.period)), max(upper(l.period))) AS period,
          (SELECT count(*) FROM footprint_claim_refusal r
           WHERE r.city = l.city AND l.meter = ANY(r.meters)) AS refused
        FROM footprint_claim_line l
        JOIN footprint_claim c ON c.city = l.city AND c.id = l.claim_id
        WHERE l.city = %(city)s
          AND (%(meter)s = '' OR position(lower(%(meter)s) in lower(l.meter)) > 0)
          AND (%(programme)s = '' OR c.programme = %(programme)s)
          AND (%(kind)s = '' OR c.kind = %(kind)s)
          AND (%(start)s::timestamptz IS NULL
               OR l.period && tstzrange(%(start)s::timestamptz, %(end)s::timestamptz))
        GROUP BY l.city, l.meter, l.quantity
        ORDER BY max(c.created_at) DESC, l.meter LIMIT %(limit)s""",
        {
            "city": city, "meter": meter, "programme": programme, "kind": kind, "limit": limit,
            "start": None if period is None else period.start,
            "end": None if period is None else period.end,
        },
    )  # fmt: skip
    return [
        Hit(
            row["meter"], row["quantity"], row["unit"], row["claims"], tuple(row["programmes"]),
            as_period(row["period"]), row["refused"],
        )
        for row in found
    ]  # fmt: skip
