"""Shops: applying, deciding, closing; nobody decides on an own shop."""

import pytest
from small_town import Town, business_number

from onsil import ledger
from onsil.citizen.models import Merchant, Role
from onsil.citizen.services import Application, merchants
from onsil.core.refusal import Refusal
from onsil.proof import audit_trail
from onsil.tenancy import city_scope, transaction


def refused(answer: object, code: str) -> None:
    assert isinstance(answer, Refusal), answer
    assert answer.code == code


def application(**change: object) -> Application:
    fields = {"name": "데모 가맹점", "business_number": business_number(), "kind": "cafe",
              "address": "데모로 2", "yearly_sales_krw": 1, **change}  # fmt: skip
    return Application(**fields)  # pyright: ignore


def test_an_approved_shop_has_accounts_and_a_record(town: Town):
    applicant, official = town.user(), town.user(Role.OFFICIAL)
    shop = merchants.apply(applicant, application())
    assert isinstance(shop, Merchant)
    assert shop.state == "applied"
    assert [s.pk for s in merchants.shops_of(applicant)] == [shop.pk]
    assert shop in merchants.merchants("applied")
    decided = merchants.decide(shop.pk, True, actor=official)
    assert isinstance(decided, Merchant)
    assert decided.state == "approved"
    refused(merchants.decide(shop.pk, False, actor=official), "decision-out-of-turn")
    with transaction() as tx:
        assert ledger.account(tx, town.city, shop.account, f"local:{town.city}")
        assert ledger.account(tx, town.city, f"payable:{shop.pk}", "KRW")
        trail = audit_trail(tx, town.city, subject_kind="merchant", subject_id=str(shop.pk))
    assert [record.action for record in trail] == ["merchant.approved", "merchant.applied"]


def test_nobody_decides_on_an_own_shop(town: Town):
    official = town.user(Role.OFFICIAL)
    shop = merchants.apply(official, application())
    assert isinstance(shop, Merchant)
    refused(merchants.decide(shop.pk, True, actor=official), "maker-is-checker")


def test_a_business_number_serves_one_shop_until_refused(town: Town):
    number = business_number()
    shop = merchants.apply(town.user(), application(business_number=number))
    assert isinstance(shop, Merchant)
    refused(merchants.apply(town.user(), application(business_number=number)), "already-applied")
    merchants.decide(shop.pk, False, actor=town.user(Role.OFFICIAL), reason="주소를 확인할 수 없음")
    again = merchants.apply(town.user(), application(business_number=number))
    assert isinstance(again, Merchant)


def test_rules_refuse_before_anything_is_written(town: Town):
    user = town.user()
    refused(merchants.apply(user, application(kind="gambling")), "kind-excluded")
    assert merchants.shops_of(user) == []


def test_closing_and_reopening(town: Town):
    shop, official = town.shop(), town.user(Role.OFFICIAL)
    closed = merchants.close(shop.pk, actor=official, reason="점검")
    assert isinstance(closed, Merchant)
    assert (closed.state, closed.reason) == ("closed", "점검")
    opened = merchants.reopen(shop.pk, actor=official, reason="점검 완료")
    assert isinstance(opened, Merchant)
    assert opened.state == "approved"


def test_another_city_sees_no_shop(town: Town):
    shop = town.shop()
    with city_scope("goyang"):
        assert merchants.merchants() == []
        with pytest.raises(Merchant.DoesNotExist):
            merchants.close(shop.pk, actor=town.user(), reason="")
