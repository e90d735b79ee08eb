"""Refunds: what the rule gives, once, through two officials, or back to where it was."""

from datetime import timedelta
from uuid import uuid4

import pytest
from small_town import Town
from test_charges import at_once
from test_payments import paid, refused, shown

from onsil.citizen import payout_file, sealing
from onsil.citizen.models import Refund, RefundFile, User
from onsil.citizen.services import payments, refund_office, refunds
from onsil.citizen.services.refunds import BankAccount
from onsil.core.clock import FixedClock
from onsil.core.refusal import Refusal

ACCOUNT = BankAccount("데모은행", "1234567890", "데모 시민")


def chosen(citizen: User, **kwargs) -> list[tuple[str, int]]:
    quoted = refunds.quote(citizen, **kwargs)
    return [(line.charge.charge_id, line.amount) for line in quoted.lines if line.possible]


def asked(answer: object) -> Refund:
    assert isinstance(answer, Refund), answer
    assert answer.applied, (answer.state, answer.refusal)
    return answer


def test_unused_money_goes_back_in_full_within_seven_days(town: Town):
    citizen = town.citizen()
    town.charge(citizen, 50_000)
    (line,) = refunds.quote(citizen).lines
    assert (line.reason, line.amount) == ("unused", 50_000)
    row = asked(refunds.ask(citizen, chosen(citizen), ACCOUNT, uuid4()))
    assert town.money(citizen) == 0
    assert town.balance(refunds.payable(row.pk), "KRW") == 50_000
    assert "1234567890" not in row.account_sealed
    assert not town.imbalances()


def test_what_is_missing_is_told(town: Town):
    citizen, shop = town.citizen(), town.shop()
    town.charge(citizen, 50_000)
    paid(payments.pay(shown(shop, 10_000).pk, citizen))
    (line,) = refunds.quote(citizen).lines
    assert (line.possible, line.reason, line.spend_more) == (False, "not-used-enough", 20_000)
    paid(payments.pay(shown(shop, 20_000).pk, citizen))
    (line,) = refunds.quote(citizen).lines
    assert (line.reason, line.amount) == ("used-enough", 20_000)


def test_only_the_chosen_charge_is_refunded_and_others_stay(town: Town):
    citizen, shop = town.citizen(), town.shop()
    town.charge(citizen, 10_000)
    paid(payments.pay(shown(shop, 9_000).pk, citizen))
    town.charge(citizen, 30_000)
    quoted = refunds.quote(citizen)
    assert sorted(line.amount for line in quoted.lines) == [1_000, 30_000]
    newer = max(quoted.lines, key=lambda line: line.amount)
    asked(refunds.ask(citizen, [(newer.charge.charge_id, 30_000)], ACCOUNT, uuid4()))
    assert town.money(citizen) == 1_000
    assert [line.amount for line in refunds.quote(citizen).lines] == [1_000]


def test_asking_twice_at_once_refunds_once(town: Town):
    citizen = town.citizen()
    town.charge(citizen, 40_000)
    wanted = chosen(citizen)
    answers = at_once(town, lambda _: refunds.ask(citizen, wanted, ACCOUNT, uuid4()), 8)
    good = [a for a in answers if isinstance(a, Refund) and a.applied]
    assert len(good) == 1
    assert {a.code for a in answers if isinstance(a, Refusal)} <= {"refund-changed"}
    assert town.money(citizen) == 0
    form, other = uuid4(), town.citizen()
    town.charge(other, 10_000)
    once = asked(refunds.ask(other, chosen(other), ACCOUNT, form))
    assert asked(refunds.ask(other, [], ACCOUNT, form)).pk == once.pk
    assert not town.imbalances()


def test_spending_while_looking_at_the_quote_changes_it(town: Town):
    citizen, shop = town.citizen(), town.shop()
    town.charge(citizen, 10_000)
    wanted = chosen(citizen)
    paid(payments.pay(shown(shop, 500).pk, citizen))
    refused(refunds.ask(citizen, wanted, ACCOUNT, uuid4()), "refund-changed")
    assert town.money(citizen) == 9_500


