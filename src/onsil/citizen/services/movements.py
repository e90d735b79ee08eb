"""What moved in a wallet, told in its owner's words: by month and kind, each with its origin."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from onsil import ledger
from onsil.citizen.contact import masked
from onsil.citizen.models import Cancellation, Gift, Payment, User
from onsil.citizen.services.postings import wallet_account
from onsil.core.database import Connection
from onsil.core.periods import local_day
from onsil.rewards import services as rewards
from onsil.tenancy import current_city, transaction
from onsil.tenancy.cities import city as city_profile

# What a reader may ask for, and the kinds of movement that belong to it.
GROUPS: Mapping[str, frozenset[str]] = {
    "pay": frozenset({"payment", "cancellation"}),
    "charge": frozenset({"charge", "charge-paid", "refund", "reversal"}),
    "points": frozenset({"award", "conversion", "policy-grant"}),
    "cashback": frozenset({"cashback", "cashback-return", "claim-collected"}),
    "gift": frozenset({"gift-sent", "gift-received"}),
    "expiry": frozenset({"expiry"}),
}
_PAGE = 200
_HIDDEN = ("quota:", "claim:")


@dataclass(frozen=True)
class Gone:
    """So much of a fund's value ended, or moved; for lines that say which money it was."""

    fund: str
    amount: int


@dataclass(frozen=True)
class Movement:
    """One act as its owner sees it. `points` and `money` are signed; 0 where not touched.

    `payment_id` leads to the payment's page, `gift_id` to the gift's; `funds` says whose money it
    was.
    """

    transfer_id: UUID
    kind: str
    at: datetime
    points: int
    money: int
    about_ko: str = ""
    about_en: str = ""
    reason_ko: str = ""
    reason_en: str = ""
    payment_id: UUID | None = None
    gift_id: UUID | None = None
    funds: tuple[Gone, ...] = ()

    @property
    def one_kind(self) -> bool:
        """Whether it moved money alone, or points alone."""
        return bool(self.points) != bool(self.money)

    @property
    def about(self) -> dict[str, str]:
        """Whom or what it was with, in both languages."""
        return {"ko": self.about_ko, "en": self.about_en}

    @property
    def reason(self) -> dict[str, str]:
        """Why it came, in both languages; empty where nothing was decided."""
        return {"ko": self.reason_ko, "en": self.reason_en}


@dataclass(frozen=True)
class Page:
    """Some movements, newest first, and whether there are older ones."""

    movements: tuple[Movement, ...]
    more: bool


def history(citizen: User, limit: int = 50, *, group: str = "", month: str = "") -> list[Movement]:
    """The citizen's newest movements, each told with whom, why, and of whose money.

    `group` is one of `GROUPS`, `month` a local month such as `2026-11`; empty ones bind nothing.
    """
    return list(page(citizen, limit, group=group, month=month).movements)


def page(citizen: User, limit: int = 50, *, group: str = "", month: str = "") -> Page:
    """As `history`, with whether there is more."""
    city = current_city()
    code, zone = wallet_account(citizen.pk), city_profile(city).zone
    wanted = GROUPS.get(group)
    found: list[Movement] = []
    before: UUID | None = None
    while True:
        with transaction() as tx:
            grouped = _entries(tx, city, code, before)
        if not grouped:
            return Page(tuple(found), False)
        story = _Story(city, citizen, grouped)
        for transfer, entries in grouped:
            day = local_day(entries[0][1].at, zone)
            if month and f"{day:%Y-%m}" < month:
                return Page(tuple(found), False)
            movement = story.movement(transfer, entries)
            fits = (not month or f"{day:%Y-%m}" == month) and (
                wanted is None or (movement is not None and movement.kind in wanted)
            )
            if movement is None or not fits:
                continue
            if len(found) == limit:
                return Page(tuple(found), True)
            found.append(movement)
        before = grouped[-1][0]


def months(citizen: User, now: datetime, *, most: int = 24) -> list[str]:
    """The local months from the citizen's beginning to now, newest first."""
    zone = city_profile(current_city()).zone
    first, last = local_day(citizen.created_at, zone), local_day(now, zone)
    found, at = [], date(last.year, last.month, 1)
    while len(found) < most and (at.year, at.month) >= (first.year, first.month):
        found.append(f"{at:%Y-%m}")
        at = date(at.year - (at.month == 1), at.month - 1 or 12, 1)
    return found


