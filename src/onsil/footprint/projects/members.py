"""Members of a bundle: each with its own crediting period, and the law that stops it alone."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from psycopg.types.json import Jsonb
from psycopg.types.range import Range

from onsil import proof
from onsil.core.clock import Clock
from onsil.core.database import Connection
from onsil.core.ids import new_id
from onsil.core.periods import local_days, midnight
from onsil.core.refusal import Refusal
from onsil.footprint.projects.journal import SEOUL
from onsil.footprint.projects.membership import Site, sites
from onsil.footprint.projects.registration import crediting_periods, project
from onsil.footprint.projects.workflow import person
from onsil.footprint.store import execute, lock, rows
from onsil.footprint.terms import Claim, Project

OUTSIDE, DUTY = "member-outside-crediting", "member-legal-duty"


@dataclass(frozen=True)
class SiteCrediting:
    """A member's crediting period: from `starts` to the day before `ends`."""

    site_id: UUID
    version: int
    starts: date
    ends: date
    reason: str
    actor: str


@dataclass(frozen=True)
class SiteDuty:
    """A law that makes one member's doing a duty from a day on."""

    id: UUID
    site_id: UUID
    law: str
    text: str
    in_force_on: date
    in_force_at: datetime
    actor: str
    withdrawn: bool


@dataclass(frozen=True)
class Exclusion:
    """A claim that a member cannot be credited for: `code` OUTSIDE or DUTY, and from or until which
    day. `whole`: all of it; else its days are to be claimed apart."""

    claim_id: UUID
    site: Site
    code: str
    facts: dict[str, Any]
    whole: bool


def set_crediting(
    conn: Connection, city: str, site_id: UUID, starts: date, ends: date, reason: str, actor: str,
    clock: Clock,
) -> SiteCrediting | Refusal:  # fmt: skip
    """State a member's crediting period, or its next version; the same again gives the one there.

    Refused: unknown-site, dates-invalid, reason-missing, outside-crediting (the project's)."""
    found = _site(conn, city, site_id)
    if found is None:
        return _unknown()
    owner, _ = found
    if ends <= starts:
        return _no("dates-invalid", "끝이 시작보다 빠릅니다.", "It ends before it begins.")
    if not reason.strip():
        return _no("reason-missing", "까닭을 적어 주세요.", "Please give the reason.")
    spans = crediting_periods(conn, city, owner)
    if starts < spans[0].starts or ends > spans[-1].ends:
        return Refusal(
            "outside-crediting",
            f"사업의 인증 기간({spans[0].starts}–{spans[-1].ends}) 밖입니다.",
            f"That lies outside the project's crediting ({spans[0].starts} to {spans[-1].ends}).",
            {"starts": spans[0].starts.isoformat(), "ends": spans[-1].ends.isoformat()},
        )
    lock(conn, city, [f"site {site_id}"])
    now = creditings(conn, city, owner.id).get(site_id)
    if now is not None and (now.starts, now.ends) == (starts, ends):
        return now
    version = 1 if now is None else now.version + 1
    execute(
        conn,
        """INSERT INTO footprint_site_crediting (city, site_id, version, span, reason, actor,
          created_at) VALUES (%s,%s,%s,%s,%s,%s,%s)""",
        (city, site_id, version, Range[date](starts, ends), reason.strip(), actor, clock.now()),
    )
    proof.audit(
        conn, city, actor, "project.site-crediting", "project", str(owner.id),
        None if now is None else {"site": site_id, "starts": now.starts, "ends": now.ends},
        {"site": site_id, "starts": starts, "ends": ends, "reason": reason},
    )  # fmt: skip
    return creditings(conn, city, owner.id)[site_id]


def creditings(conn: Connection, city: str, project_id: UUID) -> dict[UUID, SiteCrediting]:
    """The crediting period in force of each member that has stated one, by site."""
    found = rows(
        conn,
        """SELECT DISTINCT ON (c.site_id) c.site_id, c.version, c.span, c.reason, c.actor
        FROM footprint_site_crediting c
        JOIN footprint_project_site s ON s.city = c.city AND s.id = c.site_id
        WHERE c.city = %s AND s.project_id = %s ORDER BY c.site_id, c.version DESC""",
        (city, project_id),
    )
    return {
        row["site_id"]: SiteCrediting(
            row["site_id"], row["version"], row["span"].lower, row["span"].upper, row["reason"],
            row["actor"],
        )
        for row in found
    }  # fmt: skip


