"""Gifts between citizens: offered by one, theirs once the other accepts; otherwise they go back.

An offer is a pending transfer: the giver's value is set aside and stays the giver's. Accepting,
declining, withdrawing and the end of the time all settle it; the first one counts.
"""

from uuid import UUID

from onsil import ledger
from onsil.citizen import refusals
from onsil.citizen.models import Gift, Held, User
from onsil.citizen.services import holds, members, postings
from onsil.citizen.services.postings import SYSTEM, local_asset, wallet_account
from onsil.citizen.services.rulebook import rules_at
from onsil.core.announce import announce
from onsil.core.clock import Clock
from onsil.core.database import Connection
from onsil.core.refusal import Refusal
from onsil.ledger import rules
from onsil.ledger.rules.gifts import GiftRule
from onsil.tenancy import current_city, transaction
from onsil.tenancy.cities import city as city_profile

End = Gift.End


def rule_now(*, clock: Clock = SYSTEM) -> GiftRule:
    """The city's rule about gifts today."""
    return rules_at(city_profile(current_city()), clock.now()).gift


def giftable(citizen: User, *, clock: Clock = SYSTEM) -> int:
    """Won in a wallet that may be given away: what was charged with own money."""
    city, now = current_city(), clock.now()
    with transaction() as tx:
        lots = ledger.lots(tx, city, wallet_account(citizen.pk), local_asset(city))
    return rules.gifts.giftable(lots, rule_now(clock=clock), now)[1]


def offer(
    giver: User, to: str, amount: int, form_id: UUID, *, words: str = "", clock: Clock = SYSTEM,
    patience_s: float | None = None,
) -> Gift | Refusal:  # fmt: skip
    """Offer money to the citizen whose code or telephone number `to` is.

    The same form again gives the same gift. Refusals before anything was set aside: those of
    `members.find` and of the rule (`gift-to-self`, `gift-too-small`, `gift-too-large`,
    `gift-not-giftable`), `form-used`; the month's limit is the gift's own refusal.
    """
    city = current_city()
    known = Gift.objects.filter(city=city, pk=form_id).first()
    if known is None:
        found = members.find(to, asked_by=giver, clock=clock)
        if isinstance(found, Refusal):
            return found
        made = _offered(giver, found.user, amount, form_id, words, clock)
        if isinstance(made, Refusal):
            return made
        known = made
    if (known.giver_id, known.amount) != (giver.pk, amount):
        return refusals.form_used()
    return refresh(postings.settle(known, clock, patience_s), clock)


def accept(
    gift: Gift, receiver: User, *, clock: Clock = SYSTEM, patience_s: float | None = None
) -> Gift | Refusal:
    """Take a gift. Refusals: `gift-not-yours`, `gift-over` when it has ended otherwise."""
    if gift.receiver_id != receiver.pk:
        return refusals.gift_not_yours()
    return _end(gift, End.ACCEPTED, clock, patience_s)


def decline(
    gift: Gift, receiver: User, *, clock: Clock = SYSTEM, patience_s: float | None = None
) -> Gift | Refusal:
    """Say no to a gift; it goes back at once. Refusals: `gift-not-yours`, `gift-over`."""
    if gift.receiver_id != receiver.pk:
        return refusals.gift_not_yours()
    return _end(gift, End.DECLINED, clock, patience_s)


def withdraw(
    gift: Gift, giver: User, *, clock: Clock = SYSTEM, patience_s: float | None = None
) -> Gift | Refusal:
    """Call a gift back that has not been taken. Refusals: `gift-not-yours`, `gift-over`."""
    if gift.giver_id != giver.pk:
        return refusals.gift_not_yours()
    return _end(gift, End.WITHDRAWN, clock, patience_s)


def refresh(gift: Gift, clock: Clock = SYSTEM) -> Gift:
    """The gift with the newest answers; one that nobody took in time has lapsed."""
    gift = holds.refresh(gift, clock, _ended)
    if gift.refusal_code == "account-limit":
        _explain(gift)
    return gift


def waiting_for(citizen: User, *, clock: Clock = SYSTEM) -> list[Gift]:
    """The gifts somebody may still take, those that lapse first in front."""
    found = Gift.objects.filter(
        city=current_city(), receiver=citizen, outcome=Held.Outcome.OPEN, state=Gift.State.APPLIED
    ).select_related("giver").order_by("expires_at")  # fmt: skip
    return [gift for gift in (refresh(one, clock) for one in found) if gift.open]


