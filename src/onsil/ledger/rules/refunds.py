"""Refunds of charged money: what may go back to a bank account, why, and if not yet, when.

The standard terms for new-type gift certificates: the rest when 60 % is used (80 % of small
charges), all of it within seven days unused, 90 % after expiry until the fifth year, less discount
granted; all of it when the certificate is defective or its terms were made worse. Each number is
the rule set's.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from onsil.core.periods import local_day, midnight
from onsil.ledger.rules import charging, names
from onsil.ledger.rules.fields import Fields
from onsil.ledger.rules.shares import CEILING, FLOOR, percent_of, reaches
from onsil.ledger.terms import Leg, LotFilter, LotTerms, Piece, TransferRequest

CAUSES = ("", "defect", "worse-terms")
"""What makes a refund full whatever was used: a defect, or terms changed for the worse."""


@dataclass(frozen=True)
class UsedShare:
    """`percent` of a charge up to `up_to_krw` (None: any) must be used before the rest returns."""

    percent: Decimal
    up_to_krw: int | None = None


@dataclass(frozen=True)
class RefundRule:
    """`used` in the order of their bounds. `measure`: each `charge` is judged by itself, or all
    money as it stood right after the last charge (`standing`).

    `expired_percent` of what has expired is paid back until `expired_years` years after the charge
    or after the expiry (`expired_from`).
    """

    used: tuple[UsedShare, ...]
    measure: str = "charge"
    unused_days: int = 7
    expired_percent: Decimal = Decimal(90)
    expired_years: int = 5
    expired_from: str = "charge"
    deduct_discount: bool = True


@dataclass(frozen=True)
class Charged:
    """One charge as the calculator sees it.

    `remaining` of `amount` won is left, in the wallet or (once expired) in the breakage account.
    `discount` is what the citizen paid less than `amount`. `terms` and `spans` name the lot and
    its positions; without spans the ledger takes refundable money in its own order.
    """

    charge_id: str
    charged_at: datetime
    amount: int
    remaining: int
    expires_at: datetime
    discount: int = 0
    terms: LotTerms | None = None
    spans: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Line:
    """What a refund makes of one charge.

    `reason`: `unused`, `used-enough`, `expired`, `defect`, `worse-terms`; or why not:
    `not-used-enough`, `expired-too-long`. `taken` won leave the wallet, `amount` go to the
    citizen, `deducted` return the discount, the rest of `taken` is kept as breakage.
    `spend_more` won and `possible_from` say what would make it possible.
    """

    charge: Charged
    reason: str
    taken: int = 0
    amount: int = 0
    deducted: int = 0
    spend_more: int | None = None
    possible_from: datetime | None = None

    @property
    def possible(self) -> bool:
        return self.amount > 0

    @property
    def kept(self) -> int:
        return self.taken - self.amount - self.deducted


@dataclass(frozen=True)
class Quote:
    """A refund calculated: its lines, and `owed` cashback that is taken off the sum."""

    lines: tuple[Line, ...]
    owed: int = 0

    @property
    def gross(self) -> int:
        return sum(line.amount for line in self.lines)

    @property
    def amount(self) -> int:
        """Won that go to the citizen's bank account."""
        return self.gross - self.owed

    @property
    def spend_more(self) -> int | None:
        """The least that must be spent before some charge can be refunded."""
        return min((x.spend_more for x in self.lines if x.spend_more is not None), default=None)

    @property
    def possible_from(self) -> datetime | None:
        """The earliest instant from which a line becomes possible by itself."""
        dates = [x.possible_from for x in self.lines if x.possible_from is not None]
        return min(dates, default=None)


def read(at: Fields) -> RefundRule:
    """The fields of a `[[refund]]` table."""
    used = tuple(_used(one) for one in at.tables("used"))
    rule = RefundRule(
        used=tuple(sorted(used, key=lambda s: (s.up_to_krw is None, s.up_to_krw or 0))),
        measure=at.choice("measure", ("charge", "standing"), "charge"),
        unused_days=at.whole("unused_days", 7, 0, 366),
        expired_percent=at.percent("expired_percent"),
        expired_years=at.whole("expired_years", 5, 0, 50),
        expired_from=at.choice("expired_from", ("charge", "expiry"), "charge"),
        deduct_discount=at.flag("deduct_discount", True),
    )
    if sum(share.up_to_krw is None for share in used) != 1:
        at.refuse("used", "needs exactly one entry without up_to_krw")
    return rule


def quote(
    charges: Sequence[Charged], rule: RefundRule, now: datetime, zone: ZoneInfo, *,
    cause: str = "", standing: int | None = None, owed: int = 0,
) -> Quote:  # fmt: skip
    """What could be refunded now, charge by charge, oldest first.

    `standing`: charged money right after the last charge, where the rule measures by it. `owed`:
    cashback not returned yet; it is taken off, never more than there is. Never more than remains
    of a charge, and never more than was paid for it.
    """
    if cause not in CAUSES:
        raise ValueError(f"unknown cause of a refund: {cause!r}")
    ordered = sorted(charges, key=lambda c: (c.charged_at, c.charge_id))
    left = sum(c.remaining for c in ordered if c.expires_at > now)
    enough = _standing_used(rule, standing, left)
    lines = [
        _line(charge, rule, now, zone, cause, enough) for charge in ordered if charge.remaining > 0
    ]
    return Quote(tuple(lines), min(owed, sum(line.amount for line in lines)))


