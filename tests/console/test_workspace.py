"""A project's workspace: the route walked on screens, who may do what, nothing said twice."""

from datetime import date

import pytest
from city_hall import CITY, CLOCK, CityHall, granted
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from office import GONE, said, shut_to, told

from onsil import footprint
from onsil.console.workspace.differences import differ
from onsil.console.workspace.heat import heat_map
from onsil.footprint.projects import (
    DayCoverage,
    add_calibration,
    all_documents,
    current_design,
    devices,
    duties,
    engagements,
    findings,
    plans,
    sites,
    standing,
    steps,
)
from onsil.tenancy import transaction

TABS = (
    "project-documents", "project-data", "project-difference", "project-findings",
    "project-verification", "project-members", "project-plan",
)  # fmt: skip


@pytest.fixture
def project(hall: CityHall) -> footprint.Project:
    """A project on the Korean route, as an official registers it."""
    spec = footprint.ProjectSpec(
        "OFFSET-1", "외부사업 태양광", "Offset solar", "kr-offset", "solar-self-consumption",
        date(2025, 1, 1), date(2032, 1, 1),
    )  # fmt: skip
    with transaction(CITY) as tx:
        return granted(footprint.register_project(
            tx, CITY, spec, str(hall.official.pk), CLOCK, route="kr-offset"))  # fmt: skip


def do(client: Client, project: footprint.Project, what: str, **data: object) -> str:
    return told(client, reverse("project-do", args=[project.id, what]), **data)


def upload(client: Client, project: footprint.Project, kind: str, content=b"%PDF-1.7 x", **more):
    return do(
        client, project, "document", kind=kind, title=kind, language="ko",
        file=SimpleUploadedFile(f"{kind}.pdf", content, "application/pdf"), **more,
    )  # fmt: skip


def seen(project: footprint.Project, monitoring=None) -> int:
    with transaction(CITY) as tx:
        return len(steps(tx, CITY, project.id, monitoring))


def step(client: Client, project: footprint.Project, transition: str, monitoring=None) -> str:
    return do(client, project, "step", transition=transition, seen=seen(project, monitoring),
              monitoring=str(monitoring or ""), note="확인")  # fmt: skip


def test_every_tab_opens_for_staff_and_verifiers_alone(hall: CityHall, project, as_user):
    for name in TABS:
        path = reverse(name, args=[project.id])
        for person in (hall.official, hall.approver, hall.verifier, hall.operator):
            assert as_user(person).get(path).status_code == 200, name
        assert as_user(hall.citizen).get(path).status_code == 403
        assert as_user(hall.official).get(reverse(name, args=[GONE])).status_code == 404
    shut_to([hall.citizen], as_user, reverse("project-do", args=[project.id, "step"]))
    official = as_user(hall.official)
    assert official.post(reverse("project-do", args=[project.id, "fly"])).status_code == 404
    assert official.post(reverse("project-do", args=[GONE, "step"])).status_code == 404


def test_a_project_is_registered_on_a_route(hall: CityHall, as_user):
    sent = {
        "code": "OFFSET-9", "name_ko": "가", "name_en": "A", "programme": "kr-offset",
        "methodology": "solar-self-consumption", "starts": "2025-01-01", "ends": "2032-01-01",
        "buffer_percent": "0", "route": "kr-offset",
    }  # fmt: skip
    html = as_user(hall.official).post(
        reverse("console-project-new"), sent, follow=True
    ).content.decode()  # fmt: skip
    assert "타당성 평가 맡기기" in html
    assert "확인 필요" in html
    wrong = {**sent, "code": "OFFSET-8", "ends": "2033-01-01"}
    assert "7년" in told(as_user(hall.official), reverse("console-project-new"), **wrong)
    assert "타당성" not in as_user(hall.official).get(
        reverse("console-project", args=[hall.project.id])
    ).content.decode().split('class="tabs"')[0]  # fmt: skip


def prepared(hall: CityHall, project: footprint.Project, as_user) -> None:
    """Everything that the plan needs, entered by the official on the screens."""
    official = as_user(hall.official)
    done = "적어 두었습니다"
    assert done in do(official, project, "design", structure="bundle", developer="데모 시청")
    assert done in do(
        official, project, "site", code="S-1", name_ko="도서관", name_en="Library",
        expected_t_per_year="90", joined_on="2025-01-01", capacity="99", capacity_unit="kW",
    )  # fmt: skip
    assert done in do(
        official, project, "plan", effective_on="2025-01-01", responsible="에너지과",
        parameters="EG | 발전량 | Generation | kWh | 계량기 | 1 h | 교정", quality="대조",
    )  # fmt: skip
    for test in ("legal-surplus", "investment", "common-practice"):
        assert done in do(official, project, "evidence", test=test, shown="on", text="확인",
                          assessed_on="2025-01-05")  # fmt: skip


