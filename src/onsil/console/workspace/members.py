"""Members of a bundle in the workspace: crediting periods, laws on them, what is left out."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from onsil import footprint
from onsil.console.workspace import forms
from onsil.core.clock import SystemClock
from onsil.core.database import Connection
from onsil.core.refusal import Refusal
from onsil.footprint.projects import members, sites

CLOCK = SystemClock()


def credited(conn: Connection, city: str, owner: footprint.Project) -> dict[str, Any]:
    """What the page of members shows of crediting: periods and laws by site, claims left out."""
    laws: dict[UUID, list[members.SiteDuty]] = {}
    for one in members.site_duties(conn, city, owner.id):
        if not one.withdrawn:
            laws.setdefault(one.site_id, []).append(one)
    return {
        "crediting": members.creditings(conn, city, owner.id),
        "laws": laws,
        "left_out": [
            (one, *members.words(one)) for _, one in members.exclusions(conn, city, owner)
        ],
        "crediting_form": forms.MemberCreditingForm(),
    }


def set_crediting(
    conn: Connection, city: str, project: UUID, data: Mapping[str, Any], actor: str
) -> object:
    if not _of_project(conn, city, project, data["site"]):
        return _not_here()
    return members.set_crediting(
        conn, city, data["site"], data["starts"], data["ends"], data["reason"], actor, CLOCK
    )


def record_duty(
    conn: Connection, city: str, project: UUID, data: Mapping[str, Any], actor: str, zone: ZoneInfo
) -> object:
    if not _of_project(conn, city, project, data["site"]):
        return _not_here()
    return members.record_site_duty(
        conn, city, data["site"], data["law"], data["text"], data["in_force_on"], actor, CLOCK, zone
    )


def withdraw_duty(
    conn: Connection, city: str, project: UUID, data: Mapping[str, Any], actor: str
) -> object:
    return members.withdraw_site_duty(
        conn, city, project, data["duty"], data["reason"], actor, CLOCK
    )


def _of_project(conn: Connection, city: str, project: UUID, site: UUID) -> bool:
    return site in {one.id for one in sites(conn, city, project)}


def _not_here() -> Refusal:
    return Refusal("unknown-site", "사업장을 찾을 수 없습니다.", "There is no such site.")
