"""Requests as JSON: what the intake stores, and the fingerprint that a key is compared by. Pure."""

from collections.abc import Iterable
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

import orjson

from onsil.ledger.terms import AMOUNT_MAX, Leg, LotFilter, LotTerms, Piece, TransferRequest

Marked = tuple[TransferRequest, bytes]
"""A request with its fingerprint."""


def fingerprint(request: TransferRequest) -> bytes:
    """SHA-256 of what makes a request the same as another under one key.

    The effective time and the time-out are left out: a retry a second later is still the same act.
    """
    content = [
        request.kind, [_leg(leg) for leg in request.legs], request.memo, request.origin_kind,
        request.origin_id, request.reverses, request.phase, request.pending, request.linked,
    ]  # fmt: skip
    return sha256(orjson.dumps(content)).digest()


def encode(requests: Iterable[Marked]) -> bytes:
    """Requests as the intake keeps them; `decode` is the inverse."""
    return orjson.dumps([_request(request, mark) for request, mark in requests])


def decode(text: str | bytes) -> list[Marked]:
    """The requests of one submission with their fingerprints."""
    return [_decoded(raw) for raw in orjson.loads(text)]


def _request(request: TransferRequest, mark: bytes) -> list[Any]:
    row: list[Any] = [mark.hex(), *request]
    row[3] = [_leg(leg) for leg in request.legs]
    row[4], row[11] = _utc(request.effective_at), _utc(request.timeout_at)
    return row


def _utc(value: datetime | None) -> datetime | None:
    return None if value is None else value.astimezone(UTC)


def _terms(terms: LotTerms) -> list[Any]:
    return [terms.fund, _utc(terms.expires_at), *terms[2:]]


def _texts(values: Iterable[str] | None) -> list[str] | None:
    return None if values is None else sorted(values)


def _amount(value: Any) -> int | str:
    """Amounts that are none are refused later; here they only must not break the encoder."""
    return value if type(value) is int and abs(value) <= AMOUNT_MAX else str(value)


def _leg(leg: Leg) -> list[Any]:
    source, destination, asset, amount, lot, only, pieces = leg
    return [
        source, destination, asset, _amount(amount), None if lot is None else _terms(lot),
        None if only is None else [
            _texts(only.merchant_rules), _texts(only.funds), only.refundable, only.expired,
        ],
        None if pieces is None else [[_terms(p.terms), *p[1:]] for p in pieces],
    ]  # fmt: skip


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _id(text: str | None) -> UUID | None:
    return None if text is None else UUID(text)


def _decoded_terms(raw: list[Any]) -> LotTerms:
    return LotTerms(raw[0], _instant(raw[1]), *raw[2:])


def _decoded_leg(raw: list[Any]) -> Leg:
    if raw[4] is not None:
        raw[4] = _decoded_terms(raw[4])
    if raw[5] is not None:
        rules, funds, refundable, expired = raw[5]
        raw[5] = LotFilter(
            None if rules is None else frozenset(rules),
            None if funds is None else frozenset(funds), refundable, expired,
        )  # fmt: skip
    if raw[6] is not None:
        raw[6] = tuple([Piece(_decoded_terms(p[0]), *p[1:]) for p in raw[6]])
    return Leg._make(raw)


def _decoded(raw: list[Any]) -> Marked:
    raw[3] = tuple([_decoded_leg(leg) for leg in raw[3]])
    raw[4], raw[11] = _instant(raw[4]), _instant(raw[11])
    raw[8], raw[10] = _id(raw[8]), _id(raw[10])
    return TransferRequest._make(raw[1:]), bytes.fromhex(raw[0])