def sent(citizen: User, limit: int = 30, *, clock: Clock = SYSTEM) -> list[Gift]:
    """The gifts somebody has offered, newest first."""
    found = Gift.objects.filter(city=current_city(), giver=citizen).select_related("receiver")
    return [refresh(one, clock) for one in found.order_by("-submitted_at")[:limit]]


def received(citizen: User, limit: int = 30, *, clock: Clock = SYSTEM) -> list[Gift]:
    """The gifts somebody was offered, newest first, without those that never came about."""
    found = Gift.objects.filter(
        city=current_city(), receiver=citizen, state=Gift.State.APPLIED
    ).select_related("giver")  # fmt: skip
    return [refresh(one, clock) for one in found.order_by("-submitted_at")[:limit]]


def lapse_due(*, clock: Clock = SYSTEM) -> int:
    """Let every gift go back whose time is over; how many did."""
    due = Gift.objects.filter(
        city=current_city(), outcome=Held.Outcome.OPEN, state=Gift.State.APPLIED,
        expires_at__lte=clock.now(),
    )  # fmt: skip
    return sum(refresh(gift, clock).outcome == Held.Outcome.LAPSED for gift in due)


def _offered(
    giver: User, receiver: User, amount: int, form_id: UUID, words: str, clock: Clock
) -> Gift | Refusal:
    """Write the offer down and ask the ledger to set its value aside, in one transaction."""
    city, now = current_city(), clock.now()
    zone, rule = city_profile(city).zone, rule_now(clock=clock)
    person = wallet_account(giver.pk)
    with transaction() as tx:
        request = rules.gifts.give(
            lots=ledger.lots(tx, city, person, local_asset(city)), rule=rule, city=city,
            giver=person, receiver=wallet_account(receiver.pk), amount=amount,
            key=f"gift:{form_id}", gift_id=str(form_id), at=now, zone=zone,
        )  # fmt: skip
        if isinstance(request, Refusal):
            return request
        made, new = Gift.objects.get_or_create(
            pk=form_id,
            defaults={
                "city": city, "giver": giver, "receiver": receiver, "amount": amount,
                "words": words.strip()[:80], "key": request.key, "submitted_at": now,
                "expires_at": rules.gifts.lapses_at(now, rule),
            },
        )  # fmt: skip
        if new:
            month = rules.names.month_of(now, zone)
            postings.open_with_limits(tx, city, rules.gifts.accounts(rule, person, month))
            ledger.submit(tx, city, [request])
    return made


def _end(gift: Gift, end: str, clock: Clock, patience_s: float | None) -> Gift | Refusal:
    gift = refresh(gift, clock)
    with transaction() as tx:
        gift = holds.locked(gift)
        if gift.open and not gift.outcome_key:
            taken = end == End.ACCEPTED
            gift.end = end
            gift.save(update_fields=["end"])
            holds.ask(tx, gift, "post" if taken else "void",
                      "gift-taken" if taken else "gift-returned", origin_kind="gift",
                      origin_id=str(gift.pk))  # fmt: skip
    gift = holds.settle(gift, clock, patience_s, _ended)
    return gift if gift.end == end else refusals.gift_over(gift.end)


def _ended(tx: Connection, gift: Gift) -> None:
    """Once it has come to its end: what kind of end, and both people's open screens."""
    if gift.outcome == Held.Outcome.LAPSED:
        gift.end = End.LAPSED
        gift.save(update_fields=["end"])
    for person in (gift.giver_id, gift.receiver_id):
        announce(tx, gift.city, f"wallet.{person}", {"gift": str(gift.pk), "state": gift.end})


def _explain(gift: Gift) -> None:
    """Put the words of the month's limit in place of the ledger's, once."""
    with transaction() as tx:
        answer = ledger.answers(tx, gift.city, [gift.key]).get(gift.key)
        if answer is None or answer.refusal is None:
            return
        rule = rules_at(city_profile(gift.city), gift.submitted_at).gift
        no = rules.gifts.explained(answer.refusal, rule)
        gift.refusal_code, gift.refusal_ko, gift.refusal_en = no.code, no.ko, no.en
        gift.save(update_fields=["refusal_code", "refusal_ko", "refusal_en"])
