"""Verification bodies: engagements, site visits, samples and opinions.

Who is engaged is typed by a person with the accreditation he saw; nothing here invents one. That a
body neither is the developer nor has people who took part in the project is held by the database.
"""

import re
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from onsil import proof
from onsil.core.clock import Clock
from onsil.core.database import Connection
from onsil.core.ids import new_id
from onsil.core.refusal import Refusal
from onsil.footprint.projects import journal
from onsil.footprint.projects.findings import open_findings
from onsil.footprint.projects.materiality import THRESHOLD_PCT, assess
from onsil.footprint.projects.membership import current_design
from onsil.footprint.projects.registration import project, unknown_project
from onsil.footprint.projects.terms import DEVELOPER, VVB
from onsil.footprint.projects.workflow import impartial, person
from onsil.footprint.store import execute, lock, rows

PURPOSES = ("validation", "verification")
OUTCOMES = ("positive", "qualified", "adverse", "disclaimed")
_ENGAGEMENT = """SELECT id, project_id, monitoring_id, purpose, organisation, accreditation,
  scopes, accredited_until, starts_on, ends_on, members, independence, actor, created_at
  FROM footprint_engagement"""


@dataclass(frozen=True)
class Engagement:
    """A verification body at work on a project's design or on one of its periods.

    `members` are the accounts of its people here; `independence` is its declaration, in words.
    """

    purpose: str
    organisation: str
    accreditation: str
    scopes: str
    accredited_until: date
    starts_on: date
    ends_on: date
    independence: str
    members: tuple[str, ...] = ()
    monitoring_id: UUID | None = None
    project_id: UUID | None = None
    id: UUID | None = None
    actor: str = ""
    created_at: datetime | None = None


@dataclass(frozen=True)
class Opinion:
    """What a verification body concluded; tonnes without sign, the threshold in per cent."""

    outcome: str
    assurance: str
    reported_t: Decimal
    misstatement_t: Decimal
    text: str
    threshold_pct: Decimal = THRESHOLD_PCT
    document_id: UUID | None = None
    engagement_id: UUID | None = None
    id: UUID | None = None
    actor: str = ""
    created_at: datetime | None = None


@dataclass(frozen=True)
class SiteVisit:
    visited_on: date
    note: str
    actor: str
    site_id: UUID | None = None


@dataclass(frozen=True)
class Sample:
    """A sample of a run's readings that another can draw again from its seed."""

    run_id: UUID
    seed: str
    population: int
    size: int
    deviations: int
    misstatement_t: Decimal
    note: str = ""
    actor: str = ""


@dataclass(frozen=True)
class Bench:
    """An engagement with all that came of it, the newest opinion first."""

    engagement: Engagement
    visits: tuple[SiteVisit, ...] = ()
    samples: tuple[Sample, ...] = ()
    opinions: tuple[Opinion, ...] = field(default=())


def engage(
    conn: Connection, city: str, project_id: UUID, terms: Engagement, actor: str, clock: Clock
) -> Engagement | Refusal:
    """Engage a verification body; the same terms again give the engagement that is there.

    Refused: unknown-project, unknown-monitoring, design-missing (nobody is named as developer),
    engagement-incomplete, dates-invalid, accreditation-expires, vvb-conflict (it is the developer,
    or its people took part in the project), party-conflict.
    """
    if project(conn, city, project_id) is None:
        return unknown_project()
    design = current_design(conn, city, project_id)
    if design is None:
        return _no(
            "design-missing",
            "사업 개요에 사업자를 먼저 적어 주세요.",
            "Please name the developer in the project's design first.",
        )
    refusal = _wrong_terms(conn, city, project_id, terms)
    if refusal is None:
        refusal = _conflict(conn, city, project_id, terms, design.developer, actor)
    if refusal is not None:
        return refusal
    lock(conn, city, [f"engagements {project_id}"])
    same = [e for e in engagements(conn, city, project_id) if _terms(e) == _terms(terms)]
    if same:
        return same[0]
    identifier = new_id()
    execute(
        conn,
        """INSERT INTO footprint_engagement (city, id, project_id, monitoring_id, purpose,
          organisation, developer, accreditation, scopes, accredited_until, starts_on, ends_on,
          members, independence, actor, created_at)
        VALUES (%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s)""",
        (
            city, identifier, project_id, terms.monitoring_id, terms.purpose, terms.organisation,
            design.developer, terms.accreditation, terms.scopes, terms.accredited_until,
            terms.starts_on, terms.ends_on, list(terms.members), terms.independence, actor,
            clock.now(),
        ),
    )  # fmt: skip
    proof.audit(
        conn, city, actor, "project.engagement", "project", str(project_id), None, _terms(terms)
    )
    made = engagement(conn, city, identifier)
    assert made is not None
    return made


