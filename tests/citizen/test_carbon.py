"""One's own carbon: from claims, against one's own past, and nothing made up."""

from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

from django.template import Context, Template

from onsil.citizen.carbon import OwnCarbon, Piece, own_carbon
from onsil.core.periods import Period, local_month

SEOUL = ZoneInfo("Asia/Seoul")
NOW = datetime(2025, 7, 20, tzinfo=UTC)


def piece(
    claim: int, month: int, tonnes: str, saved: str = "10", base: str | None = "100"
) -> Piece:
    return Piece(
        UUID(int=claim), local_month(2025, month, SEOUL), Decimal(tonnes), Decimal(saved),
        None if base is None else Decimal(base),
    )  # fmt: skip


def measured(*pieces: Piece, now: datetime = NOW) -> OwnCarbon:
    found = own_carbon(pieces, SEOUL, now)
    assert found is not None
    return found


def test_without_claims_there_is_nothing_to_say():
    assert own_carbon([], SEOUL, NOW) is None


def test_a_claim_counts_once_however_many_pieces_rest_on_it():
    found = measured(piece(1, 6, "0.012", "30"), piece(1, 6, "0.012", "10", "300"))
    assert found.latest.co2e_kg == Decimal("12")
    assert found.latest.share == Decimal("0.1")
    assert found.latest.label == "2025-06"
    assert not found.comparable


def test_periods_are_kept_apart_oldest_first_and_six_at_most():
    found = measured(*(piece(m, m, f"0.00{m}") for m in (7, 1, 2, 3, 4, 5, 6)))
    assert [p.label for p in found.periods] == [f"2025-{m:02}" for m in range(2, 8)]
    assert found.latest.co2e_kg == Decimal("7")


def test_it_says_whether_the_newest_is_this_month():
    assert measured(piece(1, 7, "0.001")).current
    assert not measured(piece(1, 6, "0.001")).current
    assert measured(piece(1, 6, "0.001"), now=datetime(2025, 6, 30, 14, 59, tzinfo=UTC)).current


def test_an_unknown_baseline_gives_no_share():
    assert measured(piece(1, 6, "0.001"), piece(2, 6, "0.001", base=None)).latest.share is None


def test_a_longer_period_names_its_months():
    long = Period(datetime(2024, 12, 31, 15, tzinfo=UTC), datetime(2025, 6, 30, 15, tzinfo=UTC))
    found = measured(Piece(UUID(int=1), long, Decimal("0.1"), Decimal(1), Decimal(2)))
    assert found.latest.label == "2025-01–2025-06"


def test_using_more_than_before_is_drawn_and_said_as_such():
    found = measured(piece(1, 5, "0.020"), piece(2, 6, "-0.010", "-5"))
    drawn = Template(
        "{% load citizen %}{% for b in c|bars %}{{ b.words }}|{{ b.percent }};{% endfor %}"
    )
    assert drawn.render(Context({"c": found})) == "−20.0 kgCO₂e|100;+10.0 kgCO₂e|50;"
