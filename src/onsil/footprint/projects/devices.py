"""The meters of a project in their roles, and the certificates of their calibrations."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from psycopg.types.range import Range

from onsil import proof
from onsil.core.clock import Clock
from onsil.core.database import Connection
from onsil.core.ids import new_id
from onsil.core.refusal import Refusal
from onsil.footprint.projects.registration import project, unknown_project
from onsil.footprint.store import execute, lock, rows


@dataclass(frozen=True)
class Device:
    """A meter in its role, with the days (last excluded) for which it holds a certificate."""

    id: UUID
    role: str
    entity: str
    attribute: str
    since: date
    site_id: UUID | None
    calibrated: tuple[tuple[date, date, str], ...]

    @property
    def meter(self) -> str:
        return f"{self.entity}#{self.attribute}"

    def calibrated_on(self, day: date) -> bool:
        return any(first <= day < last for first, last, _ in self.calibrated)


def link_device(
    conn: Connection, city: str, project_id: UUID, role: str, meter: str, since: date, actor: str,
    clock: Clock, site_id: UUID | None = None,
) -> Device | Refusal:  # fmt: skip
    """Name a meter ("entity#attribute") of the project; the same again gives the one there.

    Refused: unknown-project, meter-invalid.
    """
    if project(conn, city, project_id) is None:
        return unknown_project()
    entity, _, attribute = meter.partition("#")
    if not entity or not attribute or not role.strip():
        return Refusal(
            "meter-invalid",
            "계량기는 ‘개체#속성’으로 적어 주세요.",
            "A meter is written entity#attribute.",
        )
    lock(conn, city, [f"devices {project_id}"])
    same = [d for d in devices(conn, city, project_id) if (d.role, d.meter) == (role, meter)]
    if same:
        return same[0]
    identifier = new_id()
    execute(
        conn,
        """INSERT INTO footprint_project_device (city, id, project_id, site_id, role, entity,
          attribute, since, actor, created_at) VALUES (%s,%s,%s,%s,%s,%s,%s,%s,%s,%s)""",
        (
            city, identifier, project_id, site_id, role.strip(), entity, attribute, since, actor,
            clock.now(),
        ),
    )  # fmt: skip
    proof.audit(
        conn, city, actor, "project.device", "project", str(project_id), None,
        {"role": role, "meter": meter, "since": since},
    )  # fmt: skip
    return Device(identifier, role.strip(), entity, attribute, since, site_id, ())


def add_calibration(
    conn: Connection, city: str, device_id: UUID, first: date, until: date, certificate: str,
    actor: str, clock: Clock, document_id: UUID | None = None,
) -> Refusal | None:  # fmt: skip
    """Record a certificate that holds from a day until another (excluded).

    Refused: unknown-device, dates-invalid, certificate-missing.
    """
    found = rows(
        conn,
        "SELECT project_id FROM footprint_project_device WHERE city = %s AND id = %s",
        (city, device_id),
    )
    if not found:
        return Refusal("unknown-device", "계량기를 찾을 수 없습니다.", "There is no such meter.")
    if until <= first:
        return Refusal("dates-invalid", "끝이 시작보다 빠릅니다.", "It ends before it begins.")
    if not certificate.strip():
        return Refusal(
            "certificate-missing", "성적서 번호를 적어 주세요.", "Please give the certificate."
        )
    execute(
        conn,
        """INSERT INTO footprint_calibration (city, id, device_id, valid, certificate,
          document_id, actor, created_at) VALUES (%s,%s,%s,%s,%s,%s,%s,%s)""",
        (
            city, new_id(), device_id, Range[date](first, until), certificate.strip(),
            document_id, actor, clock.now(),
        ),
    )  # fmt: skip
    proof.audit(
        conn, city, actor, "project.calibration", "project", str(found[0]["project_id"]), None,
        {"device": device_id, "first": first, "until": until, "certificate": certificate},
    )  # fmt: skip
    return None


def devices(conn: Connection, city: str, project_id: UUID) -> list[Device]:
    """The project's meters by role, each with its certificates."""
    found = rows(
        conn,
        """SELECT d.id, d.role, d.entity, d.attribute, d.since, d.site_id,
          c.valid, c.certificate
        FROM footprint_project_device d
        LEFT JOIN footprint_calibration c ON c.city = d.city AND c.device_id = d.id
        WHERE d.city = %s AND d.project_id = %s ORDER BY d.role, d.entity, d.attribute, c.valid""",
        (city, project_id),
    )
    made: dict[UUID, Device] = {}
    for row in found:
        valid, certificate = row.pop("valid"), row.pop("certificate")
        held = made.get(row["id"]) or Device(calibrated=(), **row)
        if valid is not None:
            more = (valid.lower, valid.upper, certificate)
            held = Device(calibrated=(*held.calibrated, more), **row)
        made[row["id"]] = held
    return list(made.values())