def record_site_duty(
    conn: Connection, city: str, site_id: UUID, law: str, text: str, in_force_on: date,
    actor: str, clock: Clock, zone: ZoneInfo = SEOUL,
) -> SiteDuty | Refusal:  # fmt: skip
    """Record a law that binds one member from a local day on; the others go on being credited.

    The same terms again give the record that is there. Refused: unknown-site, duty-incomplete."""
    found = _site(conn, city, site_id)
    if found is None:
        return _unknown()
    law, text = law.strip(), text.strip()
    if not law or not text:
        return _no(
            "duty-incomplete", "법령과 의무의 내용을 적어 주세요.", "Name the law and the duty."
        )
    lock(conn, city, ["legal duties"])
    owner, _ = found
    for one in site_duties(conn, city, owner.id):
        same = (one.site_id, one.law, one.text, one.in_force_on) == (
            site_id, law, text, in_force_on
        )  # fmt: skip
        if same and not one.withdrawn:
            return one
    made = new_id()
    _write_duty(
        conn, city, made, (site_id, law, text, in_force_on, midnight(in_force_on, zone)), None,
        actor, clock,
    )  # fmt: skip
    proof.audit(
        conn, city, actor, "legal-duty.recorded", "site", str(site_id), None,
        {"law": law, "text": text, "in_force_on": in_force_on},
    )  # fmt: skip
    return next(one for one in site_duties(conn, city, owner.id) if one.id == made)


def _write_duty(
    conn: Connection, city: str, made: UUID, terms: tuple[UUID, str, str, date, datetime],
    withdraws: UUID | None, actor: str, clock: Clock,
) -> None:  # fmt: skip
    execute(
        conn,
        """INSERT INTO footprint_site_duty (city, id, site_id, law, text, in_force_on, in_force_at,
          withdraws, actor, created_at) VALUES (%s,%s,%s,%s,%s,%s,%s,%s,%s,%s)""",
        (city, made, *terms, withdraws, actor, clock.now()),
    )


def withdraw_site_duty(
    conn: Connection, city: str, project_id: UUID, duty_id: UUID, reason: str, actor: str,
    clock: Clock,
) -> Refusal | None:  # fmt: skip
    """Take back a member's duty recorded in error, by another person. Refused: unknown-duty,
    reason-missing, maker-is-checker."""
    lock(conn, city, ["legal duties"])
    found = next((d for d in site_duties(conn, city, project_id) if d.id == duty_id), None)
    if found is None:
        return _no("unknown-duty", "그런 법적 의무가 없습니다.", "There is no such duty.")
    if found.withdrawn:
        return None
    if not reason.strip():
        return _no("reason-missing", "까닭을 적어 주세요.", "Please give the reason.")
    if person(found.actor) == person(actor):
        return _no(
            "maker-is-checker",
            "기록한 사람은 거둘 수 없습니다. 다른 담당자가 해야 합니다.",
            "Whoever recorded it cannot take it back; another person has to.",
        )
    terms = (found.site_id, found.law, reason.strip(), found.in_force_on, found.in_force_at)
    _write_duty(conn, city, new_id(), terms, duty_id, actor, clock)
    proof.audit(
        conn, city, actor, "legal-duty.withdrawn", "site", str(found.site_id),
        {"law": found.law, "in_force_on": found.in_force_on}, {"reason": reason},
    )  # fmt: skip
    return None


def site_duties(conn: Connection, city: str, project_id: UUID) -> list[SiteDuty]:
    """Duties recorded for a project's members, earliest first."""
    found = rows(
        conn,
        """SELECT d.id, d.site_id, d.law, d.text, d.in_force_on, d.in_force_at, d.actor,
          EXISTS (SELECT FROM footprint_site_duty w WHERE w.city = d.city AND w.withdraws = d.id)
            AS withdrawn
        FROM footprint_site_duty d
        JOIN footprint_project_site s ON s.city = d.city AND s.id = d.site_id
        WHERE d.city = %s AND s.project_id = %s AND d.withdraws IS NULL
        ORDER BY d.in_force_on, d.id""",
        (city, project_id),
    )
    return [SiteDuty(**row) for row in found]


def excluded(
    conn: Connection, city: str, owner: Project, claims: Iterable[Claim], zone: ZoneInfo
) -> list[Exclusion]:
    """The claims that a member cannot be credited for, in whole or in part, each with the reason.

    A claim is a member's when one of its meters is: by the meter's link to the site, else by the
    site's own entity."""
    members = {one.id: one for one in sites(conn, city, owner.id)}
    spans, laws = creditings(conn, city, owner.id), site_duties(conn, city, owner.id)
    if not spans and not laws:
        return []
    of_meter = _meters(conn, city, owner.id, members)
    made: list[Exclusion] = []
    for held in claims:
        whose = {of_meter.get(line.meter, of_meter.get(_entity(line.meter))) for line in held.lines}
        reasons = [
            one
            for site_id in sorted(found for found in whose if found is not None)
            for one in _against(held, members[site_id], spans.get(site_id), laws, zone)
        ]
        if len(whose) > 1:  # several members in one claim: none of them can be left out alone
            reasons = [replace(one, whole=False) for one in reasons]
        made += [one for one in reasons if one.whole][:1] or reasons[:1]
    return made


def _entity(meter: str) -> str:
    return meter.partition("#")[0]


def _meters(
    conn: Connection, city: str, project_id: UUID, members: dict[UUID | None, Site]
) -> dict[str, UUID]:
    made = {one.entity: one.id for one in members.values() if one.entity and one.id is not None}
    for row in rows(
        conn,
        """SELECT site_id, entity || '#' || attribute AS meter FROM footprint_project_device
        WHERE city = %s AND project_id = %s AND site_id IS NOT NULL""",
        (city, project_id),
    ):
        made[row["meter"]] = row["site_id"]
    return made


