"""A list of allowances on its way: checked, asked for, let go by another, paid whole or not."""

from datetime import timedelta
from uuid import uuid4

import pytest
from small_town import Town

from onsil import ledger
from onsil.citizen.models import PolicyGrant, PolicyRow, User
from onsil.citizen.policy_list import Defaults
from onsil.citizen.services import policy_money
from onsil.citizen.services.postings import wallet_account
from onsil.core.clock import FixedClock
from onsil.core.refusal import Refusal
from onsil.tenancy import city_scope, transaction

MAKER, SECOND = "user:maker", "user:second"


@pytest.fixture
def usual(town: Town) -> Defaults:
    return Defaults("relief", (town.clock.now() + timedelta(days=30)).date())


def csv(*rows: tuple[object, object]) -> bytes:
    return ("대상자,금액\n" + "".join(f"{p},{won}\n" for p, won in rows)).encode()


def uploaded(content: bytes, usual: Defaults, form=None) -> PolicyGrant:
    made = policy_money.upload(
        form or uuid4(), "데모 지원금", "list.csv", content, usual, actor=MAKER
    )
    assert isinstance(made, PolicyGrant), made
    return made


def asked(content: bytes, usual: Defaults) -> PolicyGrant:
    made = policy_money.ask(uploaded(content, usual).pk, actor=MAKER)
    assert isinstance(made, PolicyGrant), made
    return made


def fund(won: int, code: str = "relief") -> None:
    answer = policy_money.add_budget(uuid4(), code, won, actor=MAKER)
    assert not isinstance(answer, Refusal)
    assert answer


def decided(grant: PolicyGrant, approve: bool = True, **more) -> PolicyGrant:
    done = policy_money.decide(grant.pk, approve, actor=SECOND, **more)
    assert isinstance(done, PolicyGrant), done
    return done


def refused(answer: object) -> str:
    assert isinstance(answer, Refusal), answer
    return answer.code


def lots(town: Town, user: User):
    with transaction() as tx:
        return ledger.lots(tx, town.city, wallet_account(user.pk), f"local:{town.city}")


def test_good_rows_are_paid_and_bad_ones_told(town: Town, usual: Defaults):
    first, second = town.citizen(), town.citizen()
    stranger = town.user()
    content = csv(
        (first.email, 50_000), (second.pk, "30000원"), (stranger.email, 1),
        (first.email, 50_000), ("", 5), (second.email, "많이"),
    )  # fmt: skip
    made = uploaded(content, usual)
    assert (made.rows, made.good, made.total, made.state) == (6, 2, 80_000, "checked")
    rows = list(made.listed.order_by("number").values_list("problem", flat=True))
    assert rows == ["", "", "person-unknown", "duplicate", "person-missing", "amount-wrong"]
    assert town.money(first) == 0, "nothing is paid by an upload"
    fund(100_000)
    before = policy_money.budgets()["relief"]
    assert policy_money.ask(made.pk, actor=MAKER)
    done = decided(made)
    assert (done.state, town.money(first), town.money(second)) == ("paid", 50_000, 30_000)
    assert policy_money.budgets()["relief"] == before - 80_000
    (lot,) = lots(town, first)
    assert (lot.terms.fund, lot.terms.merchant_rule, lot.terms.refundable) == (
        "policy:relief", "policy", False,
    )  # fmt: skip
    assert lot.terms.expires_at is not None
    paid = made.listed.exclude(transfer_id=None)
    assert sorted(paid.values_list("number", flat=True)) == [2, 3]
    again = decided(made)
    assert (again.state, town.money(first)) == ("paid", 50_000)
    assert not town.imbalances()


def test_nobody_lets_their_own_list_go(town: Town, usual: Defaults):
    made = asked(csv((town.citizen().email, 10)), usual)
    assert refused(policy_money.decide(made.pk, True, actor=MAKER)) == "maker-is-checker"
    made.refresh_from_db()
    assert made.state == "asked"


def test_a_list_is_returned_with_a_reason(town: Town, usual: Defaults):
    made = asked(csv((town.citizen().email, 11)), usual)
    no = policy_money.decide(made.pk, False, actor=SECOND)
    assert refused(no) == "policy-reason-missing"
    back = decided(made, approve=False, reason="금액 확인")
    assert (back.state, back.reason) == ("returned", "금액 확인")
    assert refused(policy_money.decide(made.pk, True, actor=SECOND)) == "decision-out-of-turn"
    assert refused(policy_money.ask(made.pk, actor=MAKER)) == "decision-out-of-turn"


