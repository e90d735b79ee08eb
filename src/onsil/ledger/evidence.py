"""What a transfer commits to in the transparency log: one shape, written once and read again.

The content names every figure, account and lot term, so that none can be changed unnoticed.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

import orjson

from onsil.core.canonical import canonical_bytes, instant_text
from onsil.ledger.lots import LotState
from onsil.ledger.machine import AppliedTransfer
from onsil.ledger.terms import LotTerms, MadeLot, Piece, PostedLeg, Transfer

KIND = "transfer"

_instant = lru_cache(maxsize=4096)(instant_text)
_OPTIONS = orjson.OPT_SORT_KEYS | orjson.OPT_STRICT_INTEGER


def _when(value: datetime | None) -> str | None:
    return None if value is None else _instant(value)


def _text(value: UUID | None) -> str | None:
    return None if value is None else str(value)


def _pieces(pieces: Iterable[Piece]) -> list[dict[str, Any]]:
    return [{"taken": _text(p.taken), "made": _text(p.made), "amount": p.amount} for p in pieces]


def _lot(key: UUID, parent: UUID | None, initial: int, terms: LotTerms) -> dict[str, Any]:
    return {
        "id": str(key),
        "parent": _text(parent),
        "initial": initial,
        "fund": terms.fund,
        "expires_at": _when(terms.expires_at),
        "merchant_rule": terms.merchant_rule,
        "refundable": terms.refundable,
        "origin_kind": terms.origin_kind,
        "origin_id": terms.origin_id,
    }


def transfer_entry_of(found: Transfer) -> Mapping[str, Any]:
    """The content of a transfer that was read from the database."""
    return {
        "type": found.kind,
        "key": found.key,
        "effective_at": _when(found.effective_at),
        "recorded_at": _when(found.recorded_at),
        "memo": found.memo,
        "origin_kind": found.origin_kind,
        "origin_id": found.origin_id,
        "reverses": _text(found.reverses),
        "legs": [
            {
                "source": leg.source,
                "destination": leg.destination,
                "asset": leg.asset,
                "amount": leg.amount,
                "source_balance": leg.source_balance,
                "destination_balance": leg.destination_balance,
                "pieces": _pieces(leg.pieces),
            }
            for leg in found.legs
        ],
        "lots": [
            _lot(lot.id, lot.parent_id, lot.initial, lot.terms)
            for lot in sorted(found.lots, key=lambda lot: lot.id)
        ],
    }


def as_transfer(applied: AppliedTransfer) -> Transfer:
    """A transfer just applied, in the form in which it will be read again."""
    request = applied.request
    legs = tuple(
        PostedLeg(
            leg.source.code, leg.destination.code, leg.source.asset, leg.amount,
            leg.source_balance, leg.destination_balance, tuple(leg.pieces),
        )
        for leg in applied.legs
    )  # fmt: skip
    lots = tuple(_made(lot) for lot in applied.made)
    return Transfer(
        applied.id, request.key, request.kind, applied.effective_at, applied.recorded_at,
        request.memo, request.origin_kind, request.origin_id, request.reverses, legs, lots,
    )  # fmt: skip


def _made(lot: LotState) -> MadeLot:
    return MadeLot(lot.id, "", "", lot.parent_id, lot.initial, lot.terms)


def encoded(city: str, applied: AppliedTransfer) -> tuple[UUID, bytes]:
    """Id and canonical bytes of a transfer's leaf.

    The fast encoder sorts keys and spells strings and numbers as RFC 8785 does for what stands
    here: plain names, strings, and integers below 2**53; larger ones take the general way.
    """
    content = {
        **transfer_entry_of(as_transfer(applied)),
        "kind": KIND, "city": city, "id": str(applied.id),
    }  # fmt: skip
    try:
        return applied.id, orjson.dumps(content, option=_OPTIONS)
    except TypeError:
        return applied.id, canonical_bytes(content)