def request(
    *, quoted: Quote, city: str, person: str, key: str, refund_id: str, at: datetime,
    zone: ZoneInfo, discount_account: str = "fund:discount", owed: Sequence[tuple[str, int]] = (),
    year: int | None = None, payee: str = names.BANK,
) -> TransferRequest:  # fmt: skip
    """The refund: lots out of the wallet (or of breakage), won from the trust to the bank.

    `owed` splits the quote's deducted cashback by funder: it returns to the funder's budget of
    `year` and settles the receivable. Full refunds of this month's charges give the caps back.
    `payee` is the KRW account that gets the amount (`payable:…` where it is paid out later).
    """
    legs: list[Leg] = []
    trust, broken = 0, 0
    for line in quoted.lines:
        if not line.possible:
            continue
        if line.reason == "expired":
            broken += line.amount + line.deducted
        else:
            trust += line.amount + line.deducted
            legs += _lot_legs(line, city, person)
            if line.reason == "unused":
                legs += charging.returned_quota(
                    person=person, amount=line.taken, charged_at=line.charge.charged_at, now=at,
                    zone=zone,
                )  # fmt: skip
    uses = [(payee, quoted.amount)]
    uses += [(names.cashback_budget(f, year or local_day(at, zone).year), won) for f, won in owed]
    uses.append((discount_account, sum(x.deducted for x in quoted.lines if x.possible)))
    legs += _won_legs([(names.TRUST, trust), (names.breakage(names.OWN), broken)], uses)
    legs += [Leg(person, names.CLAIMS, f"claim:{f}", won) for f, won in owed if won]
    return TransferRequest(
        key=key, kind="refund", legs=tuple(legs), effective_at=at, origin_kind="refund",
        origin_id=refund_id,
    )  # fmt: skip


def _line(
    charge: Charged, rule: RefundRule, now: datetime, zone: ZoneInfo, cause: str,
    enough: tuple[bool, int] | None,
) -> Line:  # fmt: skip
    if cause:
        return _paid(charge, rule, cause, charge.remaining)
    if charge.expires_at <= now:
        until = _claim_end(charge, rule, zone)
        if now >= until:
            return Line(charge, "expired-too-long")
        return _paid(
            charge, rule, "expired", percent_of(charge.remaining, rule.expired_percent, FLOOR)
        )
    unused_until = midnight(
        local_day(charge.charged_at, zone) + timedelta(days=rule.unused_days + 1), zone
    )
    if charge.remaining == charge.amount and now < unused_until:
        return _paid(charge, rule, "unused", charge.remaining)
    used_enough, more = enough if enough is not None else _charge_used(charge, rule)
    if used_enough:
        return _paid(charge, rule, "used-enough", charge.remaining)
    later = _claim_end(charge, rule, zone) > charge.expires_at and rule.expired_percent > 0
    return Line(
        charge, "not-used-enough", spend_more=more,
        possible_from=charge.expires_at if later else None,
    )  # fmt: skip


def _paid(charge: Charged, rule: RefundRule, reason: str, gross: int) -> Line:
    """The discount comes off in proportion to what is left of the charge, rounded up."""
    off = 0
    if rule.deduct_discount and charge.discount:
        off = -(-charge.remaining * charge.discount // charge.amount)
    deducted = min(off, gross)
    return Line(charge, reason, charge.remaining, gross - deducted, deducted)


def _charge_used(charge: Charged, rule: RefundRule) -> tuple[bool, int]:
    return _used_enough(charge.amount, charge.amount - charge.remaining, rule)


def _standing_used(rule: RefundRule, standing: int | None, left: int) -> tuple[bool, int] | None:
    if rule.measure != "standing":
        return None
    whole = left if standing is None else max(standing, left)
    return _used_enough(whole, whole - left, rule)


def _used_enough(whole: int, used: int, rule: RefundRule) -> tuple[bool, int]:
    """Whether enough of `whole` is used, and how much more would have to be."""
    share = next(s for s in rule.used if s.up_to_krw is None or whole <= s.up_to_krw)
    if reaches(used, whole, share.percent):
        return True, 0
    return False, percent_of(whole, share.percent, CEILING) - used


def _claim_end(charge: Charged, rule: RefundRule, zone: ZoneInfo) -> datetime:
    start = charge.charged_at if rule.expired_from == "charge" else charge.expires_at
    return charging.expires_at(start, rule.expired_years, zone)


def _lot_legs(line: Line, city: str, person: str) -> list[Leg]:
    """Out of the wallet: exactly the charge's positions where they are known."""
    local, charge = names.local_asset(city), line.charge
    if charge.terms is not None and charge.spans:
        pieces = tuple(
            Piece(terms=charge.terms, taken=start, made=None, amount=end - start)
            for start, end in charge.spans
        )
        return [Leg(person, names.ISSUER, local, line.taken, pieces=pieces)]
    only = LotFilter(funds=frozenset({names.OWN}), refundable=True)
    return [Leg(person, names.ISSUER, local, line.taken, only=only)]


def _won_legs(sources: list[tuple[str, int]], uses: list[tuple[str, int]]) -> list[Leg]:
    """Won from the accounts they stand on to where they go, in order; both sides add up alike."""
    left = [list(source) for source in sources if source[1]]
    legs: list[Leg] = []
    for code, won in uses:
        while won:
            account, there = left[0]
            part = min(won, int(there))
            legs.append(Leg(str(account), code, names.KRW, part))
            won -= part
            left[0][1] = int(there) - part
            if not left[0][1]:
                left.pop(0)
    assert not left, f"a refund's won do not add up: {left}"
    return legs


def _used(at: Fields) -> UsedShare:
    made = UsedShare(at.percent("percent"), at.maybe_won("up_to_krw"))
    at.close()
    return made


def without(quoted: Quote, charge_ids: frozenset[str]) -> Quote:
    """The quote for a citizen who leaves some charges in the wallet."""
    lines = tuple(x for x in quoted.lines if x.charge.charge_id not in charge_ids)
    return replace(quoted, lines=lines, owed=min(quoted.owed, sum(x.amount for x in lines)))
