"""A factor's authority at its edges: what is pinned agrees to the day, and a refusal tells it."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from typed_kit import said_no

from onsil.footprint.factors import Factor, FactorAuthority, choose_factor, factor_set

TODAY = date(2026, 3, 1)
GRID = FactorAuthority("inventory", "kr-grid-2021", "consumption", "AR5")
SET = factor_set("kr-grid-2021")


def chosen(wanted: FactorAuthority, as_of: date = TODAY) -> Factor:
    found = choose_factor(wanted, as_of)
    assert isinstance(found, Factor), found
    return found


def test_an_authority_states_what_it_was_given():
    document = {
        "programme": "inventory", "factor_set": "kr-grid-2021", "boundary": "consumption",
        "gwp_set": "AR5", "commodity": "electricity",
    }  # fmt: skip
    assert GRID.document() == document
    day = date(2024, 12, 1)
    assert replace(GRID, allocated=day).document() == {**document, "allocated": day}


@pytest.mark.parametrize(
    ("changes", "code", "told"),
    [
        ({"factor_set": "kr-grid-1999"}, "unknown-factor-set", "names a set we do not have"),
        ({"factor_set": "kr-grid-2021@9"}, "unknown-factor-set", "names a set we do not have"),
        ({"statistic_years": (1999, 2000)}, "factor-years-differ", "rests on the statistic years"),
        ({"published": date(2000, 1, 1)}, "factor-publication-differs", "was published on"),
        ({"boundary": "combustion"}, "factor-boundary-unknown", "electricity/combustion"),
    ],
)
def test_what_does_not_agree_is_refused(changes, code, told):
    wanted = replace(GRID, **changes)
    answer = said_no(choose_factor(wanted, TODAY), code)
    assert answer.facts == wanted.document()
    assert told in answer.en
    assert answer.en.startswith(f"Emission factor {wanted.factor_set} for inventory ")
    assert answer.ko.startswith(f"배출계수 {wanted.factor_set}(inventory): ")


def test_what_agrees_is_taken():
    plain = chosen(GRID)
    assert plain == SET.factor("electricity", "consumption")
    assert chosen(replace(GRID, statistic_years=SET.statistic_years)) == plain
    assert chosen(replace(GRID, published=SET.published)) == plain
    assert chosen(replace(GRID, factor_set=f"kr-grid-2021@{SET.version}")) == plain


def test_a_set_is_known_from_its_day_on():
    assert chosen(GRID, SET.known_from)
    early = SET.known_from - timedelta(days=1)
    said_no(choose_factor(GRID, early), "factor-not-yet-valid")


def test_a_total_of_another_gwp_set_cannot_be_turned():
    """kr-grid-2025 is known as a sum under AR5 alone; disclosure takes SAR, too."""
    wanted = FactorAuthority("disclosure", "kr-grid-2025", "consumption", "AR5")
    assert chosen(wanted).gases_kg is None
    answer = said_no(choose_factor(replace(wanted, gwp_set="SAR"), TODAY), "gwp-not-convertible")
    assert "a sum under AR5 and cannot be turned into SAR" in answer.en
    assert "AR5" in answer.ko
