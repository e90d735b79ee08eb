"""Judging a request's form, without any account. Pure."""

from onsil.core.refusal import Refusal
from onsil.ledger import refusals
from onsil.ledger.terms import AMOUNT_MAX, PHASES, Leg, LotTerms, TransferRequest

LEGS_MAX = 1000
KEY_MAX, MEMO_MAX, TERMS_MAX = 200, 1000, 800


def check_form(request: TransferRequest) -> Refusal | None:
    """The refusal of a request that can be judged without any account, or None."""
    key, kind, memo = request.key, request.kind, request.memo
    origin = request.origin_kind + request.origin_id
    if not 0 < len(key) <= KEY_MAX or "\x00" in key:
        return refusals.malformed("key")
    if len(kind) > KEY_MAX or len(memo) > MEMO_MAX or len(origin) > MEMO_MAX:
        return refusals.malformed("texts")
    if "\x00" in kind or "\x00" in memo or "\x00" in origin:
        return refusals.malformed("texts")
    if request.effective_at is not None and request.effective_at.tzinfo is None:
        return refusals.malformed("effective_at")
    if request.phase != "single":
        no = _check_phase(request)
        if no is not None:
            return no
    elif request.pending is not None or request.timeout_at is not None:
        return refusals.malformed("phase")
    elif not 0 < len(request.legs) <= LEGS_MAX:
        return refusals.malformed("legs")
    for leg in request.legs:
        no = _check_leg(leg, request.phase == "single", request.reverses is not None)
        if no is not None:
            return no
    return None


def _check_phase(request: TransferRequest) -> Refusal | None:
    phase, timeout = request.phase, request.timeout_at
    settles = phase in ("post", "void")
    if phase not in PHASES or request.reverses is not None:
        return refusals.malformed("phase")
    if settles != (request.pending is not None):
        return refusals.malformed("pending")
    if timeout is not None and (settles or timeout.tzinfo is None):
        return refusals.malformed("timeout_at")
    fewest, most = {"pending": (1, LEGS_MAX), "post": (0, LEGS_MAX), "void": (0, 0)}[phase]
    if not fewest <= len(request.legs) <= most:
        return refusals.malformed("legs")
    return None


def _check_leg(leg: Leg, single: bool, reversing: bool) -> Refusal | None:
    amount = leg.amount
    if type(amount) is not int or amount <= 0:
        return refusals.amount_not_positive(str(amount))
    if amount > AMOUNT_MAX:
        return refusals.malformed("amount")
    for code in (leg.source, leg.destination, leg.asset):
        if not code or len(code) > KEY_MAX or "\x00" in code:
            return refusals.malformed("account")
    if leg.source == leg.destination:
        return refusals.same_account(leg.source)
    if leg.lot is not None:
        no = check_terms(leg.lot)
        if no is not None:
            return no
    if leg.pieces is not None and (
        not single
        or sum(p.amount for p in leg.pieces) != amount
        or any(p.amount <= 0 for p in leg.pieces)
        # Only what a transfer had taken can be sure not to be held by a reservation.
        or (not reversing and any(p.made is not None for p in leg.pieces))
    ):
        return refusals.malformed("pieces")
    return None


def check_terms(terms: LotTerms) -> Refusal | None:
    """The refusal of terms that value cannot be issued with, or None."""
    text = terms.fund + terms.merchant_rule + terms.origin_kind + terms.origin_id
    if len(text) > TERMS_MAX or "\x00" in text:
        return refusals.malformed("lot")
    if terms.expires_at is not None and terms.expires_at.tzinfo is None:
        return refusals.malformed("lot.expires_at")
    return None
