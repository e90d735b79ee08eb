"""Requests as JSON: what the intake stores, and the fingerprint that a key is compared by. Pure.

Requests of one leg each, which nearly all are, are stored as columns: these are read several times
faster than rows, since whole columns are put together by C code and most hold one value only.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from itertools import repeat
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
    asked = list(requests)
    if asked and all(len(request.legs) == 1 for request, _ in asked):
        return orjson.dumps(_columns(asked))
    return orjson.dumps([_request(request, mark) for request, mark in asked])


def decode(text: str | bytes) -> list[Marked]:
    """The requests of one submission with their fingerprints."""
    raw = orjson.loads(text)
    if isinstance(raw, dict):
        return _from_columns(**raw)
    return [_decoded(row) for row in raw]


def _columns(asked: Sequence[Marked]) -> dict[str, Any]:
    """Fingerprints, fields of the requests and fields of their legs, one list each."""
    fields: list[Sequence[Any]] = [*zip(*[request for request, _ in asked], strict=True)]
    legs = zip(*[_leg(leg) for (leg,) in fields[2]], strict=True)
    fields[2] = [None]
    for place in (3, 10):
        fields[place] = [_utc(value) for value in fields[place]]
    return {
        "marks": b"".join([mark for _, mark in asked]).hex(),
        "fields": [_packed(column) for column in fields],
        "legs": [_packed(column) for column in legs],
    }


def _packed(column: Sequence[Any]) -> Sequence[Any]:
    """One value stands for a whole column of it."""
    return column[:1] if column.count(column[0]) == len(column) else column


def _unpacked(column: list[Any], read: Callable[[Any], Any] | None = None) -> Iterable[Any]:
    if read is not None and column != [None]:
        column = [read(value) for value in column]
    return repeat(column[0]) if len(column) == 1 else column


_made_leg: Callable[[Any], Leg] = partial(tuple.__new__, Leg)
_made_request: Callable[[Any], TransferRequest] = partial(tuple.__new__, TransferRequest)


def _from_columns(marks: str, fields: list[list[Any]], legs: list[list[Any]]) -> list[Marked]:
    packed = bytes.fromhex(marks)
    keys, kinds, _, effective, memos, origin_kinds, origin_ids, *rest = fields
    reverses, phases, pending, timeouts, linked = rest
    *plain, lots, only, pieces = legs
    made_legs: Iterator[Leg] = map(
        _made_leg,
        zip(
            *[_unpacked(column) for column in plain], _unpacked(lots, _optional_terms),
            _unpacked(only, _filter), _unpacked(pieces, _pieces), strict=False,
        ),
    )  # fmt: skip
    # Columns of one value go on for ever: the fingerprints, taken first, say how many there are.
    each_mark = [packed[place : place + 32] for place in range(0, len(packed), 32)]
    rows = zip(
        each_mark, _unpacked(keys), _unpacked(kinds), zip(made_legs, strict=False),
        _unpacked(effective, _instant), _unpacked(memos), _unpacked(origin_kinds),
        _unpacked(origin_ids), _unpacked(reverses, _id), _unpacked(phases), _unpacked(pending, _id),
        _unpacked(timeouts, _instant), _unpacked(linked), strict=False,
    )  # fmt: skip
    return [(_made_request(row[1:]), row[0]) for row in rows]


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


def _optional_terms(raw: list[Any] | None) -> LotTerms | None:
    return None if raw is None else _decoded_terms(raw)


def _filter(raw: list[Any] | None) -> LotFilter | None:
    if raw is None:
        return None
    rules, funds, refundable, expired = raw
    return LotFilter(
        None if rules is None else frozenset(rules), None if funds is None else frozenset(funds),
        refundable, expired,
    )  # fmt: skip


def _pieces(raw: list[Any] | None) -> tuple[Piece, ...] | None:
    return None if raw is None else tuple([Piece(_decoded_terms(p[0]), *p[1:]) for p in raw])


def _decoded_leg(raw: list[Any]) -> Leg:
    *plain, lot, only, pieces = raw
    return Leg._make([*plain, _optional_terms(lot), _filter(only), _pieces(pieces)])


def _decoded(raw: list[Any]) -> Marked:
    raw[3] = tuple([_decoded_leg(leg) for leg in raw[3]])
    raw[4], raw[11] = _instant(raw[4]), _instant(raw[11])
    raw[8], raw[10] = _id(raw[8]), _id(raw[10])
    return TransferRequest._make(raw[1:]), bytes.fromhex(raw[0])
