"""Orders: asked for at a price, paid into escrow, settled by another person, or undone with refund.

    at the listed price:  escrowed → settled
    below it (an offer):  offered → accepted → escrowed → settled

While an order is accepted or escrowed its tonnes are kept from other buyers. The buyer's won lie in
an escrow account of the order's own: no crash and no dispute can mix them with the city's money.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from onsil import ledger, proof
from onsil.core.clock import Clock
from onsil.core.database import Connection
from onsil.core.ids import new_id
from onsil.core.refusal import Refusal
from onsil.footprint.credits import a_holder, batch, key_reused, not_held, post, short_of
from onsil.footprint.market.listings import listing, record_sale
from onsil.footprint.projects.workflow import person
from onsil.footprint.store import execute, lock, rows
from onsil.footprint.terms import CreditBatch, Listing

LASTS = timedelta(days=14)
_ORDER = """SELECT id, listing_id, batch_id, buyer, tonnes, unit_price_krw, status, key, message,
  placed_by, placed_at, lapses_at, accepted_by, accepted_at, escrow_transfer_id, escrowed_at,
  settled_by, settled_at, sale_id, closed_by, closed_at, refund_transfer_id, reason
  FROM footprint_order"""
OPEN = ("offered", "accepted", "escrowed")


@dataclass(frozen=True)
class Order:
    """An order and how far it came: offered, accepted, escrowed, settled, declined, cancelled or
    lapsed."""

    id: UUID
    listing_id: UUID
    batch_id: UUID
    buyer: str
    tonnes: int
    unit_price_krw: int
    status: str
    key: str
    message: str
    placed_by: str
    placed_at: datetime
    lapses_at: datetime
    accepted_by: str | None
    accepted_at: datetime | None
    escrow_transfer_id: UUID | None
    escrowed_at: datetime | None
    settled_by: str | None
    settled_at: datetime | None
    sale_id: UUID | None
    closed_by: str | None
    closed_at: datetime | None
    refund_transfer_id: UUID | None
    reason: str

    @property
    def amount_krw(self) -> int:
        return self.tonnes * self.unit_price_krw

    @property
    def escrow(self) -> str:
        """The ledger account that holds the buyer's won until it is settled or undone."""
        return f"escrow:{self.id}"


LISTED_PRICE = "listed-price"


def place_order(
    conn: Connection,
    city: str,
    listing_id: UUID,
    buyer: str,
    tonnes: int,
    unit_price_krw: int,
    key: str,
    actor: str,
    clock: Clock,
    message: str = "",
) -> Order | Refusal:
    """Ask for units of a listing. At its price the won go into escrow at once; below it the order
    is an offer that the seller accepts or declines. The key makes it happen once.

    Refused: `unknown-listing`, `order-invalid`, `not-listed` when the listing holds less or was
    withdrawn, `price-above-listing`, `key-reused`, `insufficient-balance`.
    """
    chosen = listing(conn, city, listing_id)
    if chosen is None:
        return Refusal("unknown-listing", "등록된 매물이 없습니다.", "There is no such listing.")
    if not a_holder(buyer):
        return not_held(buyer)
    lock(conn, city, [f"market {chosen.batch_id}", f"order {key}"])
    there = rows(conn, f"{_ORDER} WHERE city = %s AND key = %s", (city, key))
    if there:
        before = Order(**there[0])
        asked = (listing_id, buyer, tonnes, unit_price_krw)
        same = (before.listing_id, before.buyer, before.tonnes, before.unit_price_krw)
        return before if asked == same else key_reused(key)
    chosen = listing(conn, city, listing_id)
    assert chosen is not None
    refusal = _wrong(chosen, tonnes, unit_price_krw)
    if refusal is None:
        refusal = short_of(conn, city, buyer, "KRW", tonnes * unit_price_krw)
    if refusal is not None:
        return refusal
    made, now, at_price = new_id(), clock.now(), unit_price_krw == chosen.unit_price_krw
    execute(
        conn,
        """INSERT INTO footprint_order (city, id, listing_id, batch_id, buyer, tonnes,
          unit_price_krw, status, key, message, placed_by, placed_at, lapses_at, accepted_by,
          accepted_at) VALUES (%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s)""",
        (
            city, made, listing_id, chosen.batch_id, buyer, tonnes, unit_price_krw,
            "accepted" if at_price else "offered", key, message, actor, now, now + LASTS,
            LISTED_PRICE if at_price else None, now if at_price else None,
        ),
    )  # fmt: skip
    proof.audit(
        conn, city, actor, "order.placed", "order", str(made), None,
        {"listing": listing_id, "buyer": buyer, "tonnes": tonnes,
         "unit_price_krw": unit_price_krw},
    )  # fmt: skip
    placed = _stored(conn, city, made)
    return _escrow(conn, city, placed, actor, clock) if at_price else placed


