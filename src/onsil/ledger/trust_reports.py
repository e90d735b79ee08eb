"""The daily trust reports: once a day, never changed, each a leaf of the transparency log."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from psycopg.types.json import Jsonb

from onsil import proof
from onsil.core.canonical import plain
from onsil.core.clock import Clock
from onsil.core.database import Connection, cursor
from onsil.core.ids import new_id
from onsil.core.periods import local_day
from onsil.ledger.circulation import backing
from onsil.ledger.rules import trust
from onsil.ledger.rules.trust import TrustProof, TrustRule
from onsil.proof import PagedSource

LEAF = "trust-report"
_COLUMNS = "id, day, as_of, figures, covered"


@dataclass(frozen=True)
class TrustReport:
    """One day's proof as it was recorded; `figures` are `rules.trust.canonical`'s."""

    id: UUID
    day: date
    as_of: datetime
    figures: Mapping[str, Any]
    covered: bool

    @property
    def required(self) -> int:
        return self.figures["required_krw"]

    @property
    def cover(self) -> int:
        return self.figures["trust_krw"] + self.figures["insured_krw"]

    @property
    def surplus(self) -> int:
        return self.cover - self.required


def prove(conn: Connection, city: str, rule: TrustRule, clock: Clock) -> TrustProof:
    """The proof as of now; nothing is recorded."""
    found = backing(conn, city)
    return trust.prove(
        as_of=clock.now(), trust=found.trust, liabilities=found.held, rule=rule,
        payable=found.payable, interest=found.interest,
    )  # fmt: skip


def record(
    conn: Connection, city: str, rule: TrustRule, clock: Clock, zone: ZoneInfo
) -> TrustReport:
    """Record today's proof and log it; asked again that day it gives the report there is."""
    day = local_day(clock.now(), zone)
    with cursor(conn) as run:
        run.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (f"trust-report:{city}",)
        )
    known = report_of(conn, city, day)
    if known is not None:
        return known
    found = prove(conn, city, rule, clock)
    figures = plain(trust.canonical(found, city))
    made = TrustReport(new_id(), day, found.as_of, figures, found.covered)
    with cursor(conn) as run:
        run.execute(
            """INSERT INTO trust_report (city, day, id, as_of, figures, covered)
            VALUES (%s, %s, %s, %s, %s, %s)""",
            (city, made.day, made.id, made.as_of, Jsonb(figures), made.covered),
        )
    proof.append(conn, city, LEAF, made.id, _leaf(made))
    return made


def report_of(conn: Connection, city: str, day: date) -> TrustReport | None:
    """A day's report; None when none was made."""
    with cursor(conn) as run:
        row = run.execute(
            f"SELECT {_COLUMNS} FROM trust_report WHERE city = %s AND day = %s",  # noqa: S608
            (city, day),
        ).fetchone()
    return TrustReport(*row) if row else None


def reports(conn: Connection, city: str, limit: int = 90) -> list[TrustReport]:
    """The newest reports first."""
    with cursor(conn) as run:
        rows = run.execute(
            f"SELECT {_COLUMNS} FROM trust_report WHERE city = %s ORDER BY day DESC LIMIT %s",  # noqa: S608
            (city, limit),
        ).fetchall()
    return [TrustReport(*row) for row in rows]


def _leaf(made: TrustReport) -> dict[str, Any]:
    return {"day": made.day, "covered": made.covered, "figures": made.figures}


def _page(
    conn: Connection, city: str, after: UUID | None, limit: int
) -> list[tuple[UUID, Mapping[str, Any]]]:
    with cursor(conn) as run:
        rows = run.execute(
            f"""SELECT {_COLUMNS} FROM trust_report
            WHERE city = %s AND (%s::uuid IS NULL OR id > %s::uuid) ORDER BY id LIMIT %s""",  # noqa: S608
            (city, after, after, limit),
        ).fetchall()
    return [(row[0], _leaf(TrustReport(*row))) for row in rows]


entry_source = PagedSource(_page)
"""The live rows behind leaves of kind `trust-report`."""
