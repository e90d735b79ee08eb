"""A project on the full offset route: validated, registered, monitored, verified, certified.

Three people of the demonstration act, each for one side: the official for the developer, the
verifier for the verification body, the approver for the registry. Each stage is one transaction, so
that a demonstration broken off in the middle goes on where it stood.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from onsil import footprint, hub
from onsil.core.clock import SystemClock
from onsil.core.periods import local_year
from onsil.core.refusal import Refusal
from onsil.demonstration.cast import Cast
from onsil.demonstration.loop import granted
from onsil.demonstration.papers import Papers
from onsil.demonstration.runs import OFFICE, YEAR, MoreRuns
from onsil.demonstration.shipped import OFFICE_SHIFT, published_office_kwh
from onsil.footprint import credits, quality, reports
from onsil.footprint.projects import (
    Design,
    Engagement,
    Evidence,
    Finding,
    MonitoringPlan,
    Opinion,
    Sample,
    Site,
    SiteVisit,
    add_calibration,
    add_document,
    add_evidence,
    answer_finding,
    close_finding,
    engage,
    give_opinion,
    join_site,
    link_device,
    raise_finding,
    record_sample,
    record_visit,
    set_design,
    set_plan,
    standing,
    take_step,
)
from onsil.tenancy import current_city, transaction
from onsil.tenancy.cities import city as city_profile

CLOCK = SystemClock()
CODE, ROUTE = "DEMO-OFFICE-1", "kr-offset"
_STARTS, _ENDS = date(2025, 1, 1), date(2032, 1, 1)
_SAMPLE = 30
_SEED = "demo-office-1"
_SHOWN = "시연에서 절차를 보이기 위한 것으로, 실제 확인이 아닙니다."
_PLAN = MonitoringPlan(
    _STARTS,
    (
        {"id": "E", "ko": "전력 사용량", "en": "Electricity use", "unit": "kWh",
         "source": "건물 전체 전력량계", "frequency": "하루", "quality": "고지서와 월별 대조"},
        {"id": "T", "ko": "외기 온도", "en": "Outdoor temperature", "unit": "°C",
         "source": "기상 관측", "frequency": "하루", "quality": "하루의 75 % 이상 관측"},
    ),
    "늦게 들어온 자료가 있으면 다시 산정하고 앞선 산정을 남깁니다.",
    "데모 담당 공무원",
)  # fmt: skip


@dataclass(frozen=True)
class Certified:
    """The project and its certified period, with the units issued for it."""

    project: footprint.Project
    monitoring: footprint.Monitoring
    batches: tuple[footprint.CreditBatch, ...]


class _Walk:
    """One project, who acts for which side, and the papers of its run."""

    def __init__(self, tx: Any, cast: Cast, runs: MoreRuns, claim: footprint.Claim) -> None:
        self.tx, self.city = tx, current_city()
        people = (cast.official, cast.approver, cast.verifier)
        self.official, self.approver, self.verifier = (f"user:{one.pk}" for one in people)
        self.by_role = {
            "official": self.official, "approver": self.approver, "verifier": self.verifier,
        }  # fmt: skip
        self.run, self.first, self.claim = runs.office, runs.first, claim
        self.project = granted(footprint.register_project(
            tx, self.city,
            footprint.ProjectSpec(
                CODE, "데모 업무 건물 에너지 절감", "Demo office energy savings", "kr-offset",
                OFFICE, _STARTS, _ENDS,
            ),
            self.official, CLOCK, route=ROUTE,
        ))  # fmt: skip
        self.today = CLOCK.now().astimezone(city_profile(self.city).zone).date()

    def state(self, monitoring: UUID | None = None) -> str:
        status = "open"
        if monitoring is not None:
            found = footprint.monitoring(self.tx, self.city, monitoring)
            assert found is not None
            status = found.status
        at = standing(self.tx, self.city, self.project.id, monitoring, status)
        return at.state

    def step(self, transition: str, role: str, monitoring: UUID | None = None) -> None:
        granted(take_step(
            self.tx, self.city, self.project.id, transition, self.by_role[role], CLOCK,
            roles={role}, monitoring_id=monitoring,
        ))  # fmt: skip

    def paper(self, kind: str, role: str, monitoring: UUID | None = None) -> UUID:
        details = footprint.run_details(self.tx, self.city, self.run.id)
        assert details is not None
        papers = Papers(
            self.project, self.run, details["outputs"], city_profile(self.city).name("ko"),
            CLOCK.now(), self.claim,
        )  # fmt: skip
        return granted(add_document(
            self.tx, self.city, self.project.id, papers.upload(kind), self.by_role[role], CLOCK,
            monitoring,
        )).id  # fmt: skip

    def engaged(self, monitoring: UUID | None = None) -> UUID:
        made = granted(engage(
            self.tx, self.city, self.project.id,
            Engagement(
                "verification" if monitoring else "validation", "데모 검증기관 (시연)",
                "시연: 인정 번호 없음", "시연: 건물 에너지", self.today + timedelta(days=730),
                self.today, self.today + timedelta(days=180),
                "시연: 사업자와 다른 사람이 맡습니다.", (self.verifier,), monitoring,
            ),
            self.official, CLOCK,
        ))  # fmt: skip
        assert made.id is not None
        return made.id

    def finding(self, terms: Finding, answer: str, closing: str) -> None:
        """Raised by the body, answered by the developer, closed by the body."""
        made = granted(raise_finding(
            self.tx, self.city, self.project.id, terms, self.verifier, CLOCK
        ))  # fmt: skip
        assert made.id is not None
        granted(answer_finding(
            self.tx, self.city, made.id, answer, self.official, CLOCK
        ))  # fmt: skip
        granted(close_finding(
            self.tx, self.city, made.id, closing, self.verifier, CLOCK
        ))  # fmt: skip

    def opine(self, engagement: UUID, text: str, document: UUID) -> None:
        """A visit in name, and a positive opinion with its paper."""
        refusal = record_visit(
            self.tx, self.city, engagement,
            SiteVisit(self.today, f"현장 확인 절차. {_SHOWN}", self.verifier), CLOCK,
        )  # fmt: skip
        assert refusal is None, refusal
        granted(give_opinion(
            self.tx, self.city, engagement,
            Opinion("positive", "reasonable", self.claim.co2e_t, Decimal(0), text,
                             document_id=document),
            self.verifier, CLOCK,
        ))  # fmt: skip


def walk(runs: MoreRuns, claim: footprint.Claim, cast: Cast, zone: ZoneInfo) -> Certified:
    """Take the project all the way; what has been done stays as it is.

    Raises DemonstrationFailed when a step is refused.
    """
    with transaction() as tx:
        here = _Walk(tx, cast, runs, claim)
        if here.state() == "planned":
            _registered(here)
    with transaction() as tx:
        here = _Walk(tx, cast, runs, claim)
        every = footprint.monitorings(tx, here.city, here.project.id)
        if not every:
            _certified(here, zone)
    with transaction() as tx:
        here = _Walk(tx, cast, runs, claim)
        (monitoring,) = footprint.monitorings(tx, here.city, here.project.id)
        return _issued(here, monitoring, zone)


def _registered(here: _Walk) -> None:
    """Design, site, plan, additionality, validation with a question asked, approval."""
    tx, city, project = here.tx, here.city, here.project.id
    granted(set_design(
        tx, city, project,
        Design("single", "데모 사업자 (시연)", "건물 한 동의 전체 전력 (실측 재생)"),
        here.official, CLOCK,
    ))  # fmt: skip
    granted(join_site(
        tx, city, project,
        Site("demo-office-1", "데모 업무 건물 1", "Demo office 1", _STARTS,
                      round(here.claim.co2e_t, 2)),
        here.official, CLOCK,
    ))  # fmt: skip
    granted(set_plan(tx, city, project, _PLAN, here.official, CLOCK))
    papers = [here.paper(kind, "official") for kind in ("project-plan", "additionality-evidence")]
    for test in ("legal-surplus", "investment", "common-practice"):
        granted(add_evidence(
            tx, city, project,
            Evidence(test, True, _SHOWN, here.today, document_id=papers[1]),
            here.official, CLOCK,
        ))  # fmt: skip
    engagement = here.engaged()
    here.step("request-validation", "official")
    here.finding(
        Finding(
            "CL", "minor", "모형을 고른 근거", "요일과 기온 모형(TOWT)을 결과를 보기 전에 정했는지"
            " 밝혀 주십시오.", run_id=here.run.id, document_id=papers[0],
        ),
        "모형은 산정의 매개변수로 먼저 적었고, 산정 입력의 해시가 로그에 있습니다.",
        "입력의 해시를 확인했습니다.",
    )  # fmt: skip
    here.opine(engagement, f"계획이 방법론에 맞습니다. {_SHOWN}",
               here.paper("feasibility-report", "verifier"))  # fmt: skip
    here.step("validate", "verifier")
    here.step("request-approval", "official")
    here.paper("review-minutes", "approver")
    here.step("register", "approver")


def _certified(here: _Walk, zone: ZoneInfo) -> None:
    """The year monitored, handed in, verified with a correction asked for, and certified."""
    tx, city, project = here.tx, here.city, here.project.id
    _meter(here)
    period = granted(footprint.open_monitoring_period(
        tx, city, project, local_year(YEAR, zone), here.official, CLOCK, zone
    )).id  # fmt: skip
    here.paper("monitoring-report", "official", period)
    granted(footprint.submit_monitoring(
        tx, city, period, [here.claim.id], here.official, CLOCK, zone, {"official"}
    ))  # fmt: skip
    engagement = here.engaged(period)
    here.step("engage", "official", period)
    refusal = record_sample(tx, city, engagement, _sample(here, zone), CLOCK)
    assert refusal is None, refusal
    here.finding(
        Finding(
            "CAR", "material", "12월 자료가 빠진 산정", "처음 산정에는 12월의 31일이 빠져 있습니다."
            " 자료가 들어온 뒤 다시 산정해 주십시오.", monitoring_id=period, run_id=here.first.id,
        ),
        f"자료가 들어와 다시 산정했습니다: {here.run.id}. 청구는 다시 산정한 것으로만 했습니다.",
        "다시 산정한 결과와 두 산정의 차이를 확인했습니다.",
    )  # fmt: skip
    here.opine(engagement, f"보고한 감축량에 중요한 오류가 없습니다. {_SHOWN}",
               here.paper("verification-report", "verifier", period))  # fmt: skip
    here.step("verify", "verifier", period)
    here.step("request-certification", "official", period)
    here.step("certify", "approver", period)


def _meter(here: _Walk) -> None:
    """The claim's meter as the project's own, with a certificate that says that it is none."""
    for line in here.claim.lines:
        device = granted(link_device(
            here.tx, here.city, here.project.id, "electricity", line.meter, _STARTS,
            here.official, CLOCK,
        ))  # fmt: skip
        if not device.calibrated:
            refusal = add_calibration(
                here.tx, here.city, device.id, _STARTS, date(2027, 1, 1),
                "시연: 성적서 번호 없음", here.official, CLOCK,
            )  # fmt: skip
            assert refusal is None, refusal


def _sample(here: _Walk, zone: ZoneInfo) -> Sample:
    """Days drawn by a seed, each compared with the line of the published file it came from."""
    entity, _, attribute = here.claim.lines[0].meter.partition("#")
    series = hub.find_series(here.tx, here.city, entities=[entity], attribute=attribute)
    year = local_year(YEAR, zone)
    totals = hub.daily_totals(here.tx, here.city, [series[0].id], year, zone)[series[0].id]
    stored = {str(one.day): one.total for one in totals}
    published = published_office_kwh()
    drawn = quality.drawn(_SEED, sorted(stored), _SAMPLE)
    wrong = [
        day for day in drawn
        if stored[day] != 1000 * published[date.fromisoformat(day) - OFFICE_SHIFT]
    ]  # fmt: skip
    return Sample(
        here.run.id, _SEED, len(stored), len(drawn), len(wrong), Decimal(0),
        "저장한 날의 값을 공개된 원자료와 견줌", here.verifier,
    )  # fmt: skip


def _issued(here: _Walk, monitoring: footprint.Monitoring, zone: ZoneInfo) -> Certified:
    """The units of the certified period, and its monitoring report kept for good."""
    batches = granted(credits.issue_vintages(
        here.tx, here.city, monitoring.id, here.approver, CLOCK, zone
    ))  # fmt: skip
    if not reports.kept_reports(here.tx, here.city, monitoring.id):
        made = granted(reports.monitoring_report(
            here.tx, here.city, city_profile(here.city).name("ko"), monitoring.id, "ko",
            datetime.now(UTC), zone,
        ))  # fmt: skip
        granted(reports.keep_report(here.tx, here.city, made, here.official, CLOCK))
    found = footprint.monitoring(here.tx, here.city, monitoring.id)
    assert found is not None
    return Certified(here.project, found, tuple(batches))


def refused_alone(certified: Certified, cast: Cast) -> bool:
    """Whether the one who handed the period in is refused when he wants to certify it too."""
    with transaction() as tx:
        answer = footprint.approve_monitoring(
            tx, current_city(), certified.monitoring.id, f"user:{cast.official.pk}", CLOCK
        )
    return isinstance(answer, Refusal)