def _terms(one: Engagement) -> dict[str, Any]:
    left_out = ("id", "project_id", "actor", "created_at")
    return {k: list(v) if isinstance(v, tuple) else v for k, v in vars(one).items()
            if k not in left_out}  # fmt: skip


def _wrong_terms(
    conn: Connection, city: str, project_id: UUID, terms: Engagement
) -> Refusal | None:
    texts = (terms.organisation, terms.accreditation, terms.scopes, terms.independence)
    if terms.purpose not in PURPOSES or not all(text.strip() for text in texts):
        return _no(
            "engagement-incomplete",
            "기관 이름, 인정 번호와 분야, 독립성 확인을 모두 적어 주세요.",
            "Name the body, its accreditation and scopes, and its declaration of independence.",
        )
    if terms.ends_on < terms.starts_on:
        return _no("dates-invalid", "끝이 시작보다 빠릅니다.", "It ends before it begins.")
    if terms.accredited_until < terms.ends_on:
        return _no(
            "accreditation-expires",
            f"인정이 일을 마치기 전({terms.accredited_until})에 끝납니다.",
            f"Its accreditation ends ({terms.accredited_until}) before the work does.",
        )
    of_period = terms.monitoring_id is not None
    known = not of_period or rows(
        conn,
        """SELECT 1 AS one FROM footprint_monitoring WHERE city = %s AND id = %s
          AND project_id = %s""",
        (city, terms.monitoring_id, project_id),
    )
    if not known or of_period != (terms.purpose == "verification"):
        return _no(
            "unknown-monitoring",
            "검증은 모니터링 기간에, 타당성 평가는 사업에 맡깁니다.",
            "A verification is of a monitoring period, a validation of the project.",
        )
    return None


def _conflict(
    conn: Connection, city: str, project_id: UUID, terms: Engagement, developer: str, actor: str
) -> Refusal | None:
    acts = journal.acts(conn, city, project_id)
    refusal = impartial(DEVELOPER, actor, acts)
    if refusal is not None:
        return refusal
    if _plain(terms.organisation) == _plain(developer):
        return _no(
            "vvb-conflict",
            f"사업자({developer})는 자신의 사업을 검증할 수 없습니다.",
            f"The developer ({developer}) cannot verify its own project.",
        )
    for member in terms.members:
        if person(member) == person(actor) or impartial(VVB, member, acts) is not None:
            return Refusal(
                "vvb-conflict",
                "검증기관 사람 가운데 이 사업의 일을 한 사람이 있습니다.",
                "One of the body's people has taken part in this project.",
                {"member": member},
            )
    return None


def _plain(name: str) -> str:
    return re.sub(r"\s", "", name).lower()


def engagement(conn: Connection, city: str, engagement_id: UUID) -> Engagement | None:
    found = rows(conn, f"{_ENGAGEMENT} WHERE city = %s AND id = %s", (city, engagement_id))
    return _engagement(found[0]) if found else None


def _engagement(row: dict[str, Any]) -> Engagement:
    return Engagement(members=tuple(row.pop("members")), **row)


def engagements(conn: Connection, city: str, project_id: UUID) -> list[Engagement]:
    """Every engagement of a project and its periods, newest first."""
    found = rows(
        conn, f"{_ENGAGEMENT} WHERE city = %s AND project_id = %s ORDER BY id DESC",
        (city, project_id),
    )  # fmt: skip
    return [_engagement(row) for row in found]


