"""What a transfer commits to in the transparency log: one shape, written once and read again.

The content names every figure, account and lot term, so that none can be changed unnoticed.
"""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

import orjson

from onsil.core.canonical import canonical_bytes, instant_text
from onsil.ledger.lots import LotState
from onsil.ledger.machine import AppliedLeg, AppliedTransfer
from onsil.ledger.terms import MadeLot, PostedLeg, Transfer, TransferRequest

KIND = "transfer"

_instant = lru_cache(maxsize=4096)(instant_text)
_OPTIONS = orjson.OPT_SORT_KEYS | orjson.OPT_STRICT_INTEGER


def _when(value: datetime | None) -> str | None:
    return None if value is None else _instant(value)


def _leg(source: str, destination: str, asset: str, leg: AppliedLeg | PostedLeg) -> dict[str, Any]:
    return {
        "source": source,
        "destination": destination,
        "asset": asset,
        "amount": leg.amount,
        "source_balance": leg.source_balance,
        "destination_balance": leg.destination_balance,
        "pieces": [{"taken": p.taken, "made": p.made, "amount": p.amount} for p in leg.pieces],
    }


def _lot(lot: LotState | MadeLot) -> dict[str, Any]:
    terms = lot.terms
    return {
        "id": lot.id,
        "parent": lot.parent_id,
        "initial": lot.initial,
        "fund": terms.fund,
        "expires_at": _when(terms.expires_at),
        "merchant_rule": terms.merchant_rule,
        "refundable": terms.refundable,
        "origin_kind": terms.origin_kind,
        "origin_id": terms.origin_id,
    }


def _content(
    named: TransferRequest | Transfer, effective_at: datetime, recorded_at: datetime,
    legs: list[dict[str, Any]], lots: list[dict[str, Any]],
) -> dict[str, Any]:  # fmt: skip
    return {
        "type": named.kind,
        "key": named.key,
        "effective_at": _when(effective_at),
        "recorded_at": _when(recorded_at),
        "memo": named.memo,
        "origin_kind": named.origin_kind,
        "origin_id": named.origin_id,
        "reverses": named.reverses,
        "legs": legs,
        "lots": lots,
    }


def transfer_entry_of(found: Transfer) -> Mapping[str, Any]:
    """The content of a transfer that was read from the database; lots in the order of their ids."""
    legs = [_leg(leg.source, leg.destination, leg.asset, leg) for leg in found.legs]
    lots = [_lot(lot) for lot in sorted(found.lots, key=lambda lot: lot.id)]
    return _content(found, found.effective_at, found.recorded_at, legs, lots)


def applied_entry(applied: AppliedTransfer) -> dict[str, Any]:
    """The same content of a transfer that was just applied."""
    legs = [
        _leg(leg.source.code, leg.destination.code, leg.source.asset, leg) for leg in applied.legs
    ]
    lots = [_lot(lot) for lot in applied.made]
    return _content(applied.request, applied.effective_at, applied.recorded_at, legs, lots)


def encoded(city: str, applied: AppliedTransfer) -> tuple[UUID, bytes]:
    """Id and canonical bytes of a transfer's leaf.

    The fast encoder sorts keys and spells strings, ids and numbers as RFC 8785 does for what stands
    here: plain names, strings, and integers below 2**53; larger ones take the general way.
    """
    content = applied_entry(applied)
    content["kind"], content["city"], content["id"] = KIND, city, applied.id
    try:
        return applied.id, orjson.dumps(content, option=_OPTIONS)
    except TypeError:
        return applied.id, canonical_bytes(content)