def _against(
    held: Claim, site: Site, span: SiteCrediting | None, laws: Sequence[SiteDuty], zone: ZoneInfo
) -> list[Exclusion]:
    made: list[Exclusion] = []
    law = next((d for d in laws if d.site_id == site.id and not d.withdrawn), None)
    if law is not None and held.period.end > law.in_force_at:
        facts = {"law": law.law, "from": law.in_force_on.isoformat(), "site": site.code}
        whole = held.period.start >= law.in_force_at
        made.append(Exclusion(held.id, site, DUTY, facts, whole))
    if span is not None:
        ends = span.ends if site.left_on is None else min(span.ends, site.left_on)
        facts = {"site": site.code, "starts": span.starts.isoformat(), "ends": ends.isoformat()}
        if ends <= span.starts:
            return [*made, Exclusion(held.id, site, OUTSIDE, facts, True)]
        credited = local_days(span.starts, ends, zone)
        if held.period.start < credited.start or held.period.end > credited.end:
            whole = held.period.end <= credited.start or held.period.start >= credited.end
            made.append(Exclusion(held.id, site, OUTSIDE, facts, whole))
    return made


def divided(one: Exclusion) -> Refusal:
    """Why a claim of which a member may have a part only is not taken: member-straddles."""
    return Refusal(
        "member-straddles",
        f"사업장 {one.site.code}의 인정되는 날과 아닌 날이 한 청구에 섞여 있습니다."
        " 날을 나누어 청구해 주세요.",
        f"A claim mixes days of the member {one.site.code} that count with days that do not;"
        " claim them apart.",
        {"claim": str(one.claim_id), "code": one.code, **one.facts},
    )


def all_excluded(found: Sequence[Exclusion]) -> Refusal:
    """Why a submission with nothing left is not taken: its first exclusion, by name."""
    one = found[0]
    ko, en = words(one)
    return Refusal(one.code, ko, en, {"claim": str(one.claim_id), **one.facts})


def words(one: Exclusion) -> tuple[str, str]:
    """An exclusion's reason in Korean and English."""
    facts, code = one.facts, one.site.code
    if one.code == DUTY:
        return (
            f"사업장 {code}: {facts['from']}부터 {facts['law']}에 따른 의무입니다.",
            f"Member {code}: from {facts['from']} it is a duty under {facts['law']}.",
        )
    return (
        f"사업장 {code}: 그 사업장의 인증 기간({facts['starts']}–{facts['ends']}) 밖입니다.",
        f"Member {code}: outside its own crediting ({facts['starts']} to {facts['ends']}).",
    )


def keep_exclusions(
    conn: Connection, city: str, monitoring_id: UUID, found: Sequence[Exclusion], actor: str,
    clock: Clock,
) -> None:  # fmt: skip
    """Write what a submission leaves out, in place of what an earlier one did."""
    execute(
        conn,
        "DELETE FROM footprint_member_exclusion WHERE city = %s AND monitoring_id = %s",
        (city, monitoring_id),
    )
    for one in found:
        execute(
            conn,
            """INSERT INTO footprint_member_exclusion (city, monitoring_id, claim_id, site_id, code,
              facts, created_at) VALUES (%s,%s,%s,%s,%s,%s,%s)""",
            (
                city, monitoring_id, one.claim_id, one.site.id, one.code, Jsonb(one.facts),
                clock.now(),
            ),
        )  # fmt: skip
        proof.audit(
            conn, city, actor, "monitoring.claim-excluded", "monitoring", str(monitoring_id), None,
            {"claim": one.claim_id, "code": one.code, **one.facts},
        )  # fmt: skip


def exclusions(conn: Connection, city: str, owner: Project) -> list[tuple[UUID, Exclusion]]:
    """What a project's submissions leave out, with the period of each."""
    found = rows(
        conn,
        """SELECT x.monitoring_id, x.claim_id, x.site_id, x.code, x.facts
        FROM footprint_member_exclusion x
        JOIN footprint_monitoring m ON m.city = x.city AND m.id = x.monitoring_id
        WHERE x.city = %s AND m.project_id = %s ORDER BY x.monitoring_id, x.claim_id""",
        (city, owner.id),
    )
    members = {one.id: one for one in sites(conn, city, owner.id)}
    return [
        (
            row["monitoring_id"],
            Exclusion(row["claim_id"], members[row["site_id"]], row["code"], row["facts"], True),
        )
        for row in found
    ]


def _site(conn: Connection, city: str, site_id: UUID) -> tuple[Project, Site] | None:
    found = rows(
        conn, "SELECT project_id FROM footprint_project_site WHERE city = %s AND id = %s",
        (city, site_id),
    )  # fmt: skip
    if not found:
        return None
    owner = project(conn, city, found[0]["project_id"])
    assert owner is not None
    return owner, next(one for one in sites(conn, city, owner.id) if one.id == site_id)


def _unknown() -> Refusal:
    return _no("unknown-site", "사업장을 찾을 수 없습니다.", "There is no such site.")


def _no(code: str, ko: str, en: str) -> Refusal:
    return Refusal(code, ko, en)