def bench(conn: Connection, city: str, of: Engagement) -> Bench:
    """An engagement with its visits, samples and opinions."""
    key = (city, of.id)
    visits = rows(
        conn,
        """SELECT visited_on, note, actor, site_id FROM footprint_site_visit
        WHERE city = %s AND engagement_id = %s ORDER BY visited_on, id""",
        key,
    )
    samples = rows(
        conn,
        """SELECT run_id, seed, population, size, deviations, misstatement_t, note, actor
        FROM footprint_engagement_sample WHERE city = %s AND engagement_id = %s ORDER BY id""",
        key,
    )
    opinions = rows(
        conn,
        """SELECT id, engagement_id, outcome, assurance, threshold_pct, reported_t,
          misstatement_t, text, document_id, actor, created_at FROM footprint_opinion
        WHERE city = %s AND engagement_id = %s ORDER BY id DESC""",
        key,
    )
    return Bench(
        of, tuple(SiteVisit(**row) for row in visits), tuple(Sample(**row) for row in samples),
        tuple(Opinion(**row) for row in opinions),
    )  # fmt: skip


def record_visit(
    conn: Connection, city: str, engagement_id: UUID, visit: SiteVisit, clock: Clock
) -> Refusal | None:
    """Record a visit by `visit.actor`. Refused: unknown-engagement, note-missing, party-conflict,
    vvb-conflict."""
    found = _acting(conn, city, engagement_id, visit.actor)
    if isinstance(found, Refusal):
        return found
    if not visit.note.strip():
        return _no("note-missing", "무엇을 보았는지 적어 주세요.", "Please say what was seen.")
    execute(
        conn,
        """INSERT INTO footprint_site_visit (city, id, engagement_id, site_id, visited_on, note,
          actor, created_at) VALUES (%s,%s,%s,%s,%s,%s,%s,%s)""",
        (
            city, new_id(), engagement_id, visit.site_id, visit.visited_on, visit.note.strip(),
            visit.actor, clock.now(),
        ),
    )  # fmt: skip
    proof.audit(
        conn, city, visit.actor, "project.site-visit", "project", str(found.project_id), None,
        {"engagement": engagement_id, "visited_on": visit.visited_on},
    )  # fmt: skip
    return None


def record_sample(
    conn: Connection, city: str, engagement_id: UUID, sample: Sample, clock: Clock
) -> Refusal | None:
    """Link a sample drawn by `sample.actor`. Refused: unknown-engagement, sample-invalid,
    unknown-run, party-conflict, vvb-conflict."""
    found = _acting(conn, city, engagement_id, sample.actor)
    if isinstance(found, Refusal):
        return found
    fits = 0 < sample.size <= sample.population and 0 <= sample.deviations <= sample.size
    if not fits or not sample.seed.strip():
        return _no("sample-invalid", "표본의 수가 맞지 않습니다.", "The sample's counts are wrong.")
    if not rows(
        conn,
        "SELECT 1 AS one FROM footprint_run WHERE city = %s AND id = %s",
        (city, sample.run_id),
    ):
        return _no("unknown-run", "산정을 찾을 수 없습니다.", "There is no such run.")
    execute(
        conn,
        """INSERT INTO footprint_engagement_sample (city, id, engagement_id, run_id, seed,
          population, size, deviations, misstatement_t, note, actor, created_at)
        VALUES (%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s)""",
        (
            city, new_id(), engagement_id, sample.run_id, sample.seed, sample.population,
            sample.size, sample.deviations, sample.misstatement_t, sample.note, sample.actor,
            clock.now(),
        ),
    )  # fmt: skip
    proof.audit(
        conn, city, sample.actor, "project.sample", "project", str(found.project_id), None,
        {"engagement": engagement_id, "run": sample.run_id, "seed": sample.seed,
         "size": sample.size, "deviations": sample.deviations},
    )  # fmt: skip
    return None


