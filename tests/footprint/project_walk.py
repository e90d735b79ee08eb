"""A project on a route, with all that its steps ask for, walked from step to step."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from footprint_world import CITY, SEOUL, World, site

from onsil import footprint
from onsil.core.clock import FixedClock
from onsil.core.refusal import Refusal
from onsil.footprint import projects as _function
from onsil.footprint.projects import (
    Design,
    Engagement,
    Evidence,
    MonitoringPlan,
    Opinion,
    Site,
    SiteVisit,
    Step,
    Upload,
    add_calibration,
    add_document,
    add_evidence,
    engage,
    engagements,
    give_opinion,
    join_site,
    link_device,
    record_visit,
    set_design,
    set_plan,
    standing,
    take_step,
)

assert callable(_function)  # the room's function and this package share a name
OFFICIAL, APPROVER, VERIFIER = "user:1", "user:2", "user:3"
ROLE_OF = {"official": OFFICIAL, "approver": APPROVER, "verifier": VERIFIER}
PLAN = MonitoringPlan(
    date(2025, 1, 1),
    (
        {"id": "EG", "ko": "발전량", "en": "Generation", "unit": "kWh", "source": "meter",
         "frequency": "1 h", "quality": "calibrated every two years"},
    ),
    "Monthly cross-check with the bill", "The city's energy desk",
)  # fmt: skip


def fine(answer):
    """What was asked for; fails the test with the refusal's words."""
    assert not isinstance(answer, Refusal), f"{answer.code}: {answer.en} {answer.facts}"
    return answer


