"""Reversing a transfer: the opposite legs, in the opposite order, position for position."""

from uuid import UUID

from onsil.core.clock import Clock
from onsil.core.database import Connection
from onsil.core.refusal import Refusal
from onsil.ledger import refusals
from onsil.ledger.posting import post
from onsil.ledger.queries import transfer
from onsil.ledger.terms import Answer, Leg, Piece, Transfer, TransferRequest

KIND = "reversal"


def opposite(done: Transfer, key: str, memo: str = "") -> TransferRequest:
    """The request that undoes a transfer and puts its value back where it was. Pure."""
    legs = tuple(
        Leg(
            leg.destination,
            leg.source,
            leg.asset,
            leg.amount,
            pieces=tuple(
                Piece(p.terms, p.made, p.taken, p.amount) for p in reversed(leg.pieces)
            ) or None,
        )
        for leg in reversed(done.legs)
    )  # fmt: skip
    return TransferRequest(
        key, KIND, legs, None, memo, done.origin_kind, done.origin_id, reverses=done.id
    )


def reverse(
    conn: Connection, city: str, transfer_id: UUID, key: str, clock: Clock, memo: str = ""
) -> Answer | Refusal:
    """Undo a transfer at once, in the caller's transaction.

    Refuses with `not-reversible` for an unknown transfer, a reversal, or one that moved nothing
    (pending or void); its answer refuses with `already-reversed`, `lot-rule` or
    `insufficient-balance` when the value has moved on.
    """
    done = transfer(conn, city, transfer_id)
    if done is None:
        return refusals.not_reversible(str(transfer_id), "거래가 없습니다.", "there is none.")
    if done.reverses is not None:
        return refusals.not_reversible(
            str(transfer_id), "취소 거래입니다.", "it is itself a reversal."
        )
    if done.phase in ("pending", "void"):
        return refusals.not_reversible(
            str(transfer_id), "옮겨진 금액이 없습니다.", "it moved nothing."
        )
    return post(conn, city, [opposite(done, key, memo)], clock)[key]
