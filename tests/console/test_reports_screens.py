"""Reports on screens: made by an official, fetched by staff and verifiers, shut to other cities."""

import io
import zipfile

import pytest
from city_hall import CITY, CLOCK, CityHall, granted, user
from django.test import Client
from django.urls import reverse
from office import GONE, shut_to, told
from openpyxl import load_workbook

from onsil import footprint
from onsil.citizen.models import Role
from onsil.footprint import reports, targets
from onsil.tenancy import city_scope, transaction

FORMS = ("report-pdf", "report-xlsx", "report-hwpx")


def kept(subject) -> list:
    with transaction(CITY) as tx:
        return reports.kept_reports(tx, CITY, subject)


@pytest.fixture
def period(hall: CityHall) -> footprint.Monitoring:
    """A monitoring period that was handed in, so that it rests on claims."""
    return hall.submitted(hall.official)


@pytest.fixture
def make(period) -> str:
    return reverse("report-make", args=["monitoring", period.id])


def test_an_official_makes_a_report_and_the_panel_lists_it(hall, period, make, as_user):
    page = reverse("console-monitoring", args=[period.id])
    official = as_user(hall.official)
    assert "아직 만든 보고서가 없습니다" in official.get(page).content.decode()
    assert "보고서를 만들어 보관했습니다" in told(official, make)
    ((report, language, _at, sha256),) = kept(period.id)
    assert language == "ko"
    shown = official.get(page).content.decode()
    assert sha256[:8] in shown
    for name in FORMS:
        assert reverse(name, args=[report]) in shown
    verifier = as_user(hall.verifier).get(page).content.decode()
    assert reverse("report-pdf", args=[report]) in verifier
    assert make not in verifier


def test_the_same_again_makes_no_second_one_another_language_does(hall, period, make, as_user):
    official = as_user(hall.official)
    told(official, make)
    assert "바뀐 것이 없어" in told(official, make)
    assert len(kept(period.id)) == 1
    official.cookies["django_language"] = "en"
    assert "The report was made and kept" in told(official, make)
    assert [line[1] for line in kept(period.id)] == ["en", "ko"]
    with transaction(CITY) as tx:
        granted(footprint.approve_monitoring(tx, CITY, period.id, str(hall.both.pk), CLOCK))
    assert "made and kept" in told(official, make)
    assert [line[1] for line in kept(period.id)] == ["en", "en", "ko"]


def test_only_officials_make_and_nobody_makes_of_nothing(hall, period, make, as_user):
    shut_to([hall.citizen, hall.verifier, hall.operator, hall.approver], as_user, make)
    official = as_user(hall.official)
    for kind, subject in (("monitoring", GONE), ("implementation", period.id), ("x", period.id)):
        path = reverse("report-make", args=[kind, subject])
        assert official.post(path).status_code == 404, kind
    assert kept(period.id) == []


def test_every_form_opens_for_readers_alone(hall, period, make, as_user):
    told(as_user(hall.official), make)
    ((report, _language, _at, sha256),) = kept(period.id)
    verifier = as_user(hall.verifier)
    pdf, xlsx, hwpx = (verifier.get(reverse(name, args=[report])) for name in FORMS)
    assert pdf.content.startswith(b"%PDF-")
    assert f'filename="report-{report}.pdf"' in pdf["Content-Disposition"]
    cells = [str(c.value) for sheet in load_workbook(io.BytesIO(xlsx.content)) for row in sheet
             for c in row]  # fmt: skip
    assert any(sha256 in cell for cell in cells)
    assert zipfile.ZipFile(io.BytesIO(hwpx.content)).testzip() is None
    for name in FORMS:
        path = reverse(name, args=[report])
        assert as_user(hall.citizen).get(path).status_code == 403
        assert Client(SERVER_NAME="localhost").get(path).status_code == 302
        assert verifier.get(reverse(name, args=[GONE])).status_code == 404
        assert verifier.post(path).status_code == 405


def test_another_city_sees_none_of_them(hall, period, make, as_user):
    told(as_user(hall.official), make)
    ((report, *_rest),) = kept(period.id)
    with city_scope("goyang"):
        stranger = user("goyang-all", Role.OFFICIAL, Role.VERIFIER)
    client = Client(SERVER_NAME="goyang.localhost")
    client.force_login(stranger, backend="django.contrib.auth.backends.ModelBackend")
    for name in FORMS:
        assert client.get(reverse(name, args=[report])).status_code == 404
    assert client.post(make).status_code == 404
    assert len(kept(period.id)) == 1


def test_a_review_becomes_a_report_once_it_is_handed_in(hall, as_user):
    official = as_user(hall.official)
    official.post(reverse("targets-load"))
    with transaction(CITY) as tx:
        plan = targets.plans(tx, CITY)[0]
        measures = targets.measures(tx, CITY, plan.id)
    page = reverse("targets-review", args=[plan.id, 2026])
    assert "지금 값으로 보고서 만들기" not in official.get(page).content.decode()

    def act(what: str, **data: object) -> str:
        return told(official, reverse("targets-review-act", args=[plan.id, 2026, what]), **data)

    act("open")
    with transaction(CITY) as tx:
        review = targets.review_of_year(tx, CITY, plan.id, 2026)
    assert review is not None
    make = reverse("report-make", args=["implementation", review.id])
    assert make in official.get(page).content.decode()
    assert "제출된 이행점검만" in told(official, make)
    for one in measures:
        act("judge", measure=one.id, verdict="not-started", comment="예산 대기")
    act("submit")
    assert "보고서를 만들어 보관했습니다" in told(official, make)
    ((report, *_rest),) = kept(review.id)
    shown = as_user(hall.verifier).get(page).content.decode()
    assert reverse("report-xlsx", args=[report]) in shown
    assert make not in shown
