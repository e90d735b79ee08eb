"""Codes are said in words, and what has no word stays as it is."""

import pytest
from django.template import Context, Template
from django.utils import translation

from onsil import footprint
from onsil.core.refusal import Refusal
from onsil.tenancy.cities import city as city_profile
from onsil.web.templatetags import names


def render(text: str, **values: object) -> str:
    return Template("{% load names %}" + text).render(Context(values))


def test_codes_have_words_in_both_languages():
    assert render("{{ 'electricity-saved'|quantity_word }}") == "전력 절감량"
    assert render("{{ 'energy or power'|value_kind }}") == "에너지 또는 전력"
    assert render("{{ 'happened_on'|term_word }}") == "일어난 날"
    assert render("{{ no|value_word }} {{ 3|value_word }}", no=False) == "아니요 3"
    assert render("{{ 'uniform'|distribution_word }}") == "균등분포"
    assert render("{{ 'secondary'|maturity_word }}") == "다른 자료에서 옮김"
    for filter_name in (
        "quantity_word", "value_kind", "term_word", "distribution_word", "maturity_word",
    ):  # fmt: skip
        assert render("{{ 'nobody-knows'|" + filter_name + " }}") == "nobody-knows"
    with translation.override("en"):
        assert render("{{ 'heat-saved'|quantity_word }}") == "Heat saved"


def test_a_meter_is_called_by_its_own_name():
    meter = "urn:ngsi-ld:Meter:pyeongtaek:home-1#consumedEnergy"
    assert names.meter_name(meter) == "home-1 · consumedEnergy"
    assert names.meter_name("library:led-3") == "library:led-3"


def test_roles_and_inputs_carry_the_methodologys_own_words():
    assert names.role_word("temperature", "building-energy-savings") == "외기 온도"
    assert names.role_word("temperature", "not-installed") == "temperature"
    assert names.role_word("nothing", "building-energy-savings") == "nothing"
    made = footprint.methodology("building-energy-savings")
    assert not isinstance(made, Refusal)
    assert "외기 온도" in names.methodology_inputs(made)
    with translation.override("en"):
        assert "외기" not in names.methodology_inputs(made)


@pytest.mark.django_db
def test_accounts_and_proposals_are_named(city: str):
    values = {"city": city_profile(city), "terms": {"cause": "fire", "tonnes": "1.5", "units": 5}}
    assert render("{% account_name 'buffer' %}", **values) == "버퍼"
    assert render("{% account_name '' %}", **values) == "–"
    assert render("{% account_name 'company:unknown' %}", **values) == "company:unknown"
    assert render("{% term_value terms 'cause' %}", **values) == "화재"
    assert render("{% term_value terms 'tonnes' %}", **values) == "1.5 tCO₂e"
    assert render("{% term_value terms 'units' %}", **values) == "5 tCO₂e"
