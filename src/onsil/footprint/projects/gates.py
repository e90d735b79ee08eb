"""The data that must be in order before a step: each gate a question to the database."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

from onsil.core.database import Connection
from onsil.core.periods import days_of
from onsil.core.refusal import Refusal
from onsil.footprint import rows as stored_rows
from onsil.footprint.projects import coverage
from onsil.footprint.projects.additionality import (
    TESTS,
    duties,
    duty_against,
    evidences,
    not_shown,
)
from onsil.footprint.projects.devices import devices
from onsil.footprint.projects.findings import open_findings
from onsil.footprint.projects.membership import current_design, sites
from onsil.footprint.projects.plans import plan_in_force
from onsil.footprint.projects.validation import GATES
from onsil.footprint.projects.verification import Bench, bench, engagements
from onsil.footprint.projects.vintages import rule_for, submission
from onsil.footprint.projects.workflow import months_later
from onsil.footprint.terms import Claim, Monitoring, Project, Run

_TEST_WORDS = {
    "legal-surplus": ("법적 추가성", "legal surplus"),
    "investment": ("경제적 추가성", "investment analysis"),
    "common-practice": ("관행 분석", "common practice"),
}


@dataclass(frozen=True)
class Asked:
    """Whom a gate is asked about; `claims` are those of a submission that is being made."""

    conn: Connection
    city: str
    owner: Project
    monitored: Monitoring | None
    claim_ids: Sequence[UUID]
    today: date
    zone: ZoneInfo

    @property
    def claims(self) -> list[Claim]:
        found = (stored_rows.claim_of(self.conn, self.city, one) for one in self.claim_ids)
        return [one for one in found if one is not None]

    @property
    def runs(self) -> list[Run]:
        ids = sorted({one.run_id for one in self.claims})
        found = (stored_rows.run(self.conn, self.city, one) for one in ids)
        return [one for one in found if one is not None]

    @property
    def monitoring_id(self) -> UUID | None:
        return self.monitored.id if self.monitored else None


def shut(asked: Asked, gates: Sequence[str]) -> Refusal | None:
    """The first gate that is shut, as the refusal it answers with; None when all are open."""
    for gate in gates:
        name, _, parameter = gate.partition(":")
        refusal = _GATES[name](asked, parameter)
        if refusal is not None:
            return refusal
    return None


def _design(asked: Asked, _: str) -> Refusal | None:
    if current_design(asked.conn, asked.city, asked.owner.id) is not None:
        return None
    return _no("design-missing", "사업 개요가 없습니다.", "The project's design is not there.")


def _sites(asked: Asked, _: str) -> Refusal | None:
    if any(one.left_on is None for one in sites(asked.conn, asked.city, asked.owner.id)):
        return None
    return _no("sites-missing", "참여하는 사업장이 없습니다.", "No site takes part.")


def _plan(asked: Asked, _: str) -> Refusal | None:
    day = asked.today if asked.monitored is None else _first_day(asked.monitored, asked.zone)
    # a project that has yet to start is planned ahead
    latest = max(day, asked.owner.starts) if asked.monitored is None else day
    if plan_in_force(asked.conn, asked.city, asked.owner.id, latest) is not None:
        return None
    return Refusal(
        "plan-missing",
        f"{latest}에 유효한 모니터링 계획이 없습니다.",
        f"No monitoring plan is in force on {latest}.",
        {"day": latest.isoformat()},
    )


def _first_day(monitored: Monitoring, zone: ZoneInfo) -> date:
    return next(days_of(monitored.period, zone))


def _devices(asked: Asked, _: str) -> Refusal | None:
    linked = {one.meter for one in devices(asked.conn, asked.city, asked.owner.id)}
    strange = sorted({line.meter for claim in asked.claims for line in claim.lines} - linked)
    if not strange and linked:
        return None
    return Refusal(
        "device-unknown",
        "사업의 계량기로 등록되지 않은 계량기가 있습니다.",
        "Some meters are not named as the project's own.",
        {"meters": strange},
    )


def _calibration(asked: Asked, _: str) -> Refusal | None:
    assert asked.monitored is not None
    days = list(days_of(asked.monitored.period, asked.zone))
    lapsed = {
        one.meter: next((day for day in days if not one.calibrated_on(day)), None)
        for one in devices(asked.conn, asked.city, asked.owner.id)
    }
    bad = {meter: day.isoformat() for meter, day in lapsed.items() if day is not None}
    if not bad:
        return None
    return Refusal(
        "calibration-missing",
        "교정 성적서가 모니터링 기간을 다 덮지 않는 계량기가 있습니다.",
        "The calibration of some meters does not cover the whole period.",
        {"first_day_without": bad},
    )


def _claims(asked: Asked, _: str) -> Refusal | None:
    if asked.claim_ids:
        return None
    return _no("no-claims", "제출할 청구가 없습니다.", "There are no claims to submit.")


def _coverage(asked: Asked, parameter: str) -> Refusal | None:
    least = Decimal(parameter or "90")
    thin = {}
    for run in asked.runs:
        texts = stored_rows.run_texts(asked.conn, asked.city, run.id)
        assert texts is not None
        for role, found in coverage.roles(json.loads(texts["outputs"])).items():
            share = Decimal(100 * int(found["used"])) / max(1, int(found["expected"]))
            if share < least and not role.startswith("baseline"):
                thin[f"{run.id} {role}"] = str(round(share, 2))
    if not thin:
        return None
    return Refusal(
        "coverage-thin",
        f"쓴 구간이 {least} %에 못 미치는 계열이 있습니다.",
        f"Less than {least} % of the intervals of a series were used.",
        {"used_pct": thin, "least_pct": str(least)},
    )


def _method_version(asked: Asked, _: str) -> Refusal | None:
    versions = {(run.methodology, run.version) for run in asked.runs}
    if len(versions) <= 1 and all(name == asked.owner.methodology for name, _ in versions):
        return None
    return Refusal(
        "method-version",
        "한 기간의 산정은 사업의 방법론, 같은 판이어야 합니다.",
        "The runs of a period are of the project's methodology, in one version.",
        {"versions": sorted(f"{name} {version}" for name, version in versions)},
    )


def _additionality(asked: Asked, _: str) -> Refusal | None:
    every = evidences(asked.conn, asked.city, asked.owner.id)
    missing = not_shown(every, asked.today)
    if not missing:
        return _no_legal_duty(asked, "")
    return Refusal(
        "additionality-missing",
        f"추가성이 확인되지 않았습니다: {', '.join(_TEST_WORDS[one][0] for one in missing)}.",
        f"Additionality is not shown: {', '.join(_TEST_WORDS[one][1] for one in missing)}.",
        {"missing": missing, "tests": list(TESTS)},
    )


def _no_legal_duty(asked: Asked, _: str) -> Refusal | None:
    ends = [one.period.end for one in asked.claims]
    if not ends and asked.monitored is None:
        day = max(asked.today, asked.owner.starts)
        every = duties(asked.conn, asked.city, asked.owner)
        first = next(
            (one.in_force_on for one in every if one.stands and one.in_force_on <= day), None
        )
        if first is None:
            return None
        return Refusal(
            "legal-duty",
            f"{first}부터 법에 따른 의무이므로 추가성이 없습니다.",
            f"From {first} it is a legal duty, so it is not additional.",
            {"in_force_on": first.isoformat()},
        )
    if not ends:
        return None
    return duty_against(asked.conn, asked.city, asked.owner, max(ends))


def _benches(asked: Asked, purpose: str = "") -> list[Bench]:
    """Engagements for this subject, the newest first."""
    return [
        bench(asked.conn, asked.city, one)
        for one in engagements(asked.conn, asked.city, asked.owner.id)
        if one.monitoring_id == asked.monitoring_id and purpose in ("", one.purpose)
    ]


def _engagement(asked: Asked, purpose: str) -> Refusal | None:
    if any(
        one.engagement.starts_on <= asked.today <= one.engagement.accredited_until
        for one in _benches(asked, purpose)
    ):
        return None
    return _no(
        "engagement-missing",
        "일을 맡은 검증기관이 없거나 인정 기간이 지났습니다.",
        "No verification body with a valid accreditation is engaged.",
    )


def _site_visit(asked: Asked, months: str) -> Refusal | None:
    visits = [visit.visited_on for one in _benches(asked) for visit in one.visits]
    last = max(visits, default=None)
    if last is not None and asked.today <= months_later(last, int(months)):
        return None
    return Refusal(
        "site-visit-missing",
        f"최근 {months}개월 안의 현장 확인이 없습니다.",
        f"There is no site visit within the last {months} months.",
        {"last": last.isoformat() if last else None, "months": int(months)},
    )


def _opinion(asked: Asked, purpose: str) -> Refusal | None:
    given = [opinion for one in _benches(asked, purpose) for opinion in one.opinions]
    newest = max(given, key=lambda one: str(one.id), default=None)
    if newest is not None and newest.outcome in ("positive", "qualified"):
        return None
    return Refusal(
        "opinion-missing",
        "검증기관의 적정 의견이 없습니다.",
        "The verification body has given no positive opinion.",
        {"newest": newest.outcome if newest else None},
    )


def _findings(asked: Asked, _: str) -> Refusal | None:
    waiting = open_findings(asked.conn, asked.city, asked.owner.id, asked.monitoring_id)
    if not waiting:
        return None
    return Refusal(
        "findings-open",
        f"닫히지 않은 지적이 있습니다: {', '.join(one.name for one in waiting)}.",
        f"Findings are still open: {', '.join(one.name for one in waiting)}.",
        {"findings": [one.number for one in waiting]},
    )


def _submission(asked: Asked, _: str) -> Refusal | None:
    assert asked.monitored is not None
    rule = rule_for(asked.owner.programme, asked.owner.methodology)
    return submission(rule, asked.monitored.period, asked.today, asked.zone)


_GATES: dict[str, Callable[[Asked, str], Refusal | None]] = {
    "additionality": _additionality, "calibration": _calibration, "claims": _claims,
    "coverage": _coverage, "design": _design, "devices": _devices, "engagement": _engagement,
    "findings": _findings, "method-version": _method_version, "no-legal-duty": _no_legal_duty,
    "opinion": _opinion, "plan": _plan, "site-visit": _site_visit, "sites": _sites,
    "submission": _submission,
}  # fmt: skip
assert set(_GATES) == GATES


def _no(code: str, ko: str, en: str) -> Refusal:
    return Refusal(code, ko, en)
