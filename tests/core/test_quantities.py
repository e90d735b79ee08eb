"""Units are converted exactly and never mixed."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onsil.core.quantities import UnitError, convert, same_dimension, shortest_decimal


@pytest.mark.parametrize(
    ("value", "source", "target", "expected"),
    [
        ("1", "kWh", "Wh", "1000"),
        ("1", "KWH", "WHR", "1000"),
        ("1", "MWh", "MJ", "3600"),
        ("25", "degC", "kelvin", "298.15"),
        ("1000", "kgCO2e", "tCO2e", "1"),
    ],
)
def test_known_conversions(value: str, source: str, target: str, expected: str):
    assert convert(Decimal(value), source, target) == Decimal(expected)


def test_fahrenheit_to_celsius():
    assert round(convert(Decimal(212), "FAH", "CEL"), 9) == 100


@pytest.mark.parametrize(
    ("source", "target"), [("kWh", "kW"), ("kWh", "tCO2e"), ("kg", "tCO2e"), ("kWh", "nonsense")]
)
def test_another_dimension_is_refused(source: str, target: str):
    with pytest.raises(UnitError):
        convert(Decimal(1), source, target)


def test_dimensions():
    assert same_dimension("kWh", "joule")
    assert not same_dimension("kWh", "kW")


@given(st.integers(-(10**14), 10**14), st.integers(0, 6))
def test_readings_of_fifteen_digits_come_back_exactly(digits: int, places: int):
    sent = Decimal(digits).scaleb(-places)
    assert shortest_decimal(float(sent)) == sent


@pytest.mark.parametrize("first_digits", [9, 28, 50])
def test_a_conversion_found_once_has_the_same_digits_whoever_asked_first(first_digits):
    from decimal import localcontext

    from onsil.core import quantities

    quantities._linear.cache_clear()
    quantities._registry.cache_clear()
    quantities._unit.cache_clear()
    with localcontext() as context:
        context.prec = first_digits
        convert(Decimal(1), "MJ", "MWh")
    with localcontext() as context:
        context.prec = 50
        found = convert(Decimal(36), "MJ", "MWh")
    assert abs(found - Decimal("0.01")) < Decimal("1e-48")


@pytest.mark.parametrize(
    ("source", "target"), [("m3", "Nm3"), ("tC", "tCO2"), ("tCO2", "t"), ("km", "passenger-km")]
)
def test_what_is_easily_mixed_up_is_of_another_dimension(source, target):
    with pytest.raises(UnitError):
        convert(Decimal(1), source, target)
