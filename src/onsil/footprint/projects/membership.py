"""What a project is made of: its design in versions, sites that join and leave, units."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from onsil import proof
from onsil.core.clock import Clock
from onsil.core.database import Connection
from onsil.core.ids import new_id
from onsil.core.refusal import Refusal
from onsil.footprint.projects.journal import route_of
from onsil.footprint.projects.registration import project, unknown_project
from onsil.footprint.projects.workflow import expected_size
from onsil.footprint.store import Row, execute, lock, rows

STRUCTURES = ("single", "bundle", "programme")


@dataclass(frozen=True)
class Design:
    """A version of what the project is. Numbers in outside registers are typed by a person."""

    structure: str
    developer: str
    boundary: str
    register_name: str = ""
    register_number: str = ""
    methodology_number: str = ""
    version: int = 0
    expected_t_per_year: Decimal = Decimal(0)
    size_class: str = ""
    actor: str = ""


@dataclass(frozen=True)
class Site:
    """A member site; `left_on` is None while it takes part."""

    code: str
    name_ko: str
    name_en: str
    joined_on: date
    expected_t_per_year: Decimal
    entity: str = ""
    capacity: Decimal | None = None
    capacity_unit: str = ""
    longitude: Decimal | None = None
    latitude: Decimal | None = None
    id: UUID | None = None
    left_on: date | None = None
    left_because: str = ""


def set_design(
    conn: Connection, city: str, project_id: UUID, design: Design, actor: str, clock: Clock
) -> Design | Refusal:
    """Write the project's next design version; the same terms again give the one that is there.

    The expected tonnes are the sum of its sites', the size class the route's. Refused:
    unknown-project, structure-unknown, developer-missing, register-missing (a number of no
    register).
    """
    if project(conn, city, project_id) is None:
        return unknown_project()
    if design.structure not in STRUCTURES:
        return Refusal("structure-unknown", "사업 형태가 잘못되었습니다.", "Unknown structure.")
    if not design.developer.strip():
        return Refusal("developer-missing", "사업자를 적어 주세요.", "Please name the developer.")
    if design.register_number and not design.register_name:
        return Refusal(
            "register-missing",
            "어느 등록부의 번호인지 적어 주세요.",
            "Please say whose register the number is from.",
        )
    lock(conn, city, [f"design {project_id}"])
    expected_t = sum(
        (s.expected_t_per_year for s in sites(conn, city, project_id) if s.left_on is None),
        Decimal(0),
    )
    size = expected_size(route_of(conn, city, project_id), -int(-expected_t // 1))
    last = current_design(conn, city, project_id)
    made = Design(
        design.structure, design.developer.strip(), design.boundary.strip(),
        design.register_name.strip(), design.register_number.strip(),
        design.methodology_number.strip(), (last.version if last else 0) + 1, expected_t, size,
        actor,
    )  # fmt: skip
    if last is not None and _terms(last) == _terms(made):
        return last
    execute(
        conn,
        """INSERT INTO footprint_project_design (city, id, project_id, version, structure,
          developer, boundary, expected_t_per_year, size_class, register_name, register_number,
          methodology_number, actor, created_at)
        VALUES (%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s)""",
        (
            city, new_id(), project_id, made.version, made.structure, made.developer,
            made.boundary, expected_t, size, made.register_name, made.register_number,
            made.methodology_number, actor, clock.now(),
        ),
    )  # fmt: skip
    proof.audit(
        conn, city, actor, "project.design", "project", str(project_id),
        _terms(last) if last else None, _terms(made),
    )  # fmt: skip
    return made


def _terms(one: Design) -> dict[str, Any]:
    return {k: v for k, v in vars(one).items() if k not in ("version", "actor")}


def designs(conn: Connection, city: str, project_id: UUID) -> list[Design]:
    """Every version, newest first."""
    found = rows(
        conn,
        """SELECT structure, developer, boundary, register_name, register_number,
          methodology_number, version, expected_t_per_year, size_class, actor
        FROM footprint_project_design WHERE city = %s AND project_id = %s ORDER BY version DESC""",
        (city, project_id),
    )
    return [Design(**row) for row in found]


def current_design(conn: Connection, city: str, project_id: UUID) -> Design | None:
    return next(iter(designs(conn, city, project_id)), None)


def join_site(
    conn: Connection, city: str, project_id: UUID, site: Site, actor: str, clock: Clock
) -> Site | Refusal:
    """Take a site into a project; the same code and terms again give the site that is there.

    Refused: unknown-project, single-site (a project that is neither bundle nor programme has one),
    outside-crediting (it joins after the end), site-exists for the same code with other terms.
    """
    owner = project(conn, city, project_id)
    if owner is None:
        return unknown_project()
    lock(conn, city, [f"sites {project_id}"])
    there = sites(conn, city, project_id)
    same = next((one for one in there if one.code == site.code), None)
    if same is not None:
        if _site_terms(same) == _site_terms(site):
            return same
        return Refusal(
            "site-exists",
            f"사업장 코드 {site.code}은(는) 다른 조건으로 이미 있습니다.",
            f"Site {site.code} is already there on other terms.",
        )
    design = current_design(conn, city, project_id)
    alone = design is None or design.structure == "single"
    if alone and any(one.left_on is None for one in there):
        return Refusal(
            "single-site",
            "단독 사업에는 사업장이 하나입니다. 묶음이나 프로그램형으로 먼저 바꿔 주세요.",
            "A single project has one site; make it a bundle or a programme first.",
        )
    identifier = new_id()
    execute(
        conn,
        """INSERT INTO footprint_project_site (city, id, project_id, code, name_ko, name_en,
          entity, capacity, capacity_unit, longitude, latitude, expected_t_per_year, joined_on,
          actor, created_at) VALUES (%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s)""",
        (
            city, identifier, project_id, site.code, site.name_ko, site.name_en, site.entity,
            site.capacity, site.capacity_unit, site.longitude, site.latitude,
            site.expected_t_per_year, site.joined_on, actor, clock.now(),
        ),
    )  # fmt: skip
    proof.audit(
        conn, city, actor, "project.site-joined", "project", str(project_id), None,
        {"site": identifier, **_site_terms(site)},
    )  # fmt: skip
    return next(one for one in sites(conn, city, project_id) if one.id == identifier)


def _site_terms(one: Site) -> dict[str, Any]:
    return {k: v for k, v in vars(one).items() if k not in ("id", "left_on", "left_because")}


def leave_site(
    conn: Connection, city: str, site_id: UUID, left_on: date, reason: str, actor: str,
    clock: Clock,
) -> Refusal | None:  # fmt: skip
    """Let a site leave its project from a day on. Refused: unknown-site, reason-missing,
    site-left, dates-invalid (before it joined)."""
    found = _site_rows(conn, city, site_id)
    if not found:
        return Refusal("unknown-site", "사업장을 찾을 수 없습니다.", "There is no such site.")
    if not reason.strip():
        return Refusal("reason-missing", "까닭을 적어 주세요.", "Please give the reason.")
    if found[0]["left_on"] is not None:
        return Refusal("site-left", "이미 빠진 사업장입니다.", "The site has left already.")
    if left_on < found[0]["joined_on"]:
        return Refusal("dates-invalid", "들어온 날보다 빠릅니다.", "That is before it joined.")
    execute(
        conn,
        """INSERT INTO footprint_project_site_exit (city, site_id, left_on, reason, actor,
          created_at) VALUES (%s,%s,%s,%s,%s,%s)""",
        (city, site_id, left_on, reason.strip(), actor, clock.now()),
    )
    proof.audit(
        conn, city, actor, "project.site-left", "project", str(found[0]["project_id"]), None,
        {"site": site_id, "left_on": left_on, "reason": reason},
    )  # fmt: skip
    return None


def _site_rows(conn: Connection, city: str, site_id: UUID) -> list[Row]:
    lock(conn, city, [f"site {site_id}"])
    return rows(
        conn,
        """SELECT s.project_id, s.joined_on, e.left_on FROM footprint_project_site s
        LEFT JOIN footprint_project_site_exit e ON e.city = s.city AND e.site_id = s.id
        WHERE s.city = %s AND s.id = %s""",
        (city, site_id),
    )


def sites(conn: Connection, city: str, project_id: UUID) -> list[Site]:
    """Every site that is or was a member, by code."""
    found = rows(
        conn,
        """SELECT s.id, s.code, s.name_ko, s.name_en, s.entity, s.capacity, s.capacity_unit,
          s.longitude, s.latitude, s.expected_t_per_year, s.joined_on, e.left_on,
          coalesce(e.reason, '') AS left_because
        FROM footprint_project_site s
        LEFT JOIN footprint_project_site_exit e ON e.city = s.city AND e.site_id = s.id
        WHERE s.city = %s AND s.project_id = %s ORDER BY s.code""",
        (city, project_id),
    )
    return [Site(**row) for row in found]


@dataclass(frozen=True)
class ModellingUnit:
    """A part of a project that is modelled as one: a stand, a planting year, a building type."""

    code: str
    name_ko: str
    name_en: str
    started_on: date
    area_ha: Decimal | None
    parameters: dict[str, str]
    site_id: UUID | None = None


def add_modelling_unit(
    conn: Connection, city: str, project_id: UUID, unit: ModellingUnit, actor: str, clock: Clock
) -> ModellingUnit | Refusal:
    """Add a unit; the same again changes nothing. Refused: unknown-project, unit-exists."""
    if project(conn, city, project_id) is None:
        return unknown_project()
    lock(conn, city, [f"units {project_id}"])
    there = next((u for u in modelling_units(conn, city, project_id) if u.code == unit.code), None)
    if there is not None:
        return there if there == unit else Refusal(
            "unit-exists", f"{unit.code}은(는) 이미 있습니다.", f"{unit.code} is already there."
        )  # fmt: skip
    execute(
        conn,
        """INSERT INTO footprint_modelling_unit (city, id, project_id, site_id, code, name_ko,
          name_en, started_on, area_ha, parameters, actor, created_at)
        VALUES (%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s)""",
        (
            city, new_id(), project_id, unit.site_id, unit.code, unit.name_ko, unit.name_en,
            unit.started_on, unit.area_ha, Jsonb(unit.parameters), actor, clock.now(),
        ),
    )  # fmt: skip
    proof.audit(
        conn, city, actor, "project.unit", "project", str(project_id), None, dict(vars(unit))
    )
    return unit


def modelling_units(conn: Connection, city: str, project_id: UUID) -> list[ModellingUnit]:
    found = rows(
        conn,
        """SELECT code, name_ko, name_en, started_on, area_ha, parameters, site_id
        FROM footprint_modelling_unit WHERE city = %s AND project_id = %s ORDER BY code""",
        (city, project_id),
    )
    return [ModellingUnit(**row) for row in found]