def test_an_empty_budget_pays_nobody(town: Town, usual: Defaults):
    people = [town.citizen() for _ in range(3)]
    poor = Defaults("empty", usual.last_day)
    content = csv(*((p.email, 1_000) for p in people))
    made = asked(content, poor)
    fund(2_999, "empty")
    done = decided(made)
    assert done.state == "refused"
    assert "부족" in done.refusal["ko"]
    assert done.refusal["en"]
    assert [town.money(p) for p in people] == [0, 0, 0]
    assert policy_money.budgets()["empty"] == 2_999
    fund(1, "empty")
    again = decided(asked(content, poor))
    assert again.state == "paid"
    assert [town.money(p) for p in people] == [1_000] * 3


def test_the_same_list_is_not_paid_twice(town: Town, usual: Defaults):
    content = csv((town.citizen().email, 1_234))
    fund(10_000)
    form = uuid4()
    first = uploaded(content, usual, form)
    assert uploaded(content, usual, form).pk == first.pk
    assert refused(
        policy_money.upload(form, "다른", "x.csv", csv(("a", 1)), usual, actor=MAKER)
    ) == "form-used"  # fmt: skip
    twin = uploaded(content, usual)
    assert policy_money.ask(first.pk, actor=MAKER)
    assert policy_money.ask(first.pk, actor=MAKER), "asking twice is asking once"
    assert refused(policy_money.ask(twin.pk, actor=MAKER)) == "policy-file-used"
    decided(first)
    assert refused(policy_money.ask(twin.pk, actor=MAKER)) == "policy-file-used"
    next_month = Defaults("relief", usual.last_day and usual.last_day + timedelta(days=30))
    assert isinstance(asked(content, next_month), PolicyGrant), "another end is another list"


def test_what_cannot_be_paid_is_not_asked_for(town: Town, usual: Defaults):
    nobody = uploaded(csv(("nobody@demo.invalid", 5)), usual)
    assert refused(policy_money.ask(nobody.pk, actor=MAKER)) == "policy-nobody-to-pay"
    PolicyGrant.objects.filter(pk=nobody.pk).update(good=1, total=10**12)
    assert refused(policy_money.ask(nobody.pk, actor=MAKER)) == "policy-over-limit"
    no = policy_money.upload(uuid4(), "x", "x.csv", b"", usual, actor=MAKER)
    assert refused(no) == "policy-file-empty"


def test_rows_that_spoiled_meanwhile_stop_the_whole_list(town: Town, usual: Defaults):
    person = town.citizen()
    made = asked(csv((person.email, 77)), usual)
    late = FixedClock(town.clock.now() + timedelta(days=40))
    assert refused(policy_money.decide(made.pk, True, actor=SECOND, clock=late)) == (
        "policy-list-changed"
    )
    assert town.money(person) == 0


def test_a_budget_is_added_once_a_form(town: Town):
    form = uuid4()
    for _ in range(2):
        answer = policy_money.add_budget(form, "winter", 500, actor=MAKER)
        assert not isinstance(answer, Refusal)
        assert answer
    assert policy_money.budgets()["winter"] == 500
    wrong = policy_money.add_budget(uuid4(), "겨울", 5, actor=MAKER)
    assert refused(wrong) == "policy-fund-malformed"
    assert refused(policy_money.add_budget(uuid4(), "w", 0, actor=MAKER)) == "policy-budget-amount"


def test_a_long_list_is_one_chain(town: Town, usual: Defaults):
    people = [town.citizen() for _ in range(12)]
    fund(10**7)
    done = decided(asked(csv(*((p.email, 100 + i) for i, p in enumerate(people))), usual))
    assert done.state == "paid"
    assert PolicyRow.objects.filter(grant=done, transfer_id=None).count() == 0
    assert [town.money(p) for p in people] == [100 + i for i in range(12)]


def test_another_city_sees_no_list(town: Town, usual: Defaults):
    made = uploaded(csv((town.citizen().email, 3)), usual)
    with city_scope("goyang"):
        assert policy_money.grants() == []
        assert policy_money.grant(made.pk) is None
        with pytest.raises(PolicyGrant.DoesNotExist):
            policy_money.ask(made.pk, actor=MAKER)
