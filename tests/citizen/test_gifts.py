"""Gifts: set aside, taken or given back, by exactly one of those who may say so."""

from datetime import timedelta
from uuid import uuid4

from small_town import Town
from test_charges import at_once
from test_payments import paid, refused, shown

from onsil.citizen.models import Gift, Held, User
from onsil.citizen.services import gifts, members, payments, wallet
from onsil.core.clock import FixedClock
from onsil.core.refusal import Refusal


def offered(answer: object) -> Gift:
    assert isinstance(answer, Gift), answer
    assert answer.open, (answer.state, answer.refusal)
    return answer


def giver_with(town: Town, won: int) -> User:
    giver = town.citizen()
    town.charge(giver, won)
    return giver


def code_of(user: User) -> str:
    return members.member(user).code


def test_a_gift_is_set_aside_until_it_is_accepted(town: Town):
    giver, receiver = giver_with(town, 30_000), town.citizen()
    gift = offered(gifts.offer(giver, code_of(receiver), 10_000, uuid4(), words="생일 축하해"))
    purse = wallet(giver)
    assert (purse.money, purse.set_aside) == (20_000, 10_000)
    assert [g.pk for g in gifts.waiting_for(receiver)] == [gift.pk]
    taken = gifts.accept(gift, receiver)
    assert isinstance(taken, Gift)
    assert taken.end == Gift.End.ACCEPTED
    assert (town.money(giver), town.money(receiver)) == (20_000, 10_000)
    assert gifts.waiting_for(receiver) == []
    (holding,) = wallet(receiver).holdings
    assert (holding.fund, holding.amount) == ("own", 10_000)
    assert not town.imbalances()


def test_declining_and_withdrawing_give_the_very_lots_back(town: Town):
    giver, receiver = giver_with(town, 30_000), town.citizen()
    before = town.lots(giver)
    gift = offered(gifts.offer(giver, code_of(receiver), 10_000, uuid4()))
    assert isinstance(gifts.decline(gift, receiver), Gift)
    assert town.lots(giver) == before
    gift = offered(gifts.offer(giver, code_of(receiver), 10_000, uuid4()))
    assert isinstance(gifts.withdraw(gift, giver), Gift)
    assert town.lots(giver) == before
    refused(gifts.accept(gift, receiver), "gift-over")
    assert town.money(receiver) == 0


def test_what_nobody_takes_lapses_after_three_days(town: Town):
    giver, receiver = giver_with(town, 30_000), town.citizen()
    gift = offered(gifts.offer(giver, code_of(receiver), 10_000, uuid4()))
    assert gift.expires_at - gift.submitted_at == timedelta(days=3)
    early = FixedClock(gift.expires_at - timedelta(seconds=1))
    assert gifts.refresh(gift, early).open
    late = FixedClock(gift.expires_at + timedelta(seconds=1))
    assert gifts.lapse_due(clock=late) == 1
    gift = gifts.refresh(gift, late)
    assert (gift.end, gift.outcome) == (Gift.End.LAPSED, Held.Outcome.LAPSED)
    assert wallet(giver).money == 30_000
    refused(gifts.accept(gift, receiver, clock=late), "gift-over")


def test_accepted_and_withdrawn_at_once_is_one_or_the_other(town: Town):
    receiver = town.citizen()
    for _ in range(5):
        giver = giver_with(town, 5_000)
        gift, had = offered(gifts.offer(giver, code_of(receiver), 5_000, uuid4())), town.money(
            receiver
        )  # fmt: skip
        acts = (
            lambda g=gift: gifts.accept(g, receiver),
            lambda g=gift, who=giver: gifts.withdraw(g, who),
        )
        answers = at_once(town, lambda n, acts=acts: acts[n % 2](), 4)
        end = gifts.refresh(gift).end
        assert end in (Gift.End.ACCEPTED, Gift.End.WITHDRAWN)
        took = town.money(receiver) - had
        assert (took, town.money(giver)) == ((5_000, 0) if end == Gift.End.ACCEPTED else (0, 5_000))
        told = {type(a).__name__ for a in answers}
        assert told == {"Gift", "Refusal"}
    assert not town.imbalances()


def test_only_own_charged_money_is_given(town: Town):
    giver, receiver = town.citizen(), town.citizen()
    town.give_money(giver, 50_000, fund="policy:coupon-2026", rule="policy")
    no = gifts.offer(giver, code_of(receiver), 1_000, uuid4())
    refused(no, "gift-not-giftable")
    town.charge(giver, 2_000)
    assert gifts.giftable(giver) == 2_000
    offered(gifts.offer(giver, code_of(receiver), 2_000, uuid4()))
    assert town.money(receiver) == 0


def test_what_is_set_aside_cannot_be_spent(town: Town):
    giver, receiver, shop = giver_with(town, 10_000), town.citizen(), town.shop()
    offered(gifts.offer(giver, code_of(receiver), 8_000, uuid4()))
    refused(payments.pay(shown(shop, 5_000).pk, giver), "not-enough-money")
    paid(payments.pay(shown(shop, 2_000).pk, giver))


def test_limits_and_wrong_people_are_told(town: Town):
    giver, receiver = giver_with(town, 600_000), town.citizen()
    code = code_of(receiver)
    refused(gifts.offer(giver, code_of(giver), 10_000, uuid4()), "gift-to-self")
    refused(gifts.offer(giver, code, 500, uuid4()), "gift-too-small")
    refused(gifts.offer(giver, code, 500_001, uuid4()), "gift-too-large")
    refused(gifts.offer(giver, "ABCD2345", 10_000, uuid4()), "member-unknown")
    form = uuid4()
    gift = offered(gifts.offer(giver, code, 400_000, form))
    assert offered(gifts.offer(giver, code, 400_000, form)).pk == gift.pk
    over = gifts.offer(giver, code, 150_000, uuid4())
    assert isinstance(over, Gift)
    assert (over.state, over.refusal_code) == ("refused", "gift-over-month")
    refused(gifts.accept(gift, town.citizen()), "gift-not-yours")
    refused(gifts.withdraw(gift, receiver), "gift-not-yours")
    assert isinstance(gifts.withdraw(gift, giver), Gift)
    assert offered(gifts.offer(giver, code, 150_000, uuid4()))


def test_a_confirmed_telephone_number_finds_its_owner_and_no_other(town: Town):
    first, second, asker = town.citizen(), town.citizen(), town.citizen()
    assert isinstance(members.find("010-0000-1111", asked_by=asker), Refusal)
    members.confirm_phone(first, "010-0000-1111", actor="user:desk")
    found = members.find("+82 10 0000 1111", asked_by=asker)
    assert isinstance(found, members.Found)
    assert found.user.pk == first.pk
    members.confirm_phone(second, "01000001111", actor="user:desk")
    found = members.find("010 0000 1111", asked_by=asker)
    assert isinstance(found, members.Found)
    assert found.user.pk == second.pk
    refused(members.confirm_phone(first, "02-123-4567", actor="user:desk"), "phone-malformed")


def test_guessing_member_codes_is_stopped(town: Town):
    asker = town.citizen()
    for _ in range(8):
        refused(members.find("ABCD2345", asked_by=asker), "member-unknown")
    refused(members.find("ABCD2345", asked_by=asker), "too-many-attempts")
