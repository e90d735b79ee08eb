"""A bundle's members on screen: own crediting periods, a law on one of them, and taking it back."""

from datetime import date
from decimal import Decimal

import pytest
from city_hall import CITY, CLOCK, CityHall, granted
from django.urls import reverse
from office import told

from onsil import footprint
from onsil.footprint.projects import Site, join_site
from onsil.footprint.projects.members import creditings, site_duties
from onsil.tenancy import transaction


@pytest.fixture
def project(hall: CityHall) -> footprint.Project:
    spec = footprint.ProjectSpec(
        "BUNDLE-1", "묶음 사업", "Bundle", "kr-offset", "solar-self-consumption",
        date(2025, 1, 1), date(2032, 1, 1),
    )  # fmt: skip
    with transaction(CITY) as tx:
        return granted(footprint.register_project(tx, CITY, spec, str(hall.official.pk), CLOCK))


@pytest.fixture
def site(hall: CityHall, project) -> Site:
    made = Site("S-1", "도서관", "Library", date(2025, 1, 1), Decimal(90))
    with transaction(CITY) as tx:
        return granted(join_site(tx, CITY, project.id, made, str(hall.official.pk), CLOCK))


def test_a_member_s_days_and_duty_are_stated_shown_and_taken_back(
    hall: CityHall, project, site, as_user
):
    official, page = as_user(hall.official), reverse("project-members", args=[project.id])

    def do(client, what: str, **data) -> str:
        return told(client, reverse("project-do", args=[project.id, what]), **data)

    assert "사업과 같음" in official.get(page).content.decode()
    days = {"site": site.id, "starts": "2025-03-01", "ends": "2030-03-01"}
    assert "밖입니다" in do(
        official, "crediting", **{**days, "ends": "2040-01-01"}, reason="준공"
    )  # fmt: skip
    assert "적어" in do(official, "crediting", **days, reason="준공")
    with transaction(CITY) as tx:
        stated = creditings(tx, CITY, project.id)[granted(site.id)]
    assert (stated.starts, stated.ends) == (date(2025, 3, 1), date(2030, 3, 1))
    do(
        official,
        "member-duty",
        site=site.id,
        law="조례 제5조",
        text="설치",
        in_force_on="2027-01-01",
    )
    text = official.get(page).content.decode()
    assert "2025-03-01" in text
    assert "조례 제5조" in text
    with transaction(CITY) as tx:
        (law,) = site_duties(tx, CITY, project.id)
    assert "다른 담당자" in do(official, "member-withdraw", duty=law.id, reason="잘못")
    do(as_user(hall.approver), "member-withdraw", duty=law.id, reason="잘못")
    assert "조례 제5조" not in official.get(page).content.decode()
    assert as_user(hall.verifier).get(page).status_code == 200