@dataclass
class Walk:
    """Short cuts around one project of a route; `today` moves with the clock."""

    world: World
    project: footprint.Project
    clock: FixedClock

    @classmethod
    def on(cls, world: World, route: str, programme: str = "kr-offset", code: str = "WALK-1"):
        spec = footprint.ProjectSpec(
            code, "시험 사업", "Test project", programme, "solar-self-consumption",
            date(2025, 1, 1), date(2032, 1, 1) if route == "kr-offset" else date(2055, 1, 1),
        )  # fmt: skip
        clock = FixedClock(datetime(2025, 1, 10, tzinfo=UTC))
        made = fine(
            footprint.register_project(world.conn, CITY, spec, OFFICIAL, clock, route=route)
        )
        return cls(world, made, clock)

    def later(self, days: int) -> None:
        self.clock.instant += timedelta(days=days)

    @property
    def today(self) -> date:
        return self.clock.now().astimezone(SEOUL).date()

    def prepare(self) -> None:
        """Design, one site, a plan, additionality: what a plan needs before it is validated."""
        conn, here = self.world.conn, self.project.id
        fine(set_design(conn, CITY, here, Design("bundle", "시험 시청", "옥상 태양광"),
                        OFFICIAL, self.clock))  # fmt: skip
        fine(join_site(conn, CITY, here, Site(
            "S-1", "도서관", "Library", date(2025, 1, 1), Decimal(90), site(1), Decimal(99), "kW"
        ), OFFICIAL, self.clock))  # fmt: skip
        fine(set_plan(conn, CITY, here, PLAN, OFFICIAL, self.clock))
        for test in ("legal-surplus", "investment", "common-practice"):
            fine(add_evidence(conn, CITY, here, Evidence(test, True, "확인", date(2025, 1, 5)),
                              OFFICIAL, self.clock))  # fmt: skip

    def paper(self, kind: str, monitoring: UUID | None = None) -> None:
        upload = Upload(kind, kind, "ko", f"{kind}.pdf", "application/pdf",
                        f"{kind} {monitoring}".encode())  # fmt: skip
        fine(add_document(self.world.conn, CITY, self.project.id, upload, OFFICIAL, self.clock,
                          monitoring))  # fmt: skip

    def engaged(self, monitoring: UUID | None = None) -> Engagement:
        purpose = "verification" if monitoring else "validation"
        terms = Engagement(
            purpose, "시험 검증원", "시험 인정 1호", "energy", date(2090, 1, 1), self.today,
            self.today + timedelta(days=300), "이해관계 없음을 확인", (VERIFIER,), monitoring,
        )  # fmt: skip
        return fine(engage(self.world.conn, CITY, self.project.id, terms, OFFICIAL, self.clock))

    def judged(self, monitoring: UUID | None = None, outcome: str = "positive") -> None:
        """A site visit and an opinion under the newest engagement of this subject."""
        conn = self.world.conn
        of = next(e for e in engagements(conn, CITY, self.project.id)
                  if e.monitoring_id == monitoring)  # fmt: skip
        assert of.id is not None
        assert record_visit(conn, CITY, of.id, SiteVisit(self.today, "봄", VERIFIER), self.clock) \
            is None  # fmt: skip
        fine(give_opinion(conn, CITY, of.id, Opinion(
            outcome, "reasonable", Decimal(100), Decimal("4.9"), "의견"), VERIFIER, self.clock
        ))  # fmt: skip

    def step(self, transition: str, actor: str | None = None, monitoring: UUID | None = None,
             **more) -> Step | Refusal:  # fmt: skip
        """Take a step as the person of its role, unless somebody else is named."""
        at = standing(self.world.conn, CITY, self.project.id, monitoring)
        found = at.workflow.transition(transition)
        assert found is not None, transition
        who = actor or ROLE_OF[found.role]
        return take_step(
            self.world.conn, CITY, self.project.id, transition, who, self.clock,
            roles={found.role}, monitoring_id=monitoring, note="note", **more,
        )  # fmt: skip

    def papers_for(self, transition: str, monitoring: UUID | None = None) -> None:
        at = standing(self.world.conn, CITY, self.project.id, monitoring)
        found = at.workflow.transition(transition)
        assert found is not None
        for kind in found.documents:
            self.paper(kind, monitoring)

    def go(self, *transitions: str, monitoring: UUID | None = None) -> None:
        """Walk steps with their papers; fails on the first that is refused."""
        for transition in transitions:
            self.papers_for(transition, monitoring)
            fine(self.step(transition, monitoring=monitoring))

    def state(self, monitoring: UUID | None = None, status: str = "open") -> str:
        return standing(self.world.conn, CITY, self.project.id, monitoring, status).state

    def registered(self) -> None:
        """To the point where periods are monitored."""
        self.prepare()
        if self.project.programme == "kr-offset":
            self.engaged()
            self.go("request-validation")
            self.judged()
            self.go("validate", "request-approval", "register")
            return
        self.go("open-consultation", "request-listing", "list")
        self.engaged()
        self.go("request-validation")
        self.judged()
        self.go("validate")
        self.later(30)
        self.go("certify-design")

    def period(self, first: date = date(2025, 6, 1)) -> tuple[UUID, list[UUID]]:
        """An open period of one day with a claim that fits it, its meter named and calibrated."""
        conn, here = self.world.conn, self.project.id
        run = self.world.solar_run(first=first)
        held = self.world.claimed(run, self.project.programme)
        device = fine(link_device(conn, CITY, here, "generation", run.lines[0].meter,
                                  date(2025, 1, 1), OFFICIAL, self.clock))  # fmt: skip
        assert add_calibration(conn, CITY, device.id, date(2025, 1, 1), date(2027, 1, 1), "C-1",
                               OFFICIAL, self.clock) is None  # fmt: skip
        opened = fine(footprint.open_monitoring_period(
            conn, CITY, here, self.world.day(first), OFFICIAL, self.clock))  # fmt: skip
        return opened.id, [held.id]

    def submit(self, monitoring: UUID, claims: list[UUID], who: str = OFFICIAL):
        return footprint.submit_monitoring(
            self.world.conn, CITY, monitoring, claims, who, self.clock, roles={"official"}
        )
