"""Projects: registered on a route, renewed, and moved to a newer version of it."""

from datetime import date, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from psycopg.types.range import Range

from onsil import proof
from onsil.core.clock import Clock
from onsil.core.database import Connection
from onsil.core.ids import new_id
from onsil.core.periods import local_day
from onsil.core.refusal import Refusal
from onsil.footprint.methodologies import methodology
from onsil.footprint.projects import journal
from onsil.footprint.projects.library import INTERNAL, routes
from onsil.footprint.projects.terms import CreditingPeriod, Route
from onsil.footprint.projects.workflow import months_later, person
from onsil.footprint.store import Row, execute, lock, rows
from onsil.footprint.terms import Project, ProjectSpec

_PROJECT = """SELECT id, code, name_ko, name_en, programme, methodology, crediting, buffer_bp,
  actor, created_at, unit FROM footprint_project"""
UNITS = ("tCO2e", "m3")
# One KOC is one tonne of CO2e (Korean offset rules); forest carbon is carbon.
_TONNES_ONLY = ("kr-offset", "koc", "forest-carbon")
_TERMS = ("name_ko", "name_en", "programme", "methodology", "starts", "ends", "buffer_bp", "unit")


def _project(row: Row) -> Project:
    span = row.pop("crediting")
    return Project(starts=span.lower, ends=span.upper, **row)


def register_project(
    conn: Connection,
    city: str,
    spec: ProjectSpec,
    actor: str,
    clock: Clock,
    route: str = INTERNAL,
) -> Project | Refusal:
    """Register a project on a route, the quick path unless another is named.

    The same code and terms again give the project that is there. Refused: unknown-methodology,
    dates-invalid, buffer-invalid, unit-unknown (neither tCO2e nor m3), unit-programme (its units
    are tonnes alone), unknown-route, route-programme (the route is another programme's),
    crediting-length, project-exists for the same code with other terms, route-changed.
    """
    made = methodology(spec.methodology)
    if isinstance(made, Refusal):
        return made
    chosen = routes().get(route)
    if chosen is None:
        return _no("unknown-route", f"{route} 절차가 없습니다.", f"There is no route {route}.")
    refusal = _misfit(spec, chosen)
    if refusal is not None:
        return refusal
    lock(conn, city, [f"project {spec.code}"])
    there = rows(conn, f"{_PROJECT} WHERE city = %s AND code = %s", (city, spec.code))
    if there:
        return _again(conn, city, _project(there[0]), spec, route)
    identifier = new_id()
    execute(
        conn,
        """INSERT INTO footprint_project (city, id, code, name_ko, name_en, programme, methodology,
          crediting, buffer_bp, unit, actor, created_at)
        VALUES (%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s)""",
        (
            city, identifier, spec.code, spec.name_ko, spec.name_en, spec.programme,
            spec.methodology, Range[date](spec.starts, spec.ends), spec.buffer_bp, spec.unit,
            actor, clock.now(),
        ),
    )  # fmt: skip
    proof.audit(
        conn, city, actor, "project.registered", "project", str(identifier), None,
        {"code": spec.code, "programme": spec.programme, "methodology": spec.methodology,
         "route": route, "unit": spec.unit},
    )  # fmt: skip
    refusal = journal.put_under(conn, city, identifier, chosen, actor, clock)
    if refusal is not None:
        return refusal
    registered = project(conn, city, identifier)
    assert registered is not None
    return registered


