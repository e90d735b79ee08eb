"""The market: a project's units listed at a price, bought by companies, the city's fund paid."""

from uuid import UUID
from zoneinfo import ZoneInfo

from onsil import ledger, proof
from onsil.core.clock import Clock
from onsil.core.database import Connection
from onsil.core.ids import new_id
from onsil.core.periods import local_day
from onsil.core.refusal import Refusal
from onsil.footprint.credits import (
    Move,
    a_holder,
    batch,
    key_reused,
    move,
    not_held,
    short_of,
    unknown_batch,
)
from onsil.footprint.market.revenue import shares_on
from onsil.footprint.market.sharing import split
from onsil.footprint.store import Row, execute, lock, rows
from onsil.footprint.terms import CreditBatch, Listing, Sale

_SEOUL = ZoneInfo("Asia/Seoul")
_LISTING = """SELECT l.id, l.batch_id, l.tonnes, l.unit_price_krw, l.withdrawn, l.actor,
  l.created_at, l.tonnes - coalesce((SELECT sum(s.tonnes) FROM footprint_sale s
    WHERE s.city = l.city AND s.listing_id = l.id), 0)::int
  - coalesce((SELECT sum(o.tonnes) FROM footprint_order o WHERE o.city = l.city
    AND o.listing_id = l.id AND o.status IN ('accepted', 'escrowed')), 0)::int AS remaining
  FROM footprint_listing l"""
_SALE = """SELECT id, listing_id, batch_id, buyer, tonnes, unit_price_krw, key, transfer_id, actor,
  created_at FROM footprint_sale"""


def _listing(row: Row) -> Listing:
    return Listing(**row)


def list_for_sale(
    conn: Connection,
    city: str,
    batch_id: UUID,
    tonnes: int,
    unit_price_krw: int,
    actor: str,
    clock: Clock,
) -> Listing | Refusal:
    """Offer a batch's units, in whole tonnes at whole won, as far as its project holds them.

    Refused: unknown-batch, listing-invalid, listing-exceeds for more than is unsold and unlisted.
    """
    found = batch(conn, city, batch_id)
    if found is None:
        return unknown_batch(batch_id)
    if tonnes < 1 or unit_price_krw < 1:
        return Refusal(
            "listing-invalid",
            "1톤, 1원 이상이어야 합니다.",
            "A listing wants a tonne and a won at least.",
            {"tonnes": tonnes, "unit_price_krw": unit_price_krw},
        )
    lock(conn, city, [f"market {batch_id}"])
    held = ledger.balance(conn, city, f"project:{found.project_id}", found.asset)
    offered = sum(one.remaining for one in listings(conn, city, batch_id=batch_id))
    if tonnes > held - offered:
        return Refusal(
            "listing-exceeds",
            f"팔 수 있는 양은 {held - offered}톤입니다 (보유 {held}, 이미 등록 {offered}).",
            f"{held - offered} t can be listed (held {held}, already listed {offered}).",
            {"held": held, "listed": offered, "tonnes": tonnes},
        )
    made = new_id()
    execute(
        conn,
        """INSERT INTO footprint_listing
        (city, id, batch_id, tonnes, unit_price_krw, actor, created_at)
        VALUES (%s,%s,%s,%s,%s,%s,%s)""",
        (city, made, batch_id, tonnes, unit_price_krw, actor, clock.now()),
    )
    proof.audit(
        conn, city, actor, "credits.listed", "listing", str(made), None,
        {"batch": batch_id, "tonnes": tonnes, "unit_price_krw": unit_price_krw},
    )  # fmt: skip
    return _listing(rows(conn, f"{_LISTING} WHERE l.city = %s AND l.id = %s", (city, made))[0])


def withdraw_listing(
    conn: Connection, city: str, listing_id: UUID, actor: str, clock: Clock
) -> Listing | Refusal:
    """Take an offer off the market; what was sold of it stays sold. Refused: unknown-listing."""
    found = rows(conn, f"{_LISTING} WHERE l.city = %s AND l.id = %s", (city, listing_id))
    if not found:
        return Refusal("unknown-listing", "등록된 매물이 없습니다.", "There is no such listing.")
    lock(conn, city, [f"market {found[0]['batch_id']}"])
    execute(
        conn,
        "UPDATE footprint_listing SET withdrawn = true WHERE city = %s AND id = %s",
        (city, listing_id),
    )
    proof.audit(
        conn, city, actor, "listing.withdrawn", "listing", str(listing_id),
        {"withdrawn": found[0]["withdrawn"]}, {"withdrawn": True, "at": clock.now()},
    )  # fmt: skip
    return _listing(
        rows(conn, f"{_LISTING} WHERE l.city = %s AND l.id = %s", (city, listing_id))[0]
    )


def listing(conn: Connection, city: str, listing_id: UUID) -> Listing | None:
    found = rows(conn, f"{_LISTING} WHERE l.city = %s AND l.id = %s", (city, listing_id))
    return _listing(found[0]) if found else None