def _entries(
    tx: Connection, city: str, code: str, before: UUID | None
) -> list[tuple[UUID, list[tuple[str, ledger.Entry]]]]:
    """A page of transfers, newest first, with what each did to the citizen's accounts.

    Only transfers that every account's page reaches back to are given, so that none is cut.
    """
    grouped: dict[UUID, list[tuple[str, ledger.Entry]]] = {}
    reached = UUID(int=0)
    for account in ledger.accounts(tx, city, prefix=code):
        if account.code != code or account.asset.startswith(_HIDDEN):
            continue
        entries = ledger.statement(tx, city, code, account.asset, _PAGE, before)
        for entry in entries:
            grouped.setdefault(entry.transfer_id, []).append((account.asset, entry))
        if len(entries) >= _PAGE:
            reached = max(reached, entries[-1].transfer_id)
    whole = [(key, rows) for key, rows in grouped.items() if key >= reached]
    return sorted(whole, key=lambda kv: kv[0], reverse=True)


class _Story:
    """What the room knows of some transfers: which shop, which gift, which award and why."""

    def __init__(
        self, city: str, citizen: User,
        grouped: Iterable[tuple[UUID, list[tuple[str, ledger.Entry]]]],
    ) -> None:  # fmt: skip
        origins: dict[str, set[str]] = {}
        transfers = set()
        for transfer, rows in grouped:
            transfers.add(transfer)
            origins.setdefault(rows[0][1].origin_kind, set()).add(rows[0][1].origin_id)
        paid = Payment.objects.filter(city=city, citizen=citizen, pk__in=origins.get("payment", ()))
        self.payments = {str(p.pk): p for p in paid.select_related("merchant")}
        back = Cancellation.objects.filter(city=city, payment__in=self.payments)
        self.returns = {c.transfer_id: c for c in back}
        self.rests = {c.rest_transfer_id for c in back}
        given = Gift.objects.filter(city=city, pk__in=origins.get("gift", ()))
        self.gifts = {str(g.pk): g for g in given.select_related("giver", "receiver")}
        self.citizen = citizen
        self.awards = {
            view.transfer_id: view
            for view in rewards.decisions_of(city, citizen.pk, limit=200)
            if view.transfer_id in transfers
        }

    def movement(self, transfer: UUID, entries: list[tuple[str, ledger.Entry]]) -> Movement | None:
        """A transfer as one movement; None for the second half of an act told as one."""
        if transfer in self.rests:
            return None
        first = entries[0][1]
        money = sum(e.amount for asset, e in entries if asset.startswith("local:"))
        points = sum(e.amount for asset, e in entries if asset.startswith("point:"))
        told = Movement(transfer, first.kind, first.at, points, money, funds=_funds(entries))
        if transfer in self.returns:
            return self._cancellation(told, self.returns[transfer])
        if first.origin_kind == "payment" and first.origin_id in self.payments:
            return self._payment(told, self.payments[first.origin_id])
        if first.origin_kind == "gift" and first.origin_id in self.gifts:
            return self._gift(told, self.gifts[first.origin_id])
        if transfer in self.awards:
            award = self.awards[transfer]
            return Movement(
                transfer, "award", first.at, points, money, award.name.ko, award.name.en,
                award.reason.ko, award.reason.en, funds=told.funds,
            )  # fmt: skip
        return told

    def _payment(self, told: Movement, payment: Payment) -> Movement:
        shop = payment.merchant.name
        return Movement(
            told.transfer_id, told.kind, told.at, told.points, told.money, shop, shop,
            payment_id=payment.pk, funds=told.funds,
        )  # fmt: skip

    def _cancellation(self, told: Movement, back: Cancellation) -> Movement:
        payment = self.payments[str(back.payment_id)]
        return Movement(
            told.transfer_id, "cancellation", told.at, 0, back.amount, payment.merchant.name,
            payment.merchant.name, payment_id=payment.pk,
        )  # fmt: skip

    def _gift(self, told: Movement, gift: Gift) -> Movement:
        sent = gift.giver_id == self.citizen.pk
        other = masked((gift.receiver if sent else gift.giver).name)
        return Movement(
            told.transfer_id, "gift-sent" if sent else "gift-received", told.at, 0, told.money,
            other, other, gift.words, gift.words, gift_id=gift.pk, funds=told.funds,
        )  # fmt: skip


def _funds(entries: Iterable[tuple[str, ledger.Entry]]) -> tuple[Gone, ...]:
    """Whose money a movement touched, in the order in which the pieces stand."""
    sums: dict[str, int] = {}
    for asset, entry in entries:
        if asset.startswith(("local:", "point:")):
            for piece in entry.pieces:
                fund = piece.terms.fund
                sums[fund] = sums.get(fund, 0) + piece.amount
    return tuple(Gone(fund, amount) for fund, amount in sums.items() if fund)