def test_two_officials_pay_and_the_account_is_forgotten(town: Town):
    citizen = town.citizen()
    town.charge(citizen, 20_000)
    row = asked(refunds.ask(citizen, chosen(citizen), ACCOUNT, uuid4()))
    refused(refund_office.approve(row.pk, actor=f"user:{citizen.pk}"), "maker-is-checker")
    assert isinstance(refund_office.approve(row.pk, actor="user:one"), Refund)
    refused(refund_office.approve(row.pk, actor="user:one"), "decision-out-of-turn")
    refused(refund_office.release(actor="user:one"), "nothing-to-release")
    made = refund_office.release(actor="user:two")
    assert isinstance(made, RefundFile)
    text = refund_office.content(made).decode("utf-8-sig")
    assert "1234567890" in text
    assert text.splitlines()[-1].split(",")[4] == str(made.total)
    row.refresh_from_db()
    assert (row.stage, row.account_sealed, row.account_end) == ("paid", "", "7890")
    assert row.payout_transfer_id is not None
    assert town.balance(refunds.payable(row.pk), "KRW") == 0
    refused(refund_office.release(actor="user:two"), "nothing-to-release")
    assert not town.imbalances()


def test_a_refused_refund_returns_to_the_very_same_lots(town: Town):
    citizen = town.citizen()
    town.charge(citizen, 20_000)
    before = town.lots(citizen)
    row = asked(refunds.ask(citizen, chosen(citizen), ACCOUNT, uuid4()))
    back = refund_office.refuse(row.pk, actor="user:one", reason="예금주가 다릅니다")
    assert isinstance(back, Refund)
    assert (back.stage, back.account_sealed) == ("refused", "")
    assert town.lots(citizen) == before
    assert [line.amount for line in refunds.quote(citizen).lines] == [20_000]


def test_the_caps_of_this_month_come_back_with_an_unused_charge(town: Town):
    from onsil.citizen.services import charges

    citizen = town.citizen()
    town.charge(citizen, 500_000)
    asked(refunds.ask(citizen, chosen(citizen), ACCOUNT, uuid4()))
    left = {cap.code: cap.used for cap in charges.room(citizen).caps}
    assert (left["person-month"], left["holding"]) == (0, 0)


def test_after_a_week_untouched_money_waits_for_its_expiry(town: Town):
    citizen = town.citizen()
    order = town.charge(citizen, 20_000)
    later = FixedClock(town.clock.now() + timedelta(days=9))
    (line,) = refunds.quote(citizen, clock=later).lines
    assert (line.possible, line.spend_more) == (False, 12_000)
    assert line.charge.charge_id == str(order.pk)


@pytest.mark.parametrize(
    ("bank", "number", "holder"),
    [("", "12345678", "x"), ("b", "1234567", "x"), ("b", "12345678", " "), ("b", "12ab5678", "x")],
)
def test_a_wrong_account_is_told(bank: str, number: str, holder: str):
    answer = BankAccount.read(bank, number, holder)
    assert isinstance(answer, Refusal)
    assert answer.code == "account-malformed"
    assert isinstance(BankAccount.read("은행", "123-456-7890", "홍"), BankAccount)


def test_the_banks_file_runs_no_formula_and_adds_up():
    from datetime import date

    rows = [payout_file.Payout("=은행", "0123456789", "+홀더", 700, "RF1"),
            payout_file.Payout("은행", "9", "홀더", 300, "RF2")]  # fmt: skip
    lines = payout_file.file_bytes(date(2026, 1, 2), rows).decode("utf-8-sig").splitlines()
    assert lines[1] == "2026-01-02,'=은행,0123456789,'+홀더,700,RF1"
    assert lines[3] == "2026-01-02,,,합계 total,1000,2"


def test_what_is_sealed_opens_only_for_its_purpose():
    from cryptography.fernet import InvalidToken

    sealed = sealing.seal("12345", "one")
    assert sealing.opened(sealed, "one") == "12345"
    with pytest.raises(InvalidToken):
        sealing.opened(sealed, "two")
