"""The plan's desk: what it shows, who may change what, and that the review takes two people."""

from decimal import Decimal
from io import BytesIO

import pytest
from city_hall import CITY, CLOCK, user
from django.urls import reverse
from openpyxl import load_workbook

from onsil.citizen.models import Role
from onsil.console.targets import board
from onsil.console.targets.cityplan import levers
from onsil.footprint import inventory, targets
from onsil.tenancy import transaction
from onsil.tenancy.cities import city as city_profile


@pytest.fixture
def official(db, city, as_user):
    return as_user(user("plan-official", Role.OFFICIAL))


@pytest.fixture
def plan(official) -> targets.Plan:
    official.post(reverse("targets-load"))
    with transaction(CITY) as conn:
        return targets.plans(conn, CITY)[0]


def text(client, name, *args, status=200, **query):
    answer = client.get(reverse(name, args=args), query)
    assert answer.status_code == status
    return answer.content.decode()


def post(client, name, *args, **data):
    return client.post(reverse(name, args=args), data, follow=True).content.decode()


def test_without_a_plan_the_desk_says_how_to_begin(official):
    assert "도시 폴더의 계획 불러오기" in text(official, "targets")
    assert "아직 이행 계획이 없습니다" in text(official, "targets-pathway")


def test_the_citys_plan_is_read_in_once(official, plan):
    post(official, "targets-load")
    with transaction(CITY) as conn:
        assert len(targets.plans(conn, CITY)) == 1
        measures = targets.measures(conn, CITY, plan.id)
        assert {m.revision for m in measures} == {1}
    whole = text(official, "targets", year=2026)
    assert "태양광 현장 100곳 연계" in whole
    assert "확인 필요" in whole
    assert "PET 회수와 재활용" not in text(official, "targets", green="building")
    assert "B-1" in text(official, "targets", format="csv")


def test_a_measure_gets_targets_and_evidence(official, plan, hall):
    with transaction(CITY) as conn:
        one = targets.measure_by_code(conn, CITY, plan.id, "B-1")
    assert one is not None
    told = post(official, "targets-target", one.id, year=2025, co2e_t="10")
    assert "연도 목표를 적었습니다" in told
    told = post(official, "targets-link", one.id, year=2025, kind="run", subject=str(hall.run.id))
    assert "근거를 이었습니다" in told
    told = post(official, "targets-link", one.id, year=2026, kind="run", subject=str(hall.run.id))
    assert "안에 있지 않습니다" in told
    with transaction(CITY) as conn:
        (found,) = targets.evidence(conn, CITY, [one.id])
    assert found.co2e_t == hall.run.co2e_t
    assert "근거를 거두었습니다" in post(official, "targets-withdraw", found.id, reason="시험")
    assert "거둠" in text(official, "targets-measure", one.id)


def test_terms_and_goals_change_with_a_record(official, plan):
    with transaction(CITY) as conn:
        one = targets.measure_by_code(conn, CITY, plan.id, "B-2")
    assert one is not None
    stated = {
        name: getattr(one.terms, name) for name in targets.MeasureTerms.__dataclass_fields__
    } | {"code": "B-2", "owner_ko": "기후과"}
    assert "사유를 적어" in post(official, "targets-terms", one.id, **stated)
    assert "바꾸었습니다" in post(official, "targets-terms", one.id, **stated, reason="조직 개편")
    assert "이미 있습니다" in post(official, "targets-add", plan.id, **stated)
    told = post(official, "targets-add", plan.id, **(stated | {"code": "B-9"}))
    assert "과제를 더했습니다" in told
    told = post(
        official,
        "targets-goal",
        plan.id,
        year=2040,
        kind="reduction-pct",
        value="70",
        source="시험",
    )
    assert "목표를 적었습니다" in told
    told = post(official, "targets-goal", plan.id, year=2040, kind="reduction-pct", value="170",
                source="시험")  # fmt: skip
    assert "목표가 올바르지 않습니다" in told