def engage(hall: CityHall, project: footprint.Project, as_user, **changes: object) -> str:
    sent = {
        "monitoring": "", "organisation": "시험 검증원", "accreditation": "시험 1호",
        "scopes": "에너지", "accredited_until": "2190-01-01", "starts_on": "2025-01-01",
        "ends_on": "2189-01-01", "independence": "이해관계 없음",
        "members": [str(hall.verifier.pk)], **changes,
    }  # fmt: skip
    return do(as_user(hall.official), project, "engage", **sent)


def registered(hall: CityHall, project: footprint.Project, as_user) -> None:
    official, verifier = as_user(hall.official), as_user(hall.verifier)
    prepared(hall, project, as_user)
    for kind in ("project-plan", "additionality-evidence"):
        upload(official, project, kind)
    engage(hall, project, as_user)
    assert "적어" in step(official, project, "request-validation")
    judged(hall, project, as_user)
    upload(verifier, project, "feasibility-report")
    assert "적어" in step(verifier, project, "validate")
    assert "적어" in step(official, project, "request-approval")
    upload(official, project, "review-minutes")
    assert "적어" in step(as_user(hall.approver), project, "register")


def judged(hall: CityHall, project: footprint.Project, as_user, **changes: object) -> None:
    verifier = as_user(hall.verifier)
    with transaction(CITY) as tx:
        of = str(engagements(tx, CITY, project.id)[0].id)
    today = CLOCK.now().date().isoformat()
    assert "적어" in do(verifier, project, "visit", engagement=of, visited_on=today, note="봄")
    sent = {"outcome": "positive", "assurance": "reasonable", "reported_t": "100",
            "misstatement_t": "4.9", "threshold_pct": "5", "text": "적정", **changes}  # fmt: skip
    assert "적어" in do(verifier, project, "opinion", engagement=of, **sent)


def test_the_route_is_walked_on_the_screens(hall: CityHall, project, as_user):
    official = as_user(hall.official)
    page = reverse("console-project", args=[project.id])
    assert "사업계획서" in official.get(page).content.decode()
    assert "문서가 없습니다" in step(official, project, "request-validation")
    registered(hall, project, as_user)
    with transaction(CITY) as tx:
        assert standing(tx, CITY, project.id).state == "registered"
    html = official.get(page).content.decode()
    assert html.count('data-state="done"') >= 4
    assert "데모 approver1" in html
    for name in TABS:
        assert official.get(reverse(name, args=[project.id])).status_code == 200


def test_a_period_goes_through_verification_on_the_screens(hall: CityHall, project, as_user):
    official, verifier, approver = map(as_user, (hall.official, hall.verifier, hall.approver))
    registered(hall, project, as_user)
    meter = hall.run.lines[0].meter
    assert "적어" in do(official, project, "device", role="generation", meter=meter,
                        since="2025-01-01")  # fmt: skip
    with transaction(CITY) as tx:
        device = devices(tx, CITY, project.id)[0]
    assert "적어" in do(official, project, "calibration", device=str(device.id),
                        first="2025-01-01", until="2027-01-01", certificate="C-1")  # fmt: skip
    opened = official.post(reverse("console-open-period", args=[project.id]),
                           {"first": "2025-06-01", "last": "2025-06-30"}, follow=True)  # fmt: skip
    assert opened.status_code == 200
    with transaction(CITY) as tx:
        (period,) = footprint.monitorings(tx, CITY, project.id)
    act = reverse("console-monitoring-act", args=[period.id, "submit"])
    assert "모니터링 보고서" in told(official, act, claim=str(hall.claim.id))
    upload(official, project, "monitoring-report", monitoring=str(period.id))
    assert "승인을 요청" in told(official, act, claim=str(hall.claim.id))
    approve = reverse("console-monitoring-act", args=[period.id, "approve"])
    assert "먼저 할 일" in told(approver, approve)
    engage(hall, project, as_user, monitoring=str(period.id))
    assert "적어" in step(official, project, "engage", period.id)
    judged(hall, project, as_user)
    upload(verifier, project, "verification-report", monitoring=str(period.id))
    assert "적어" in step(verifier, project, "verify", period.id)
    assert "적어" in step(official, project, "request-certification", period.id)
    assert "승인 공무원만" in step(official, project, "certify", period.id)
    assert "적어" in step(approver, project, "certify", period.id)
    html = official.get(reverse("console-monitoring", args=[period.id])).content.decode()
    assert "인증" in html
    issue = reverse("console-monitoring-act", args=[period.id, "issue"])
    assert "발행했습니다" in told(official, issue)


