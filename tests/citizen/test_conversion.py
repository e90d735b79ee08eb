"""Points into local currency: nothing lost, nothing made, what expires first goes first."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onsil.citizen.conversion import Part, Pocket, Rate, plan, spendable, years_later
from onsil.core.refusal import Refusal

NOW = datetime(2025, 7, 1, tzinfo=UTC)
SOON, LATER = NOW + timedelta(days=3), NOW + timedelta(days=300)

pockets_drawn = st.lists(
    st.builds(
        Pocket,
        asset=st.sampled_from(["point:bus", "point:saving"]),
        fund=st.sampled_from(["city", "national"]),
        amount=st.integers(0, 5000),
        expires_at=st.one_of(
            st.none(), st.integers(-5, 400).map(lambda d: NOW + timedelta(days=d))
        ),
    ),
    max_size=8,
)


def test_earliest_expiry_goes_first_across_programmes():
    pockets = [
        Pocket("point:bus", "city", 500, LATER),
        Pocket("point:saving", "city", 300, SOON),
        Pocket("point:bus", "national", 400, None),
    ]
    assert plan(pockets, 900, Rate(), NOW) == (
        Part("point:saving", "city", 300, 300),
        Part("point:bus", "city", 500, 500),
        Part("point:bus", "national", 100, 100),
    )


@given(pockets_drawn, st.integers(1, 20000), st.integers(1, 7), st.integers(1, 5))
@settings(max_examples=60)
def test_a_plan_takes_exactly_what_was_asked_and_gives_exactly_its_worth(pockets, asked, per, won):
    rate = Rate(points=per, won=won, minimum=1)
    asked -= asked % per
    answer = plan(pockets, asked, rate, NOW) if asked else ()
    have = sum(p.amount for p in spendable(pockets, NOW))
    if isinstance(answer, Refusal):
        assert answer.code == "not-enough-points"
        assert have < asked
        return
    assert sum(part.points for part in answer) == asked <= have
    assert sum(part.won for part in answer) == rate.worth(asked)
    assert all(part.points > 0 and part.won >= 0 for part in answer)
    for part in answer:
        place = [p for p in spendable(pockets, NOW) if (p.asset, p.fund) == (part.asset, part.fund)]
        assert part.points <= sum(p.amount for p in place)


def test_expired_points_are_no_longer_there():
    pockets = [Pocket("point:bus", "city", 1000, NOW)]
    answer = plan(pockets, 100, Rate(), NOW)
    assert isinstance(answer, Refusal)
    assert (answer.code, answer.facts["points"]) == ("not-enough-points", 0)


@pytest.mark.parametrize(
    ("points", "rate", "code"),
    [
        (99, Rate(), "conversion-too-small"),
        (0, Rate(minimum=1), "conversion-too-small"),
        (-500, Rate(), "conversion-too-small"),
        (105, Rate(points=10), "conversion-uneven"),
        (2000, Rate(), "not-enough-points"),
    ],
)
def test_what_cannot_be_converted_is_told_why(points, rate, code):
    answer = plan([Pocket("point:bus", "city", 1000, None)], points, rate, NOW)
    assert isinstance(answer, Refusal)
    assert answer.code == code


def test_a_rate_must_make_sense():
    with pytest.raises(ValueError, match="positive"):
        Rate(points=0)


def test_five_years_on_from_a_leap_day():
    assert years_later(datetime(2024, 2, 29, tzinfo=UTC), 5) == datetime(2029, 3, 1, tzinfo=UTC)
    assert years_later(NOW, 5).year == 2030