def test_a_review_takes_two_people_and_goes_out_as_a_workbook(official, plan, as_user):
    address = ("targets-review-act", plan.id, 2026)
    assert "이행점검 시작" in text(official, "targets-review", plan.id, 2026)
    post(official, *address, "open")
    with transaction(CITY) as conn:
        measures = targets.measures(conn, CITY, plan.id)
    assert "점검하지 않은 과제" in post(official, *address, "submit")
    for one in measures:
        post(
            official, *address, "judge", measure=one.id, verdict="not-started", comment="예산 대기"
        )
    assert "승인을 기다림" in post(official, *address, "submit")
    assert "역할이 아닙니다" in post(official, *address, "approve")
    book = official.get(reverse("targets-review", args=(plan.id, 2026)), {"format": "xlsx"})
    sheet = load_workbook(BytesIO(book.content)).active
    assert sheet is not None
    assert [row[0].value for row in sheet.iter_rows(min_row=6)] == [m.code for m in measures]
    approver = as_user(user("plan-approver", Role.APPROVER))
    assert "승인됨" in post(approver, *address, "approve")
    with transaction(CITY) as conn:
        found = targets.review_of_year(conn, CITY, plan.id, 2026)
    assert found is not None
    assert (found.status, bool(found.sha256)) == ("approved", True)


def test_what_if_shows_planned_figures_as_planned(official, plan):
    whole = text(official, "targets-pathway", first=2027, last=2030, growth_pct=0,
                 units_ev="20000", units_solar="0", units_led="")  # fmt: skip
    assert "계획값 – 실측 아님" in whole
    assert "20,000" in whole
    assert "40년 안에" in text(
        official, "targets-pathway", first=2027, last=2090, growth_pct=0, units_ev="1"
    )


def test_the_gap_is_told_in_tonnes_once_the_base_year_is_known(official, plan, monkeypatch):
    with transaction(CITY) as conn:
        base = targets.plan(conn, CITY, plan.id)
    assert base is not None
    assert "톤이 아니라 비율로" in text(official, "targets-pathway")
    assert "톤으로 비교할 수 없습니다" in text(official, "targets-review", plan.id, 2026)
    known = {base.base_year: Decimal(1_000_000), 2025: Decimal(900_000)}
    monkeypatch.setattr(inventory, "totals_by_year", lambda conn, city: known)
    whole = text(official, "targets-pathway")
    assert "기준연도 배출량을 무엇으로 줄이나" in whole
    assert "목표까지의 차이 (tCO₂e)" in whole
    review = text(official, "targets-review", plan.id, 2025)
    assert "목표를 넘은 양" in review
    assert "톤으로 비교할 수 없습니다" not in review


def test_every_lever_of_the_city_is_accepted_by_its_methodology(db, city):
    profile = city_profile(CITY)
    stated = levers(profile)
    assert {one.lever.code for one in stated} >= {"ev", "solar", "led"}
    full = {one.lever.code: one.default_units for one in stated}
    found = board.effects(
        [one.lever for one in stated], full, 2030, 2030, 2030, CLOCK.now().date(), profile.zone
    )
    assert [(e.lever, e.refusal) for e in found if e.refusal is not None] == []
    assert all(e.co2e_t and e.co2e_t > 0 for e in found)


def test_units_come_in_even_steps():
    found = board.units_by_year(Decimal(100), 2026, 2029, 2030)
    assert list(found.values()) == [25, 50, 75, 100, 100]


def test_who_may_not_change(db, city, plan, as_user):
    verifier = as_user(user("plan-verifier", Role.VERIFIER))
    text(verifier, "targets")
    for name, args in (("targets-load", ()), ("targets-goal", (plan.id,))):
        assert verifier.post(reverse(name, args=args)).status_code == 403
    citizen = as_user(user("plan-citizen", Role.CITIZEN))
    text(citizen, "targets", status=403)
