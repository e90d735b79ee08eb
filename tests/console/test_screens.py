"""Every screen of officials opens for who may see it, and says what it must."""

import pytest
from city_hall import CityHall
from django.test import Client
from django.urls import reverse

from onsil.citizen.models import Role, User
from onsil.citizen.services import people
from onsil.tenancy import city_scope

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
        of_verifiers = name in ("projects", "project", "monitoring", "run")
        allowed = 200 if of_verifiers else 403
        assert as_user(hall.verifier).get(path).status_code == allowed, name
        for person in hall.staff:
            answer = as_user(person).get(path)
            assert answer.status_code == 200, (name, person)


def test_the_dashboard_shows_every_figure_of_the_plan(hall: CityHall, as_user):
    html = as_user(hall.official).get(reverse("console")).content.decode()
    assert html.count('class="kpi kpi--') == 16
    assert "아직 측정 전" in html
    assert "69.6" in html  # tonnes of the claimed run
    assert "격리된 값" in html
    assert 'aria-label="업무 고리' in html
    for part in ("kpis", "ring", "alarms", "flow", "budgets"):
        assert as_user(hall.official).get(f"/console/part/{part}/").status_code == 200
    assert as_user(hall.official).get("/console/part/nothing/").status_code == 404


def test_english_readers_get_english(hall: CityHall, as_user):
    client = as_user(hall.official)
    client.cookies["django_language"] = "en"
    html = client.get(reverse("console-site", args=[hall.site.pk])).content.decode()
    assert "Demo solar 1" in html
    assert "Published measurement" in html


def test_tables_leave_as_files(hall: CityHall, as_user):
    client = as_user(hall.official)
    paths = [
        reverse("console-kpis-csv"), reverse("console-sites") + "?format=csv",
        reverse("console-site-csv", args=[hall.site.pk]) + "?span=day",
        reverse("console-quarantine") + "?format=csv",
        reverse("console-programmes") + "?format=csv",
        reverse("console-programme", args=["bus-weekly"]) + "?format=csv",
        reverse("console-projects") + "?format=csv", reverse("console-shops") + "?format=csv",
        reverse("console-audit") + "?format=csv",
    ]  # fmt: skip
    for path in paths:
        answer = client.get(path)
        assert answer.status_code == 200, path
        assert answer["Content-Type"].startswith("text/csv"), path
        assert answer.content.decode("utf-8").startswith("\ufeff"), path
    points = client.get(paths[2]).content.decode().splitlines()
    assert len(points) == 25
    assert points[13].split(",")[4] == "kWh"


def test_a_maker_is_refused_and_told_why(hall: CityHall, as_user):
    hall.submitted(hall.both)
    page = reverse("console-monitoring", args=[hall.monitoring.id])
    approve = reverse("console-monitoring-act", args=[hall.monitoring.id, "approve"])
    own = as_user(hall.both)
    assert "제출한 사람은 자신의 제출을 승인할 수 없습니다" in own.get(page).content.decode()
    html = own.post(approve, follow=True).content.decode()
    assert 'role="alert"' in html
    assert "승인 대기" in html
    html = as_user(hall.official).post(approve, follow=True).content.decode()
    assert "역할이 없어" in html
    html = as_user(hall.approver).post(approve, follow=True).content.decode()
    assert "승인했습니다" in html
    issue = reverse("console-monitoring-act", args=[hall.monitoring.id, "issue"])
    assert "발행했습니다" in as_user(hall.official).post(issue, follow=True).content.decode()
    html = as_user(hall.official).get(reverse("console-project", args=[hall.project.id]))
    assert "69 t" in html.content.decode()


def test_roles_are_changed_by_operators_alone_and_leave_a_trace(hall: CityHall, as_user):
    change = reverse("console-person-roles", args=[hall.official.pk])
    assert as_user(hall.official).post(change, {"give": "operator"}).status_code == 403
    operator = as_user(hall.operator)
    operator.post(change, {"give": "verifier"})
    assert "verifier" in hall.official.roles("pyeongtaek")
    html = operator.get(reverse("console-audit") + "?kind=person").content.decode()
    assert "role-given" in html
    assert "verifier" in html
    own = reverse("console-person-roles", args=[hall.operator.pk])
    html = operator.post(own, {"take": "operator"}, follow=True).content.decode()
    assert "마지막 운영자" in html
    assert "operator" in hall.operator.roles("pyeongtaek")
    operator.post(change, {"give": "citizen"})
    assert "citizen" not in hall.official.roles("pyeongtaek")


def test_a_new_person_gets_a_way_in(hall: CityHall, as_user):
    operator = as_user(hall.operator)
    html = operator.post(
        reverse("console-people"),
        {"email": "approver9@demo.invalid", "name": "데모 승인 9", "role": "approver"}, follow=True,
    ).content.decode()  # fmt: skip
    link = html.split('<code class="code">')[1].split("</code>")[0]
    assert Client(SERVER_NAME="localhost").get(link, follow=True).status_code == 200
    assert link not in operator.get(reverse("console-people")).content.decode()


def test_another_citys_people_are_unknown_here(hall: CityHall, as_user):
    path = reverse("console-person", args=[hall.citizen.pk])
    assert as_user(hall.operator).get(path).status_code == 404
    assert hall.official.roles("goyang") == frozenset()


def test_staff_of_one_city_are_strangers_in_another(hall: CityHall, as_user):
    person = User.objects.create_user("elsewhere@demo.invalid", "a long password")
    with city_scope("goyang"):
        people.give_role(person, Role.OPERATOR)
        assert person.roles("goyang") == {"operator"}
    for path in pages(hall).values():
        assert as_user(person).get(path).status_code == 403
