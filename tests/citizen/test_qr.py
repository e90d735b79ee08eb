"""Payment codes: signed, three minutes, of one city, without anybody's data."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onsil.citizen import qr
from onsil.core.refusal import Refusal

KEY = b"k" * 32
NOW = datetime(2025, 7, 1, 3, 0, 0, tzinfo=UTC)


def token(city: str = "pyeongtaek", shown_by: qr.ShownBy = qr.ShownBy.MERCHANT) -> qr.Token:
    return qr.Token(city, shown_by, UUID(int=7), qr.expiry(NOW))


def code_of(answer: qr.Token | Refusal) -> str:
    assert isinstance(answer, Refusal)
    assert answer.ko
    assert answer.en
    return answer.code


@given(st.uuids(), st.sampled_from(qr.ShownBy), st.sampled_from(["pyeongtaek", "goyang", "a"]))
@settings(max_examples=40)
def test_a_signed_code_reads_back(identity, shown_by, city):
    made = qr.Token(city, shown_by, identity, qr.expiry(NOW))
    assert qr.read(qr.sign(made, KEY), KEY, city, NOW) == made


def test_a_whole_address_is_read_as_well():
    text = f"https://pyeongtaek.example/app/pay/{qr.sign(token(), KEY)}/"
    assert qr.read(text, KEY, "pyeongtaek", NOW) == token()


@given(st.data())
@settings(max_examples=60)
def test_any_changed_character_makes_it_not_ours(data):
    text = qr.sign(token(), KEY)
    place = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.sampled_from("ABCxyz019-_").filter(lambda c: c != text[place]))
    changed = text[:place] + other + text[place + 1 :]
    assert code_of(qr.read(changed, KEY, "pyeongtaek", NOW)) == "qr-not-ours"


@pytest.mark.parametrize("text", ["", " ", "/", "hello", "가나다", "A" * 5000, "AQ", "https://x/"])
def test_what_is_no_code_is_told_so(text):
    assert code_of(qr.read(text, KEY, "pyeongtaek", NOW)) == "qr-not-ours"


@given(st.text(max_size=120))
@settings(max_examples=60)
def test_no_text_breaks_the_reader(text):
    assert isinstance(qr.read(text, KEY, "pyeongtaek", NOW), Refusal)


def test_a_code_signed_with_another_key_is_forged():
    assert code_of(qr.read(qr.sign(token(), b"x" * 32), KEY, "pyeongtaek", NOW)) == "qr-not-ours"


def test_it_holds_three_minutes_and_not_an_instant_longer():
    text = qr.sign(token(), KEY)
    just_before = NOW + timedelta(minutes=3) - timedelta(microseconds=1)
    assert qr.read(text, KEY, "pyeongtaek", just_before) == token()
    assert code_of(qr.read(text, KEY, "pyeongtaek", NOW + timedelta(minutes=3))) == "qr-expired"


def test_a_clock_that_jumped_ahead_expires_it_rather_than_paying_late():
    text = qr.sign(token(), KEY)
    assert code_of(qr.read(text, KEY, "pyeongtaek", NOW + timedelta(days=400))) == "qr-expired"


def test_another_citys_code_is_told_as_such_even_when_old():
    text = qr.sign(token("goyang"), KEY)
    assert code_of(qr.read(text, KEY, "pyeongtaek", NOW)) == "qr-wrong-city"
    assert code_of(qr.read(text, KEY, "pyeongtaek", NOW + timedelta(days=1))) == "qr-wrong-city"


def test_typed_codes_forgive_spacing_and_case_and_nothing_else():
    assert qr.typed_code(" abcd-2345 ") == "ABCD2345"
    assert qr.typed_code(qr.spaced("ABCD2345")) == "ABCD2345"
    for wrong in ("ABCD234", "ABCD23456", "ABCD234O", "ABCD2341", "", "가나다라마바사아"):
        assert qr.typed_code(wrong) is None
    made = qr.new_typed_code()
    assert qr.typed_code(made) == made


def test_confirmation_codes_are_short_stable_and_spread():
    identity = uuid4()
    assert qr.confirmation(identity) == qr.confirmation(identity)
    codes = {qr.confirmation(UUID(int=n)) for n in range(500)}
    assert all(len(c) == 4 and set(c) <= set(qr.ALPHABET) for c in codes)
    assert len(codes) > 480
