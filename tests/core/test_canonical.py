"""Canonical bytes: one spelling for one value, and no float ever."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from onsil.core.canonical import canonical_bytes, decimal_text, digest, instant_text

decimals = st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-(10**12),
                       max_value=10**12)  # fmt: skip


@pytest.mark.parametrize(
    ("value", "text"),
    [("0", "0"), ("-0.00", "0"), ("1E+3", "1000"), ("1.500", "1.5"), ("-0.0100", "-0.01")],
)
def test_decimals_have_one_spelling(value: str, text: str):
    assert decimal_text(Decimal(value)) == text


@given(decimals)
def test_a_decimal_survives_its_spelling(value: Decimal):
    assert Decimal(decimal_text(value)) == value


@given(decimals, st.integers(0, 8))
def test_trailing_zeros_change_nothing(value: Decimal, zeros: int):
    padded = value.quantize(Decimal(1).scaleb(-6 - zeros)) if zeros else value
    assert decimal_text(padded) == decimal_text(value)


def test_keys_are_sorted_and_spaces_absent():
    assert canonical_bytes({"b": Decimal("1.0"), "a": [True, None]}) == b'{"a":[true,null],"b":"1"}'


documents = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(),
    lambda within: st.lists(within) | st.dictionaries(st.text(), within), max_leaves=20,
)  # fmt: skip


@given(documents)
def test_the_bytes_are_those_of_the_reference(document):
    assert canonical_bytes(document) == rfc8785.dumps(document)


def test_every_character_is_written_as_the_reference_does():
    text = "".join(map(chr, [*range(0xD800), *range(0xE000, 0x11000), 0x1F600, 0x10FFFF]))
    keys = {key: text for key in ("\U0001f600", "\uffff", "한", "b", "a\x00", "")}
    assert canonical_bytes(keys) == rfc8785.dumps(keys)
    assert canonical_bytes([text]) == rfc8785.dumps([text])


def test_half_a_character_has_no_canonical_form():
    with pytest.raises(ValueError, match="UTF-8"):
        canonical_bytes("\ud800")


def test_floats_are_refused():
    with pytest.raises(TypeError, match="float"):
        canonical_bytes({"tonnes": 0.1})


def test_integers_beyond_the_safe_range_become_strings():
    assert canonical_bytes(2**53) == b'"9007199254740992"'
    assert canonical_bytes(2**53 - 1) == b"9007199254740991"


def test_an_instant_is_the_same_in_every_zone():
    utc = datetime(2025, 3, 1, 0, 30, tzinfo=UTC)
    seoul = utc.astimezone(timezone(timedelta(hours=9)))
    assert instant_text(utc) == instant_text(seoul) == "2025-03-01T00:30:00Z"
    with pytest.raises(ValueError, match="zone"):
        instant_text(utc.replace(tzinfo=None))


def test_a_digest_is_of_the_canonical_bytes():
    assert digest({}) == "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