def _misfit(spec: ProjectSpec, route: Route) -> Refusal | None:
    if spec.ends <= spec.starts:
        return _no(
            "dates-invalid",
            "인증 기간의 끝이 시작보다 빠릅니다.",
            "The crediting period ends early.",
        )
    if not 0 <= spec.buffer_bp <= 10_000:
        return _no("buffer-invalid", "버퍼 비율이 잘못되었습니다.", "The buffer's share is wrong.")
    if spec.unit not in UNITS:
        return _no(
            "unit-unknown",
            f"크레딧 단위는 {', '.join(UNITS)} 가운데 하나입니다.",
            f"A project's units are {' or '.join(UNITS)}.",
        )
    if spec.unit != "tCO2e" and spec.programme in _TONNES_ONLY:
        return _no(
            "unit-programme",
            f"{spec.programme} 제도의 크레딧은 tCO2e로만 발행합니다.",
            f"Units of the programme {spec.programme} are tonnes of CO2e alone.",
        )
    if not route.serves(spec.programme):
        return _no(
            "route-programme",
            f"{route.ko} 절차는 {spec.programme} 제도에 쓰지 않습니다.",
            f"The route “{route.en}” does not serve the programme {spec.programme}.",
        )
    return _wrong_length(spec.starts, spec.ends, route)


def _wrong_length(starts: date, ends: date, route: Route) -> Refusal | None:
    rule = route.crediting
    longest = months_later(starts, 12 * rule.years)
    if rule.years and ends > longest:
        return _no(
            "crediting-length",
            f"인증 기간은 한 번에 {rule.years}년까지입니다 (끝 {longest}).",
            f"A crediting period is {rule.years} years at most (to {longest}).",
        )
    if rule.years_min and ends < months_later(starts, 12 * rule.years_min):
        return _no(
            "crediting-length",
            f"인증 기간은 {rule.years_min}년 이상이어야 합니다.",
            f"A crediting period is {rule.years_min} years at least.",
        )
    return None


def _again(
    conn: Connection, city: str, found: Project, spec: ProjectSpec, route: str
) -> Project | Refusal:
    first = journal.route_rows(conn, city, found.id)
    same_route = not first or first[0]["route"] == route
    if same_route and all(getattr(found, name) == getattr(spec, name) for name in _TERMS):
        return found
    return _no(
        "project-exists",
        f"사업 코드 {spec.code}은(는) 다른 조건으로 이미 등록되어 있습니다.",
        f"Project {spec.code} is already registered on other terms.",
    )


def project(conn: Connection, city: str, project_id: UUID) -> Project | None:
    found = rows(conn, f"{_PROJECT} WHERE city = %s AND id = %s", (city, project_id))
    return _project(found[0]) if found else None


def projects(conn: Connection, city: str) -> list[Project]:
    """Every project of the city, by code."""
    found = rows(conn, f"{_PROJECT} WHERE city = %s ORDER BY code", (city,))
    return [_project(row) for row in found]


def crediting_periods(conn: Connection, city: str, owner: Project) -> list[CreditingPeriod]:
    """A project's crediting periods, from the one it was registered with to the last renewal."""
    found = rows(
        conn,
        """SELECT number, span FROM footprint_crediting WHERE city = %s AND project_id = %s
        ORDER BY number""",
        (city, owner.id),
    )
    return [
        CreditingPeriod(1, owner.starts, owner.ends),
        *(CreditingPeriod(r["number"], r["span"].lower, r["span"].upper) for r in found),
    ]


def next_crediting(
    conn: Connection, city: str, owner: Project, route: Route, ends: date | None = None
) -> CreditingPeriod | Refusal:
    """The crediting period that a renewal would begin.

    It lasts as long as the route allows, or to `ends`. Refused: renewals-used-up,
    crediting-length, dates-invalid.
    """
    last = crediting_periods(conn, city, owner)[-1]
    rule = route.crediting
    if last.number > rule.renewals:
        return _no(
            "renewals-used-up",
            f"이 절차에서는 {rule.renewals}번까지 갱신할 수 있습니다.",
            f"This route allows {rule.renewals} renewals.",
        )
    until = ends or months_later(last.ends, 12 * rule.years)
    if until <= last.ends:
        return _no(
            "dates-invalid", "갱신한 기간의 끝이 시작보다 빠릅니다.", "The renewal ends early."
        )
    refusal = _wrong_length(last.ends, until, route)
    return refusal if refusal is not None else CreditingPeriod(last.number + 1, last.ends, until)


