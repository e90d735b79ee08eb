"""What the registry gives to others: projects that have units, and everything public about them."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from onsil.core.database import Connection
from onsil.core.periods import local_day
from onsil.core.refusal import Refusal
from onsil.footprint import credits
from onsil.footprint.factors import factor_programmes
from onsil.footprint.methodologies import methodology
from onsil.footprint.projects import (
    Bench,
    CreditingPeriod,
    Design,
    Standing,
    basis,
    bench,
    crediting_periods,
    current_design,
    engagements,
    monitoring,
    projects,
    standing,
)
from onsil.footprint.rows import claim_of, run
from onsil.footprint.terms import CreditBatch, Monitoring, Project, Retirement

CARBON = "tCO2e"


@dataclass(frozen=True)
class Registry:
    """Who gives the records: the city's name, the address of its public registry, its zone."""

    city: str
    city_name: str
    address: str
    zone: ZoneInfo

    @property
    def name(self) -> str:
        return f"Onsil {self.city_name}"

    def day(self, at: datetime) -> str:
        return local_day(at, self.zone).isoformat()


@dataclass(frozen=True)
class Method:
    """A version of a methodology under which units were issued."""

    id: str
    version: str
    title: str


@dataclass(frozen=True)
class Units:
    """A live block, when and why it came to be so, and the retirements that it is of."""

    found: credits.FoundUnits
    since: datetime
    reason: str
    retirements: tuple[Retirement, ...]


@dataclass(frozen=True)
class Issued:
    """A batch, its period, the method of its claims, its units and statements about them."""

    batch: CreditBatch
    monitoring: Monitoring
    method: Method
    units: tuple[Units, ...]
    labels: tuple[credits.Label, ...]
    adjustment: credits.Adjustment


@dataclass(frozen=True)
class Record:
    """A project with its batches. `planned` are units expected and not issued yet."""

    project: Project
    programme: str
    design: Design | None
    standing: Standing
    crediting: tuple[CreditingPeriod, ...]
    benches: tuple[Bench, ...]
    issued: tuple[Issued, ...]
    planned: tuple[credits.Planned, ...]

    def verifier(self, monitoring_id: UUID | None) -> Bench | None:
        """The newest engagement on a period (None: on the design) that came to a positive end."""
        for one in self.benches:
            fits = one.engagement.monitoring_id == monitoring_id
            if fits and one.opinions and one.opinions[0].outcome in ("positive", "qualified"):
                return one
        return None


def records(conn: Connection, city: str) -> list[Record]:
    """Every project of the city that has carbon units, by code.

    Left out: projects without units (nothing of them is public yet), units brought in from other
    registries (theirs to report), and units that are not tonnes of CO2e.
    """
    names = {key: one.en for key, one in factor_programmes().items()}
    made = []
    for project in projects(conn, city):
        batches = [b for b in credits.batches(conn, city, project.id) if b.unit == CARBON]
        if batches:
            made.append(_record(conn, city, project, batches, names.get(project.programme, "")))
    return made


def _record(
    conn: Connection, city: str, project: Project, batches: list[CreditBatch], programme: str
) -> Record:
    issued = [_issued(conn, city, project, one) for one in batches]
    return Record(
        project,
        programme or project.programme,
        current_design(conn, city, project.id),
        standing(conn, city, project.id),
        tuple(crediting_periods(conn, city, project)),
        tuple(bench(conn, city, one) for one in engagements(conn, city, project.id)),
        tuple(sorted(issued, key=lambda one: one.batch.serial_first)),
        tuple(p for p in credits.planned(conn, city) if p.project_id == project.id and p.open),
    )


def _issued(conn: Connection, city: str, project: Project, batch: CreditBatch) -> Issued:
    period = monitoring(conn, city, batch.monitoring_id)
    assert period is not None
    blocks = credits.search(conn, city, credits.UnitQuery(batch_id=batch.id), limit=100_000).rows
    return Issued(
        batch,
        period,
        _method(conn, city, project, period),
        tuple(_units(conn, city, one) for one in reversed(blocks)),
        tuple(credits.labels_of(conn, city, batch.id)),
        credits.adjustment(conn, city, batch.id),
    )


def _method(conn: Connection, city: str, project: Project, period: Monitoring) -> Method:
    """The version that the period was submitted under; older periods: their first run's."""
    rests = basis(conn, city, period.id)
    version = "" if rests is None else rests.methodology_version
    if not version and period.claim_ids:
        held = claim_of(conn, city, period.claim_ids[0])
        made = None if held is None else run(conn, city, held.run_id)
        version = "" if made is None else made.version
    known = methodology(project.methodology, version or None)
    title = "" if isinstance(known, Refusal) else known.TITLE_EN
    return Method(project.methodology, version, title or project.methodology)


def _units(conn: Connection, city: str, found: credits.FoundUnits) -> Units:
    born = credits.event(conn, city, found.block.born_by)
    assert born is not None
    ids = credits.retirements_of(conn, city, found.block)
    used = [credits.retirement(conn, city, one) for one in ids]
    return Units(found, born.created_at, born.kind, tuple(one for one in used if one is not None))