def listings(
    conn: Connection, city: str, open_only: bool = True, batch_id: UUID | None = None
) -> list[Listing]:
    """Offers, cheapest and oldest first; `open_only` leaves out those sold out or withdrawn."""
    found = rows(
        conn,
        f"""{_LISTING} WHERE l.city = %(city)s
          AND (%(batch)s::uuid IS NULL OR l.batch_id = %(batch)s::uuid)
        ORDER BY l.unit_price_krw, l.id""",
        {"city": city, "batch": batch_id},
    )
    made = [_listing(row) for row in found]
    return [one for one in made if not open_only or (one.remaining and not one.withdrawn)]


def buy(
    conn: Connection,
    city: str,
    batch_id: UUID,
    buyer: str,
    tonnes: int,
    unit_price_krw: int,
    key: str,
    actor: str,
    clock: Clock,
) -> Sale | Refusal:
    """Buy units at a listed price: units to the buyer and won to the incentive fund, in one.

    `buyer` is the company's account code. `key` makes it happen once: again with the same terms,
    the sale that was made. Refused: unknown-batch, account-not-held (the buyer's), not-listed
    (no open listing at that price holds so many), key-reused, insufficient-balance.
    """
    found = batch(conn, city, batch_id)
    if found is None:
        return unknown_batch(batch_id)
    if not a_holder(buyer):
        return not_held(buyer)
    lock(conn, city, [f"market {batch_id}", f"sale {key}"])
    there = rows(conn, f"{_SALE} WHERE city = %s AND key = %s", (city, key))
    if there:
        before = Sale(**there[0])
        asked = (batch_id, buyer, tonnes, unit_price_krw)
        same = (before.batch_id, before.buyer, before.tonnes, before.unit_price_krw)
        return before if asked == same else key_reused(key)
    offered = listings(conn, city, batch_id=batch_id)
    fits = (o for o in offered if o.unit_price_krw == unit_price_krw and o.remaining >= tonnes)
    chosen = next(fits, None) if tonnes > 0 else None
    if chosen is None:
        return Refusal(
            "not-listed",
            f"톤당 {unit_price_krw}원에 {tonnes}톤을 살 수 있는 매물이 없습니다.",
            f"No open listing offers {tonnes} t at {unit_price_krw} KRW.",
            {"offers": [[o.unit_price_krw, o.remaining] for o in offered]},
        )
    refusal = short_of(conn, city, buyer, "KRW", tonnes * unit_price_krw)
    if refusal is not None:
        return refusal
    return _sell(conn, city, found, chosen, buyer, tonnes, key, actor, clock)


def _sell(
    conn: Connection,
    city: str,
    found: CreditBatch,
    chosen: Listing,
    buyer: str,
    tonnes: int,
    key: str,
    actor: str,
    clock: Clock,
) -> Sale | Refusal:
    return record_sale(conn, city, found, chosen, buyer, buyer, tonnes, chosen.unit_price_krw, key,
                       actor, clock)  # fmt: skip


def record_sale(
    conn: Connection,
    city: str,
    found: CreditBatch,
    chosen: Listing,
    buyer: str,
    payer: str,
    tonnes: int,
    price: int,
    key: str,
    actor: str,
    clock: Clock,
) -> Sale | Refusal:
    """Units to the buyer and won from the payer (the buyer, or its escrow) to those who share in
    the revenue, in one transfer."""
    made = new_id()
    today = local_day(clock.now(), _SEOUL)
    parts = split(tonnes * price, shares_on(conn, city, found.project_id, today))
    paid = {account: won for account, won in parts.items() if won}
    moved = move(
        conn,
        city,
        Move(
            found.id, "sale", f"project:{found.project_id}", buyer, tonnes, key, actor,
            facts={"sale": str(made)}, memo=found.serial_prefix, origin=("sale", str(made)),
            legs=tuple(ledger.Leg(payer, account, "KRW", won) for account, won in paid.items()),
            accounts=(
                ledger.AccountSpec(payer, "KRW", "company"),
                *(ledger.AccountSpec(account, "KRW", "fund") for account in paid),
            ),
        ),
        clock,
    )  # fmt: skip
    if isinstance(moved, Refusal):
        return moved
    execute(
        conn,
        """INSERT INTO footprint_sale (city, id, listing_id, batch_id, buyer, tonnes,
          unit_price_krw, key, transfer_id, actor, created_at)
        VALUES (%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s)""",
        (
            city, made, chosen.id, found.id, buyer, tonnes, price, key, moved.transfer_id, actor,
            clock.now(),
        ),
    )  # fmt: skip
    proof.audit(
        conn, city, actor, "credits.sold", "sale", str(made), None,
        {"batch": found.id, "buyer": buyer, "tonnes": tonnes, "unit_price_krw": price,
         "revenue": paid},
    )  # fmt: skip
    return Sale(**rows(conn, f"{_SALE} WHERE city = %s AND id = %s", (city, made))[0])


def sales(
    conn: Connection, city: str, batch_id: UUID | None = None, buyer: str | None = None
) -> list[Sale]:
    """Sales, newest first, optionally of one batch or buyer."""
    found = rows(
        conn,
        f"""{_SALE} WHERE city = %(city)s
          AND (%(batch)s::uuid IS NULL OR batch_id = %(batch)s::uuid)
          AND (%(buyer)s::text IS NULL OR buyer = %(buyer)s::text) ORDER BY id DESC""",
        {"city": city, "batch": batch_id, "buyer": buyer},
    )
    return [Sale(**row) for row in found]
