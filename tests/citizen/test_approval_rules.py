"""Which shops may take part."""

import dataclasses

import pytest

from onsil.citizen.approval import Application, MerchantRules, business_number, examine

GOOD = Application("데모 가맹점", "0000000000", "bakery", "데모로 1", 80_000_000)


def test_the_check_digit_tells_wrong_numbers():
    assert business_number("000-00-00000") == "000-00-00000"
    assert business_number("000 00 00015") == "000-00-00015"
    for wrong in (
        "000-00-00001",
        "00000000",
        "00000000000",
        "abcdefghij",
        "０００００００００００",
        "",
    ):
        assert business_number(wrong) is None


def test_every_single_wrong_digit_is_noticed():
    for place in range(9):
        digits = list("0000000000")
        digits[place] = "7"
        assert business_number("".join(digits)) is None


def test_a_proper_shop_passes():
    assert examine(GOOD, MerchantRules()) is None


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"name": "  "}, "merchant-name-missing"),
        ({"business_number": "123"}, "business-number-wrong"),
        ({"kind": "gambling"}, "kind-excluded"),
        ({"yearly_sales_krw": 3_000_000_001}, "sales-too-high"),
    ],
)
def test_each_rule_is_told_by_name(change, code):
    answer = examine(dataclasses.replace(GOOD, **change), MerchantRules())
    assert answer is not None
    assert answer.code == code


def test_a_city_sets_its_own_rules():
    rules = MerchantRules.of({"maximum_yearly_sales_krw": 1000, "excluded_kinds": ["bakery"]})
    answer = examine(GOOD, rules)
    assert answer is not None
    assert answer.code == "kind-excluded"
    assert MerchantRules.of({}) == MerchantRules()