def _wrong(chosen: Listing, tonnes: int, unit_price_krw: int) -> Refusal | None:
    if tonnes < 1 or unit_price_krw < 1:
        return Refusal(
            "order-invalid",
            "1톤, 1원 이상이어야 합니다.",
            "An order wants a tonne and a won at least.",
        )
    if chosen.withdrawn or chosen.remaining < tonnes:
        return Refusal(
            "not-listed",
            f"이 매물에는 {0 if chosen.withdrawn else chosen.remaining}톤이 남아 있습니다.",
            f"This listing has {0 if chosen.withdrawn else chosen.remaining} t left.",
            {"remaining": 0 if chosen.withdrawn else chosen.remaining},
        )
    if unit_price_krw > chosen.unit_price_krw:
        return Refusal(
            "price-above-listing",
            f"등록 가격은 톤당 {chosen.unit_price_krw}원입니다. 그보다 높게 살 수 없습니다.",
            f"It is listed at {chosen.unit_price_krw} KRW a tonne; nobody pays more.",
            {"listed": chosen.unit_price_krw},
        )
    return None


def _escrow(conn: Connection, city: str, found: Order, actor: str, clock: Clock) -> Order | Refusal:
    """Move the buyer's won into the order's own account."""
    ledger.open_accounts(
        conn,
        city,
        [
            ledger.AccountSpec(found.buyer, "KRW", "company"),
            ledger.AccountSpec(found.escrow, "KRW", "escrow"),
        ],
    )
    answer = post(
        conn,
        city,
        ledger.TransferRequest(
            f"escrow:{found.id}", "escrow",
            (ledger.Leg(found.buyer, found.escrow, "KRW", found.amount_krw),), clock.now(), "",
            "order", str(found.id),
        ),
        clock,
    )  # fmt: skip
    if isinstance(answer, Refusal):
        return answer
    execute(
        conn,
        """UPDATE footprint_order SET status = 'escrowed', escrow_transfer_id = %s,
          escrowed_at = %s WHERE city = %s AND id = %s""",
        (answer, clock.now(), city, found.id),
    )
    return _moved(conn, city, actor, "order.escrowed", found)


def accept_offer(
    conn: Connection, city: str, order_id: UUID, actor: str, clock: Clock
) -> Order | Refusal:
    """Take an offer: its tonnes are kept for the buyer, whose won go into escrow.

    Refused: `unknown-order`, `order-state`, `order-lapsed`, `maker-is-checker`, `not-listed`,
    `insufficient-balance`.
    """
    found = _locked(conn, city, order_id)
    if isinstance(found, Refusal):
        return found
    if found.status != "offered":
        return _state(found)
    if clock.now() >= found.lapses_at:
        return _lapsed(found)
    if person(found.placed_by) == person(actor):
        return _same_person()
    chosen = listing(conn, city, found.listing_id)
    assert chosen is not None
    refusal = _wrong(chosen, found.tonnes, found.unit_price_krw)
    if refusal is None:
        refusal = short_of(conn, city, found.buyer, "KRW", found.amount_krw)
    if refusal is not None:
        return refusal
    execute(
        conn,
        """UPDATE footprint_order SET status = 'accepted', accepted_by = %s, accepted_at = %s
        WHERE city = %s AND id = %s""",
        (actor, clock.now(), city, order_id),
    )
    return _escrow(conn, city, _stored(conn, city, order_id), actor, clock)


def decline_offer(
    conn: Connection, city: str, order_id: UUID, reason: str, actor: str, clock: Clock
) -> Order | Refusal:
    """Turn an offer down, with a reason. Refused: `unknown-order`, `order-state`,
    `reason-missing`."""
    found = _locked(conn, city, order_id)
    if isinstance(found, Refusal):
        return found
    if found.status != "offered":
        return _state(found)
    return _close(conn, city, found, "declined", reason, actor, clock)


def settle_order(
    conn: Connection, city: str, order_id: UUID, actor: str, clock: Clock
) -> Order | Refusal:
    """Hand the units over and the won to those who share in them, by a person who neither placed
    nor accepted the order. Refused: `unknown-order`, `order-state`, `order-lapsed`,
    `maker-is-checker`, and the codes of moving units."""
    found = _locked(conn, city, order_id)
    if isinstance(found, Refusal):
        return found
    if found.status == "settled":
        return found
    if found.status != "escrowed":
        return _state(found)
    if clock.now() >= found.lapses_at:
        return _lapsed(found)
    if person(actor) in (person(found.placed_by), person(found.accepted_by or "")):
        return _same_person()
    chosen, held = listing(conn, city, found.listing_id), batch(conn, city, found.batch_id)
    assert isinstance(chosen, Listing)
    assert isinstance(held, CreditBatch)
    sale = record_sale(
        conn, city, held, chosen, found.buyer, found.escrow, found.tonnes, found.unit_price_krw,
        f"order:{found.id}", actor, clock,
    )  # fmt: skip
    if isinstance(sale, Refusal):
        return sale
    execute(
        conn,
        """UPDATE footprint_order SET status = 'settled', settled_by = %s, settled_at = %s,
          sale_id = %s WHERE city = %s AND id = %s""",
        (actor, clock.now(), sale.id, city, order_id),
    )
    return _moved(conn, city, actor, "order.settled", found)