def write_crediting(
    conn: Connection,
    city: str,
    project_id: UUID,
    made: CreditingPeriod,
    step_id: UUID,
    actor: str,
    clock: Clock,
) -> None:
    execute(
        conn,
        """INSERT INTO footprint_crediting (city, id, project_id, number, span, step_id, actor,
          created_at) VALUES (%s,%s,%s,%s,%s,%s,%s,%s)""",
        (
            city, new_id(), project_id, made.number, Range[date](made.starts, made.ends), step_id,
            actor, clock.now(),
        ),
    )  # fmt: skip
    proof.audit(
        conn, city, actor, "project.renewed", "project", str(project_id), None,
        {"number": made.number, "starts": made.starts, "ends": made.ends},
    )  # fmt: skip


def move_to_version(
    conn: Connection, city: str, project_id: UUID, route: Route, reason: str, actor: str,
    clock: Clock,
) -> Route | Refusal:  # fmt: skip
    """Put a project under a newer version of its route, by another than who registered it.

    Refused: unknown-project, reason-missing, other-route, maker-is-checker, route-state-missing
    (the new version does not know where the project or a period of it stands), route-changed.
    """
    found = project(conn, city, project_id)
    if found is None:
        return unknown_project()
    if not reason.strip():
        return _no("reason-missing", "까닭을 적어 주세요.", "Please give the reason.")
    lock(conn, city, [f"route {project_id}"])
    now = journal.route_of(conn, city, project_id)
    if now.sha256 == route.sha256:
        return now
    if now.id != route.id:
        return _no(
            "other-route",
            f"{now.ko} 절차의 사업을 {route.ko} 절차로 옮길 수 없습니다.",
            f"A project on “{now.en}” cannot move to “{route.en}”.",
        )
    if person(found.actor) == person(actor):
        return _no(
            "maker-is-checker",
            "사업을 등록한 사람은 절차의 판을 바꿀 수 없습니다.",
            "Whoever registered the project cannot move it to another version.",
        )
    if not _knows(conn, city, project_id, route):
        return _no(
            "route-state-missing",
            "새 판에는 이 사업이나 모니터링 기간이 지금 있는 단계가 없습니다.",
            "The new version has no state for where this project or one of its periods stands.",
        )
    refusal = journal.put_under(conn, city, project_id, route, actor, clock, reason.strip())
    return refusal if refusal is not None else route


def _knows(conn: Connection, city: str, project_id: UUID, route: Route) -> bool:
    if route.project.state(journal.standing(conn, city, project_id).state) is None:
        return False
    open_periods = rows(
        conn,
        """SELECT id, status FROM footprint_monitoring
        WHERE city = %s AND project_id = %s AND status <> 'issued'""",
        (city, project_id),
    )
    for row in open_periods:
        at = journal.standing(conn, city, project_id, row["id"], row["status"])
        state = route.period.state(at.state)
        if state is None or state.status != row["status"]:
            return False
    return True


def verification_due(
    conn: Connection, city: str, owner: Project, route: Route, zone: ZoneInfo
) -> date | None:
    """The day by which the next verification must be done; None where the route names none.

    Counted from the end of the last period that a verification body has verified, or else from the
    crediting start.
    """
    if not route.crediting.verify_months:
        return None
    found = rows(
        conn,
        """SELECT max(upper(m.period)) AS verified FROM footprint_monitoring m
        WHERE m.city = %s AND m.project_id = %s AND EXISTS (
          SELECT FROM footprint_project_step s WHERE s.city = m.city AND s.monitoring_id = m.id
            AND s.party = 'vvb')""",
        (city, owner.id),
    )[0]["verified"]
    since = owner.starts if found is None else local_day(found - timedelta(microseconds=1), zone)
    return months_later(since, route.crediting.verify_months)


def unknown_project() -> Refusal:
    return _no("unknown-project", "사업을 찾을 수 없습니다.", "There is no such project.")


def _no(code: str, ko: str, en: str) -> Refusal:
    return Refusal(code, ko, en)
