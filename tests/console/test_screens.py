"""Every screen of officials opens for who may see it, and says what it must."""

import pytest
from city_hall import CityHall
from django.test import Client
from django.urls import reverse

pytestmark = pytest.mark.django_db


def pages(hall: CityHall) -> dict[str, str]:
    return {
        "dashboard": reverse("console"),
        "wall": reverse("console") + "?wall=1",
        "kpis": reverse("console-part", args=["kpis"]),
        "alarms": reverse("console-part", args=["alarms"]),
        "sites": reverse("console-sites"),
        "site": reverse("console-site", args=[hall.site.pk]),
        "site-year": reverse("console-site", args=[hall.site.pk]) + "?span=year",
        "quarantine": reverse("console-quarantine"),
        "programmes": reverse("console-programmes"),
        "programme": reverse("console-programme", args=["bus-weekly"]),
        "projects": reverse("console-projects"),
        "project": reverse("console-project", args=[hall.project.id]),
        "monitoring": reverse("console-monitoring", args=[hall.monitoring.id]),
        "run": reverse("console-run", args=[hall.run.id]),
        "shops": reverse("console-shops"),
        "people": reverse("console-people"),
        "person": reverse("console-person", args=[hall.official.pk]),
        "audit": reverse("console-audit"),
    }


def test_staff_open_every_page_and_others_none(hall: CityHall, as_user):
    for name, path in pages(hall).items():
        assert Client(SERVER_NAME="localhost").get(path).status_code == 302, name
        assert as_user(hall.citizen).get(path).status_code == 403, name
        assert as_user(hall.verifier).get(path).status_code == 403, name
        for person in hall.staff:
            answer = as_user(person).get(path)
            assert answer.status_code == 200, (name, person)
