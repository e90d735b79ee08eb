"""What a transfer commits to in the transparency log: one shape, written once and read again.

The content names every figure, account and term, so that none can be changed unnoticed.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from json.encoder import encode_basestring as quoted  # the escapes of RFC 8785 §3.2.2.2
from typing import Any
from uuid import UUID

from onsil.core.canonical import canonical_bytes, instant_text
from onsil.ledger.book import AccountState, Applied, AppliedLeg, PieceRow
from onsil.ledger.lots import TermsBook
from onsil.ledger.terms import LotTerms, Piece, PostedLeg, Transfer

KIND = "transfer"
_NO_ORIGIN = '"origin_id":"","origin_kind":""'
_LOW_HALF = (1 << 64) - 1
_EXACT = 2**53  # RFC 8785 spells integers beyond as strings here

_instant = lru_cache(maxsize=4096)(instant_text)


def _when(value: datetime | None) -> str | None:
    return None if value is None else _instant(value)


def _piece(piece: Piece) -> dict[str, Any]:
    terms = piece.terms
    return {
        "amount": piece.amount,
        "made": piece.made,
        "taken": piece.taken,
        "terms": {
            "expires_at": _when(terms.expires_at),
            "fund": terms.fund,
            "merchant_rule": terms.merchant_rule,
            "refundable": terms.refundable,
            "origin_kind": terms.origin_kind,
            "origin_id": terms.origin_id,
        },
    }


def _leg(leg: PostedLeg) -> dict[str, Any]:
    return {
        "source": leg.source,
        "destination": leg.destination,
        "asset": leg.asset,
        "amount": leg.amount,
        "source_balance": leg.source_balance,
        "destination_balance": leg.destination_balance,
        "pieces": [_piece(piece) for piece in leg.pieces],
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
        "reverses": found.reverses,
        "phase": found.phase,
        "pending": found.pending_id,
        "timeout_at": _when(found.timeout_at),
        "legs": [_leg(leg) for leg in found.legs],
    }


def posted(applied: Applied, book: TermsBook) -> Transfer:
    """A transfer that was just applied, as it will be read again."""
    request = applied.request
    return Transfer(
        applied.id, request.key, request.kind, applied.effective_at, applied.recorded_at,
        request.memo, request.origin_kind, request.origin_id, request.reverses,
        tuple(_posted_leg(leg, book) for leg in applied.legs), None, request.phase,
        request.pending, request.timeout_at,
    )  # fmt: skip


def _posted_leg(leg: AppliedLeg, book: TermsBook) -> PostedLeg:
    kind, key = leg.origin or ("", "")
    pieces = tuple(
        Piece(book.terms[terms]._replace(origin_kind=kind, origin_id=key), taken, made, amount)
        for terms, taken, made, amount in leg.pieces
    )
    return PostedLeg(
        leg.source.code, leg.destination.code, leg.source.asset, leg.amount, leg.source_balance,
        leg.destination_balance, pieces,
    )  # fmt: skip


class LeafWriter:
    """Canonical bytes of one city's transfers, as text put together by hand.

    It gives what `canonical_bytes` gives of `transfer_entry_of`, several times faster; what has a
    figure beyond 2**53 takes the general way.
    """

    def __init__(self, city: str, book: TermsBook) -> None:
        self._city, self._book = city, book
        self._terms: dict[int, tuple[str, str]] = {}
        self._accounts: dict[int, tuple[str, str, str]] = {}
        # What was spelled for the payment before, since the next mostly has the same.
        self._half = -1, ""
        self._about: tuple[Any, ...] = ()
        self._start = self._end = ""

    def encoded(self, applied: Applied) -> tuple[UUID, bytes]:
        """Id and canonical bytes of a transfer's leaf."""
        return self.encoded_all([applied])[0]

    def encoded_all(self, transfers: Iterable[Applied]) -> list[tuple[UUID, bytes]]:
        """The same of many."""
        return [(one.id, self._exact(one) or self._general(one)) for one in transfers]

    def _exact(self, applied: Applied) -> bytes | None:
        """The bytes of a transfer whose figures are all exact, else None."""
        request = applied.request
        accounts, legs = self._accounts, []
        for source, destination, amount, before, after, pieces, origin in applied.legs:
            # Positions are below what the account has received, amounts below its balance's limits.
            if not (
                -_EXACT < before < _EXACT
                and -_EXACT < after < _EXACT
                and amount < _EXACT
                and source.received < _EXACT
                and destination.received < _EXACT
            ):
                return None
            asset, giver, _ = accounts.get(source.id) or self._named(source)
            _, _, taker = accounts.get(destination.id) or self._named(destination)
            told = ",".join([self._piece(piece, origin) for piece in pieces])
            legs.append(
                f'{{"amount":{amount},"asset":{asset},{taker}{after},"pieces":[{told}],'
                f"{giver}{before}}}"
            )
        about = request[1], applied.recorded_at, request[3:]
        if about != self._about:
            self._about, self._start, self._end = about, *self._frame(applied)
        number = applied.id.int
        if number >> 64 != self._half[0]:
            self._half = number >> 64, str(applied.id)[:19]
        low = f"{number & _LOW_HALF:016x}"
        text = (
            f'{self._start}{self._half[1]}{low[:4]}-{low[4:]}","key":{quoted(request[0])},'
            f'"kind":"{KIND}","legs":[{",".join(legs)}{self._end}'
        )
        return text.encode()

    def _frame(self, applied: Applied) -> tuple[str, str]:
        """The text before the id and after the legs, which one payment mostly shares with the next:
        both depend on what is said of the whole transfer, but for its key."""
        request, recorded = applied.request, _instant(applied.recorded_at)
        effective = _instant(request.effective_at) if request.effective_at else recorded
        return (
            f'{{"city":{quoted(self._city)},"effective_at":"{effective}","id":"',
            f'],"memo":{quoted(request.memo)},"origin_id":{quoted(request.origin_id)},'
            f'"origin_kind":{quoted(request.origin_kind)},"pending":{_optional(request.pending)},'
            f'"phase":"{request.phase}","recorded_at":"{recorded}",'
            f'"reverses":{_optional(request.reverses)},'
            f'"timeout_at":{_optional(_when(request.timeout_at))},"type":{quoted(request.kind)}}}',
        )

    def _named(self, account: AccountState) -> tuple[str, str, str]:
        """An account's asset, and its part of a leg that it pays and of one that it receives."""
        code = quoted(account.code)
        self._accounts[account.id] = named = (
            quoted(account.asset),
            f'"source":{code},"source_balance":',
            f'"destination":{code},"destination_balance":',
        )
        return named

    def _general(self, applied: Applied) -> bytes:
        entry = dict(transfer_entry_of(posted(applied, self._book)))
        return canonical_bytes({**entry, "kind": KIND, "city": self._city, "id": applied.id})

    def _piece(self, piece: PieceRow, origin: tuple[str, str] | None) -> str:
        terms, taken, made, amount = piece
        before, after = self._terms.get(terms) or self._spelled(terms)
        origins = _NO_ORIGIN
        if origin is not None:
            origins = f'"origin_id":{quoted(origin[1])},"origin_kind":{quoted(origin[0])}'
        return (
            f'{{"amount":{amount},"made":{"null" if made is None else made},'
            f'"taken":{"null" if taken is None else taken},"terms":{before}{origins}{after}}}'
        )

    def _spelled(self, number: int) -> tuple[str, str]:
        """The terms' text before and after the origin."""
        terms: LotTerms = self._book.terms[number]
        made = (
            f'{{"expires_at":{_optional(_when(terms.expires_at))},"fund":{quoted(terms.fund)},'
            f'"merchant_rule":{quoted(terms.merchant_rule)},',
            f',"refundable":{"true" if terms.refundable else "false"}}}',
        )
        self._terms[number] = made
        return made


def _optional(value: object) -> str:
    """A value without anything to escape, or null."""
    return "null" if value is None else f'"{value}"'
