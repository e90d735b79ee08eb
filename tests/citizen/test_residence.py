"""Joining: the residence check, its codes, the limit on guessing, the kit for other checks."""

from datetime import timedelta

import pytest
from small_town import Town

from onsil import ledger
from onsil.citizen import residence
from onsil.citizen.models import Residency, Role
from onsil.citizen.residence.by_code import CodeCheck
from onsil.citizen.services import people, postings
from onsil.core.clock import FixedClock
from onsil.core.refusal import OperationError, Refusal
from onsil.tenancy import city_scope, transaction


def refused(answer: object, code: str) -> None:
    assert isinstance(answer, Refusal), answer
    assert answer.code == code


def passes_the_residence_kit(check: residence.ResidenceCheck, user, now) -> None:
    """What every check must do: name its questions in both languages, refuse nonsense in words."""
    assert check.questions
    assert all(q.name.isidentifier() and q.label_ko and q.label_en for q in check.questions)
    for nonsense in ("", " ", "x" * 500, "'; --", "가나다"):
        answer = check.examine(
            "pyeongtaek", user.pk, {q.name: nonsense for q in check.questions}, now
        )
        assert isinstance(answer, Refusal)
        assert answer.ko
        assert answer.en


def test_our_check_passes_the_kit(town: Town):
    with transaction():
        passes_the_residence_kit(CodeCheck(), town.user(), town.clock.now())


def test_a_code_makes_a_citizen_with_a_wallet(town: Town):
    (code,) = people.issue_residence_codes(1, actor="user:official", district="비전동")
    user = town.user()
    answer = people.prove_residence(user, {"code": code.lower().replace("-", " ")})
    assert isinstance(answer, Residency)
    assert (answer.method, answer.district) == ("code", "비전동")
    assert user.roles(town.city) == {Role.CITIZEN}
    with transaction() as tx:
        account = ledger.account(
            tx, town.city, postings.wallet_account(user.pk), f"local:{town.city}"
        )
    assert account is not None
    assert account.keeps_lots
    assert isinstance(people.prove_residence(user, {"code": "nonsense"}), Residency)


def test_a_code_is_good_for_one_person(town: Town):
    (code,) = people.issue_residence_codes(1, actor="user:official")
    assert isinstance(people.prove_residence(town.user(), {"code": code}), Residency)
    second = town.user()
    refused(people.prove_residence(second, {"code": code}), "residence-code-spent")
    assert second.roles(town.city) == frozenset()


def test_an_old_code_and_another_citys_code_do_not_pass(town: Town):
    long_ago = FixedClock(town.clock.now() - timedelta(days=91))
    (old,) = people.issue_residence_codes(1, actor="user:official", clock=long_ago)
    refused(people.prove_residence(town.user(), {"code": old}), "residence-code-spent")
    with city_scope("goyang"):
        (theirs,) = people.issue_residence_codes(1, actor="user:official")
    refused(people.prove_residence(town.user(), {"code": theirs}), "residence-code-wrong")


def test_guessing_is_stopped_and_forgotten_later(town: Town):
    user = town.user()
    for _ in range(5):
        refused(people.prove_residence(user, {"code": "ABCDE23456"}), "residence-code-wrong")
    (code,) = people.issue_residence_codes(1, actor="user:official")
    answer = people.prove_residence(user, {"code": code})
    refused(answer, "too-many-attempts")
    assert 1 <= answer.facts["wait_minutes"] <= 10  # pyright: ignore
    later = FixedClock(town.clock.now() + timedelta(minutes=10, seconds=1))
    assert isinstance(people.prove_residence(user, {"code": code}, clock=later), Residency)


def test_many_accounts_from_one_address_are_stopped_as_well(town: Town):
    for _ in range(30):
        people.prove_residence(town.user(), {"code": "wrong"}, address="192.0.2.1")
    answer = people.prove_residence(town.user(), {"code": "wrong"}, address="192.0.2.1")
    refused(answer, "too-many-attempts")
    answer = people.prove_residence(town.user(), {"code": "wrong"}, address="192.0.2.2")
    refused(answer, "residence-code-wrong")


def test_a_known_code_serves_so_many(town: Town):
    for _ in range(2):
        people.ensure_residence_code("DEMQ2-34567", uses=2)
    for _ in range(2):
        assert isinstance(people.prove_residence(town.user(), {"code": "DEMQ2 34567"}), Residency)
    refused(people.prove_residence(town.user(), {"code": "DEMQ2-34567"}), "residence-code-spent")


def test_the_city_chooses_its_check():
    assert isinstance(residence.check_of({}), CodeCheck)
    with pytest.raises(OperationError, match="unheard"):
        residence.check_of({"residence": {"check": "unheard"}})
