"""The claims explorer: search, bands, both sides of a conflict, release, boundaries."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from city_hall import CITY, CLOCK, JUNE, SEOUL, CityHall
from django.urls import reverse

from onsil import footprint
from onsil.console.claims.bands import drawn
from onsil.core.ids import new_id
from onsil.core.periods import Period, local_days
from onsil.core.refusal import Refusal
from onsil.footprint.claims import Band, put_inside, refused_attempts
from onsil.tenancy import transaction


@pytest.fixture
def meter(hall: CityHall) -> str:
    """The claimed meter, where another programme was refused."""
    with transaction(CITY) as conn:
        answer = footprint.claim(conn, CITY, hall.run.id, "voluntary", actor="x", clock=CLOCK)
    assert isinstance(answer, Refusal)
    return hall.claim.lines[0].meter


def test_who_may_look(hall: CityHall, as_user):
    for name in ("claims", "claims-refused", "claims-boundaries"):
        assert as_user(hall.official).get(reverse(name)).status_code == 200
        assert as_user(hall.verifier).get(reverse(name)).status_code == 200
        assert as_user(hall.citizen).get(reverse(name)).status_code == 403
    address = reverse("claims-release", args=[hall.claim.id])
    assert as_user(hall.verifier).post(address, {"reason": "x"}).status_code == 403
    assert as_user(hall.official).post(
        reverse("claims-release", args=[new_id()]), {"reason": "x"}).status_code == 404  # fmt: skip


def test_claims_are_found(hall: CityHall, as_user, meter: str):
    browser, address = as_user(hall.official), "/console/claims/"
    text = browser.get(address).content.decode()
    assert meter in text
    assert hall.claim.programme in text
    for asked in ({"meter": "nowhere"}, {"programme": "rec"}, {"kind": "dr"},
                  {"first": "2020-01-01", "last": "2020-02-01"}):  # fmt: skip
        assert meter not in browser.get(address, asked).content.decode()
    for asked in ({"meter": meter[-12:]}, {"programme": hall.claim.programme},
                  {"first": "2025-06-01", "last": "2025-06-02"}):  # fmt: skip
        assert meter in browser.get(address, asked).content.decode()
    table = browser.get(address, {"format": "csv"})
    assert meter in table.content.decode("utf-8-sig")


def test_a_meter_shows_its_bands_and_both_sides(hall: CityHall, as_user, meter: str):
    text = as_user(hall.verifier).get("/console/claims/meter/", {"meter": meter}).content.decode()
    assert "<svg" in text
    assert "claim-band--compliance" in text
    assert "claim-refused" in text
    assert "요청한 쪽" in text
    assert "이미 가진 쪽" in text
    assert "등록 해제" not in text  # a verifier only looks
    assert as_user(hall.official).get("/console/claims/meter/").status_code == 404
    refused = as_user(hall.official).get("/console/claims/refused/").content.decode()
    assert meter in refused
    assert "voluntary" in refused
    assert meter not in as_user(hall.official).get(
        "/console/claims/refused/", {"kind": "rec"}).content.decode()  # fmt: skip


def test_a_claim_is_released_with_a_reason(hall: CityHall, as_user, meter: str):
    browser = as_user(hall.official)
    address = reverse("claims-release", args=[hall.claim.id])
    answer = browser.post(address, {"reason": ""}, follow=True)
    assert "사유를 적어" in answer.content.decode()
    answer = browser.post(address, {"reason": "잘못 등록함"}, follow=True)
    assert "해제된 등록" in answer.content.decode()
    with transaction(CITY) as conn:
        held = footprint.claim_of(conn, CITY, hall.claim.id)
    assert held is not None
    assert held.released_at is not None


def test_boundaries_are_stated(hall: CityHall, as_user, meter: str):
    browser, address = as_user(hall.official), reverse("claims-boundary-add")
    assert browser.post(address, {"part": "", "whole": meter}).status_code == 422
    text = browser.post(address, {"part": "lamps-1", "whole": meter}, follow=True).content.decode()
    assert "lamps-1" in text
    text = browser.post(address, {"part": meter, "whole": "lamps-1"}, follow=True).content.decode()
    assert "안에 둘 수 없습니다" in text
    assert "lamps-1" in browser.get("/console/claims/meter/", {"meter": meter}).content.decode()
    assert as_user(hall.verifier).post(address, {"part": "a", "whole": "b"}).status_code == 403


def band(first: date, days: int, low: int, high: int, kind: str = "dr") -> Band:
    period = local_days(first, first + timedelta(days=days), SEOUL)
    return Band(new_id(), new_id(), "p", kind, "m", "gas-saved", low, high, period, Decimal(1),
                "Wh", False, False, "a", period.start)  # fmt: skip


def test_the_drawing():
    assert drawn([], [], SEOUL) is None
    made = drawn([band(date(2025, 1, 1), 10, 0, 5_000), band(date(2025, 1, 11), 10, 0, 10_000)],
                 [], SEOUL)  # fmt: skip
    assert made is not None
    first, second = made.boxes
    assert first.x == made.left
    assert first.x + first.width == pytest.approx(second.x, abs=0.2)
    assert second.y == made.top
    assert first.height * 2 == pytest.approx(second.height)
    assert made.kinds == ("dr",)
    assert 2 <= len(made.ticks) <= 9
    year = drawn([band(date(2024, 1, 1), 900, 0, 10)], [], SEOUL)
    assert year is not None
    assert 2 <= len(year.ticks) <= 9
    cut = drawn([band(date(2025, 1, 1), 10, 0, 10)], [], SEOUL,
                local_days(date(2025, 1, 5), date(2025, 1, 7), SEOUL))  # fmt: skip
    assert cut is not None
    assert cut.boxes[0].width == pytest.approx(cut.width - cut.left - 4, abs=0.2)


def test_another_citys_meters_are_not_shown(hall: CityHall, meter: str):
    with transaction("goyang") as conn:
        assert refused_attempts(conn, "goyang") == []
        made = put_inside(conn, "goyang", "a", "b", "x", CLOCK)
        assert not isinstance(made, Refusal)
    assert Period(JUNE.start, JUNE.end).overlaps(hall.claim.period)