def cancel_order(
    conn: Connection, city: str, order_id: UUID, reason: str, actor: str, clock: Clock
) -> Order | Refusal:
    """Undo an order that is not settled; what is in escrow goes back to the buyer, whole.

    Refused: `unknown-order`, `order-state`, `reason-missing`.
    """
    found = _locked(conn, city, order_id)
    if isinstance(found, Refusal):
        return found
    if found.status not in OPEN:
        return _state(found)
    return _close(conn, city, found, "cancelled", reason, actor, clock)


def lapse_orders(conn: Connection, city: str, actor: str, clock: Clock) -> list[Order]:
    """Close every open order whose time is over, with refunds. Safe to repeat."""
    due = rows(
        conn,
        f"{_ORDER} WHERE city = %s AND status = ANY(%s) AND lapses_at <= %s ORDER BY id",
        (city, list(OPEN), clock.now()),
    )
    closed = []
    for row in due:
        found = _locked(conn, city, row["id"])
        if isinstance(found, Order) and found.status in OPEN:
            made = _close(conn, city, found, "lapsed", "time is over", actor, clock)
            assert isinstance(made, Order), made
            closed.append(made)
    return closed


def _close(
    conn: Connection,
    city: str,
    found: Order,
    status: str,
    reason: str,
    actor: str,
    clock: Clock,
) -> Order | Refusal:
    if not reason.strip():
        return Refusal("reason-missing", "사유를 적어 주세요.", "Please give the reason.")
    refund = None
    if found.status == "escrowed":
        answer = post(
            conn,
            city,
            ledger.TransferRequest(
                f"escrow-refund:{found.id}", "escrow-refund",
                (ledger.Leg(found.escrow, found.buyer, "KRW", found.amount_krw),), clock.now(), "",
                "order", str(found.id),
            ),
            clock,
        )  # fmt: skip
        if isinstance(answer, Refusal):
            return answer
        refund = answer
    execute(
        conn,
        """UPDATE footprint_order SET status = %s, closed_by = %s, closed_at = %s, reason = %s,
          refund_transfer_id = %s WHERE city = %s AND id = %s""",
        (status, actor, clock.now(), reason, refund, city, found.id),
    )
    return _moved(conn, city, actor, f"order.{status}", found)


def order(conn: Connection, city: str, order_id: UUID) -> Order | None:
    found = rows(conn, f"{_ORDER} WHERE city = %s AND id = %s", (city, order_id))
    return Order(**found[0]) if found else None


def orders(
    conn: Connection, city: str, buyer: str | None = None, open_only: bool = False
) -> list[Order]:
    """Orders, newest first, optionally of one buyer or those still open."""
    found = rows(
        conn,
        f"""{_ORDER} WHERE city = %(city)s
          AND (%(buyer)s::text IS NULL OR buyer = %(buyer)s::text)
          AND (NOT %(open)s OR status = ANY(%(states)s)) ORDER BY id DESC""",
        {"city": city, "buyer": buyer, "open": open_only, "states": list(OPEN)},
    )
    return [Order(**row) for row in found]


def _locked(conn: Connection, city: str, order_id: UUID) -> Order | Refusal:
    found = order(conn, city, order_id)
    if found is None:
        return Refusal("unknown-order", "주문을 찾을 수 없습니다.", "There is no such order.")
    lock(conn, city, [f"market {found.batch_id}", f"order id {order_id}"])
    return _stored(conn, city, order_id)


def _stored(conn: Connection, city: str, order_id: UUID) -> Order:
    found = order(conn, city, order_id)
    assert found is not None
    return found


def _moved(conn: Connection, city: str, actor: str, action: str, before: Order) -> Order:
    after = _stored(conn, city, before.id)
    proof.audit(
        conn, city, actor, action, "order", str(before.id), {"status": before.status},
        {"status": after.status, "reason": after.reason, "sale": after.sale_id},
    )  # fmt: skip
    return after


def _state(found: Order) -> Refusal:
    return Refusal(
        "order-state",
        f"상태가 {found.status}인 주문에서는 할 수 없습니다.",
        f"An order that is {found.status} does not allow this.",
        {"order": str(found.id), "status": found.status},
    )


def _lapsed(found: Order) -> Refusal:
    return Refusal(
        "order-lapsed",
        f"주문의 기한({found.lapses_at:%Y-%m-%d %H:%M})이 지났습니다.",
        f"The order's time was over at {found.lapses_at:%Y-%m-%d %H:%M} UTC.",
        {"order": str(found.id)},
    )


def _same_person() -> Refusal:
    return Refusal(
        "maker-is-checker",
        "주문하거나 수락한 사람은 할 수 없습니다. 다른 담당자가 확인해야 합니다.",
        "Whoever placed or accepted the order cannot do this; another person has to.",
    )