def give_opinion(
    conn: Connection, city: str, engagement_id: UUID, opinion: Opinion, actor: str, clock: Clock
) -> Opinion | Refusal:
    """Conclude an engagement; a later opinion stands in place of an earlier one.

    Refused: unknown-engagement, party-conflict, vvb-conflict, opinion-incomplete,
    material-misstatement (a positive opinion on one), findings-open (a positive opinion beside an
    open corrective action or question).
    """
    found = _acting(conn, city, engagement_id, actor)
    if isinstance(found, Refusal):
        return found
    amounts = (opinion.reported_t, opinion.misstatement_t, opinion.threshold_pct - 1)
    known = opinion.outcome in OUTCOMES and opinion.assurance in ("reasonable", "limited")
    if not known or min(amounts) < 0 or not opinion.text.strip():
        return _no(
            "opinion-incomplete", "의견과 근거를 모두 적어 주세요.", "The opinion is incomplete."
        )
    judged = assess(opinion.reported_t, [opinion.misstatement_t], opinion.threshold_pct)
    if opinion.outcome == "positive" and judged.material:
        return Refusal(
            "material-misstatement",
            f"오류가 중요성 기준({opinion.threshold_pct} %)에 이르러 적정 의견을 낼 수 없습니다.",
            f"The misstatement reaches the materiality threshold ({opinion.threshold_pct} %), so "
            "the opinion cannot be positive.",
            {"share_pct": judged.share_pct, "threshold_pct": opinion.threshold_pct},
        )
    assert found.project_id is not None
    waiting = open_findings(conn, city, found.project_id, found.monitoring_id)
    if opinion.outcome == "positive" and waiting:
        return Refusal(
            "findings-open",
            f"아직 닫히지 않은 지적이 {len(waiting)}건 있습니다.",
            f"{len(waiting)} findings are still open.",
            {"findings": [one.number for one in waiting]},
        )
    identifier, now = new_id(), clock.now()
    execute(
        conn,
        """INSERT INTO footprint_opinion (city, id, engagement_id, outcome, assurance,
          threshold_pct, reported_t, misstatement_t, text, document_id, actor, created_at)
        VALUES (%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s)""",
        (
            city, identifier, engagement_id, opinion.outcome, opinion.assurance,
            opinion.threshold_pct, opinion.reported_t, opinion.misstatement_t,
            opinion.text.strip(), opinion.document_id, actor, now,
        ),
    )  # fmt: skip
    made = opinion_of(conn, city, identifier)
    assert made is not None
    proof.append(conn, city, "opinion", identifier, opinion_entry(made))
    proof.audit(
        conn, city, actor, "project.opinion", "project", str(found.project_id), None,
        opinion_entry(made),
    )  # fmt: skip
    return made


def opinion_of(conn: Connection, city: str, opinion_id: UUID) -> Opinion | None:
    found = rows(
        conn,
        """SELECT id, engagement_id, outcome, assurance, threshold_pct, reported_t,
          misstatement_t, text, document_id, actor, created_at FROM footprint_opinion
        WHERE city = %s AND id = %s""",
        (city, opinion_id),
    )
    return Opinion(**found[0]) if found else None


def opinion_entry(made: Opinion) -> dict[str, Any]:
    """What the log holds of an opinion."""
    return {
        "engagement": made.engagement_id,
        "outcome": made.outcome,
        "assurance": made.assurance,
        "threshold_pct": made.threshold_pct,
        "reported_t": made.reported_t,
        "misstatement_t": made.misstatement_t,
        "text": made.text,
        "actor": made.actor,
        "created_at": made.created_at,
    }


def _acting(conn: Connection, city: str, engagement_id: UUID, actor: str) -> Engagement | Refusal:
    """The engagement, when this person may act for its body."""
    found = engagement(conn, city, engagement_id)
    if found is None:
        return _no("unknown-engagement", "맡긴 일을 찾을 수 없습니다.", "No such engagement.")
    assert found.project_id is not None
    refusal = impartial(VVB, actor, journal.acts(conn, city, found.project_id))
    if refusal is not None:
        return refusal
    if person(found.actor) == person(actor):
        return _no(
            "vvb-conflict",
            "검증을 맡긴 사람은 검증기관의 일을 할 수 없습니다.",
            "Whoever engaged the body cannot act for it.",
        )
    return found


def _no(code: str, ko: str, en: str) -> Refusal:
    return Refusal(code, ko, en)