def test_documents_are_kept_byte_for_byte(hall: CityHall, project, as_user):
    official = as_user(hall.official)
    for _ in range(2):
        assert "적어" in upload(official, project, "project-plan", b"first")
    upload(official, project, "project-plan", b"second")
    with transaction(CITY) as tx:
        kept = all_documents(tx, CITY, project.id)
    assert [(d.version, d.size) for d in kept] == [(2, 6), (1, 5)]
    path = reverse("project-document", args=[project.id, kept[1].id])
    answer = official.get(path)
    assert answer.content == b"first"
    assert answer["Content-Disposition"].startswith("attachment")
    assert answer["X-Content-Type-Options"] == "nosniff"
    other = reverse("project-document", args=[hall.project.id, kept[1].id])
    assert official.get(other).status_code == 404
    assert official.get(reverse("project-document", args=[project.id, GONE])).status_code == 404
    listing = reverse("project-documents", args=[project.id])
    assert kept[0].sha256 in official.get(listing + "?format=csv").content.decode()
    assert "빈 파일" in upload(official, project, "project-plan", b"")
    assert "문서 종류" in upload(official, project, "poem")


def test_findings_are_raised_answered_and_closed_by_two_sides(hall: CityHall, project, as_user):
    official, verifier = as_user(hall.official), as_user(hall.verifier)
    sent = {"kind": "CAR", "severity": "material", "title": "교정", "text": "성적서가 없다"}
    assert "역할이 없어" in do(official, project, "finding", **sent)
    assert "적어" in do(verifier, project, "finding", **sent)
    with transaction(CITY) as tx:
        (made,) = findings(tx, CITY, project.id)
    mine = {"finding": str(made.id), "text": "올렸습니다"}
    assert "역할이 없어" in do(verifier, project, "remark", act="answered", **mine)
    assert "역할이 없어" in do(official, project, "remark", act="closed", **mine)
    assert "답변 뒤에" in do(verifier, project, "remark", act="closed", **mine)
    assert "적어" in do(official, project, "remark", act="answered", **mine)
    assert "적어" in do(verifier, project, "remark", act="reopened", **mine)
    assert "적어" in do(official, project, "remark", act="answered", **{**mine, "text": "다시"})
    assert "적어" in do(verifier, project, "remark", act="closed", **mine)
    html = official.get(reverse("project-findings", args=[project.id])).content.decode()
    assert "CAR 1 · 교정" in html
    assert (
        do(verifier, hall.project, "remark", act="reopened", **mine) == "이 사업의 것이 아닙니다."
    )
    assert "내용" in do(verifier, project, "remark", act="closed", finding=str(made.id), text="")


def test_who_is_engaged_is_checked(hall: CityHall, project, as_user):
    assert "사업자를 먼저" in engage(hall, project, as_user)
    prepared(hall, project, as_user)
    assert "자신의 사업" in engage(hall, project, as_user, organisation="데모  시청")
    assert "인정이" in engage(hall, project, as_user, accredited_until="2100-01-01")
    assert "담당 검증인" in engage(hall, project, as_user, members=[str(hall.citizen.pk)])
    engage(hall, project, as_user)
    with transaction(CITY) as tx:
        (of,) = engagements(tx, CITY, project.id)
    opinion = {"engagement": str(of.id), "outcome": "positive", "assurance": "reasonable",
               "reported_t": "100", "misstatement_t": "5.1", "threshold_pct": "5",
               "text": "x"}  # fmt: skip
    assert "중요성" in do(as_user(hall.verifier), project, "opinion", **opinion)
    sample = {"engagement": str(of.id), "run_id": str(hall.run.id), "seed": "1", "population": "9",
              "size": "3", "deviations": "4", "misstatement_t": "0"}  # fmt: skip
    verifier = as_user(hall.verifier)
    assert "표본" in do(verifier, project, "sample", **sample)
    assert "적어" in do(verifier, project, "sample", **{**sample, "deviations": "1"})
    html = verifier.get(reverse("project-verification", args=[project.id])).content.decode()
    assert "시험 검증원" in html
    assert "3 / 9" in html


def test_sites_leave_and_units_and_plans_change(hall: CityHall, project, as_user):
    official = as_user(hall.official)
    prepared(hall, project, as_user)
    with transaction(CITY) as tx:
        (site,) = sites(tx, CITY, project.id)
        design = current_design(tx, CITY, project.id)
    assert design is not None
    assert "까닭" in do(official, project, "leave", site=str(site.id), left_on="2026-01-01")
    assert "적어" in do(official, project, "leave", site=str(site.id), left_on="2026-01-01",
                        reason="철거")  # fmt: skip
    assert "적어" in do(official, project, "unit", code="U-1", name_ko="가", name_en="A",
                        started_on="2025-01-01", area_ha="1.5",
                        parameters="종 = 소나무")  # fmt: skip
    line = "EG | 발전량 | Generation | kWh | 계량기 | 15 min | 교정"
    assert "일곱 칸" in do(official, project, "plan", effective_on="2026-01-01",
                           responsible="a", parameters="EG | x")  # fmt: skip
    assert "까닭" in do(official, project, "plan", effective_on="2026-01-01",
                        responsible="에너지과", parameters=line)  # fmt: skip
    assert "적어" in do(official, project, "plan", effective_on="2026-01-01", reason="주기",
                        responsible="에너지과", parameters=line)  # fmt: skip
    with transaction(CITY) as tx:
        assert [plan.version for plan in plans(tx, CITY, project.id)] == [2, 1]
    html = official.get(reverse("project-plan", args=[project.id])).content.decode()
    assert "<del>1 h</del>" in html
    html = official.get(reverse("project-members", args=[project.id])).content.decode()
    assert "소나무" in html
    assert "철거" in html


def test_a_legal_duty_is_recorded_and_taken_back_by_another(hall: CityHall, project, as_user):
    official, approver = as_user(hall.official), as_user(hall.approver)
    assert "적어" in do(official, project, "duty", law="시험법 제1조", text="의무",
                        in_force_on="2025-06-10")  # fmt: skip
    with transaction(CITY) as tx:
        (duty,) = duties(tx, CITY, project)
    mine = {"duty": str(duty.id), "reason": "잘못"}
    assert "다른 담당자" in do(official, project, "withdraw", **mine)
    assert "적어" in do(approver, project, "withdraw", **mine)
    html = official.get(reverse("project-plan", args=[project.id])).content.decode()
    assert "시험법" in html


def test_coverage_and_differences_are_shown(hall: CityHall, as_user):
    official = as_user(hall.official)
    page = reverse("project-data", args=[hall.project.id])
    html = official.get(page).content.decode()
    assert html.count("<rect") > 30
    assert 'class="day day--4"' in html
    with transaction(CITY) as tx:
        other = granted(footprint.quantify(
            tx, CITY, "solar-self-consumption", {"generation": hall.run.lines[0].meter},
            {"capacity_kw": "900", "no_export": True}, hall.run.period,
            footprint.FactorAuthority("kr-offset", "kr-grid-2021", "consumption", "SAR"),
            str(hall.official.pk), CLOCK,
        ))  # fmt: skip
        device = granted(footprint_device(tx, hall))
        assert add_calibration(tx, CITY, device.id, date(2025, 1, 1), date(2026, 1, 1), "C",
                               str(hall.official.pk), CLOCK) is None  # fmt: skip
    path = reverse("project-difference", args=[hall.project.id])
    html = official.get(f"{path}?a={hall.run.id}&b={other.id}").content.decode()
    assert "parameters.capacity_kw" in html
    assert "-100" in html
    assert "kr-grid-2021" in html
    assert "두 산정을 고르세요" in official.get(path).content.decode()


def footprint_device(tx, hall: CityHall):
    from onsil.footprint.projects import link_device

    return link_device(tx, CITY, hall.project.id, "generation", hall.run.lines[0].meter,
                       date(2025, 1, 1), str(hall.official.pk), CLOCK)  # fmt: skip


def test_english_readers_get_an_english_workspace(hall: CityHall, project, as_user):
    client = as_user(hall.official)
    client.cookies["django_language"] = "en"
    html = client.get(reverse("project-members", args=[project.id])).content.decode()
    assert "Sites and meters" in html
    assert "Have it validated" in client.get(
        reverse("console-project", args=[project.id])
    ).content.decode()  # fmt: skip


def test_a_heat_map_has_a_square_a_day():
    days = [DayCoverage(date(2025, 6, d), 24, used, 24 - used, 0)
            for d, used in ((1, 24), (2, 23), (3, 12), (4, 0))]  # fmt: skip
    made = heat_map("generation", days)
    assert [s.css for s in made.squares] == [
        "day day--4", "day day--3", "day day--1", "day day--0",
    ]  # fmt: skip
    assert made.squares[0].y > made.squares[1].y  # Sunday stands below Monday
    assert [day.day.day for day in made.thin] == [2, 3, 4]


def test_only_what_differs_is_told():
    part = differ("x", [("a", "1"), ("b", "x"), ("c", "5")], [("a", "3"), ("b", "x"), ("d", "y")])
    assert [(line.name, line.change) for line in part.lines] == [("a", 2), ("c", None), ("d", None)]
    assert part.same == 1


def test_what_is_told_is_one_message(hall: CityHall, project, as_user):
    answer = as_user(hall.approver).post(
        reverse("project-do", args=[project.id, "design"]),
        {"structure": "single", "developer": "x"}, follow=True,
    )  # fmt: skip
    assert said(answer) == "이 일을 할 역할이 없어 아무것도 바뀌지 않았습니다."
