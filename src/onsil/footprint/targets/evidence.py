"""What shows that a measure happened: runs and claims first, papers where nothing is measured."""

from collections.abc import Iterable
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

import psycopg

from onsil import proof
from onsil.core.clock import Clock
from onsil.core.database import Connection
from onsil.core.ids import new_id
from onsil.core.periods import local_year
from onsil.core.refusal import Refusal
from onsil.footprint import rows as stored
from onsil.footprint.store import execute, lock, rows, savepoint
from onsil.footprint.targets.plans import measure, unknown_measure
from onsil.footprint.targets.terms import EVIDENCE_KINDS, Evidence
from onsil.footprint.terms import Claim, Run

_EVIDENCE = """SELECT e.id, e.measure_id, e.year, e.kind, e.subject, e.quantity, e.co2e_t, e.note,
  e.actor, e.created_at, EXISTS (SELECT FROM footprint_measure_evidence_withdrawn w
    WHERE w.city = e.city AND w.evidence_id = e.id) AS withdrawn
  FROM footprint_measure_evidence e"""


def link_evidence(
    conn: Connection,
    city: str,
    measure_id: UUID,
    year: int,
    kind: str,
    subject: str,
    actor: str,
    clock: Clock,
    *,
    quantity: Decimal | None = None,
    co2e_t: Decimal | None = None,
    note: str = "",
    zone_key: str = "Asia/Seoul",
) -> Evidence | Refusal:
    """Put a run, a claim or a paper behind a measure in a year; the same again gives that one.

    A run or claim (`subject` is its id) brings its own tonnes and quantity: figures stated beside
    it are refused. A `document` states what the paper says and names it in `note`.

    Refused: `unknown-measure`, `evidence-kind`, `unknown-run`, `unknown-claim`,
    `not-measurable`, `year-differs` when the run lies outside the year, `evidence-figures`,
    `evidence-used` when it serves another measure already.
    """
    if measure(conn, city, measure_id) is None:
        return unknown_measure(measure_id)
    if kind not in EVIDENCE_KINDS or not subject.strip():
        return Refusal(
            "evidence-kind",
            f"근거의 종류는 {', '.join(EVIDENCE_KINDS)} 가운데 하나여야 합니다.",
            f"Evidence is one of {', '.join(EVIDENCE_KINDS)}.",
        )
    if kind == "document":
        figures = (quantity, co2e_t) if note.strip() else _figures_refusal()
    elif quantity is not None or co2e_t is not None:
        figures = _figures_refusal()
    else:
        figures = _figures(conn, city, kind, subject, year, zone_key)
    if isinstance(figures, Refusal):
        return figures
    lock(conn, city, [f"evidence {kind} {subject}"])
    for one in evidence_of(conn, city, kind, subject):
        same = (one.measure_id, one.year, one.quantity, one.co2e_t, one.note)
        return one if same == (measure_id, year, *figures, note) else _used(one)
    made = new_id()
    try:
        with savepoint(conn):
            execute(
                conn,
                """INSERT INTO footprint_measure_evidence (city, id, measure_id, year, kind,
                  subject, quantity, co2e_t, note, actor, created_at)
                VALUES (%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s)""",
                (city, made, measure_id, year, kind, subject, *figures, note, actor, clock.now()),
            )
    except psycopg.errors.UniqueViolation:
        return _used(None)
    proof.audit(
        conn, city, actor, "measure.evidence", "measure", str(measure_id), None,
        {"year": year, "kind": kind, "subject": subject, "co2e_t": figures[1]},
    )  # fmt: skip
    return Evidence(**rows(conn, f"{_EVIDENCE} WHERE e.city = %s AND e.id = %s", (city, made))[0])


def _figures_refusal() -> Refusal:
    return Refusal(
        "evidence-figures",
        "산정과 등록은 자기 값을 가져옵니다. 값은 문서 근거에만, 문서 이름과 함께 적습니다.",
        "A run or claim brings its own figures. State figures for a paper only, and name it.",
    )


def _figures(
    conn: Connection, city: str, kind: str, subject: str, year: int, zone_key: str
) -> tuple[Decimal | None, Decimal | None] | Refusal:
    """Quantity and tonnes of a run or claim; the quantity only where its lines share one unit."""
    try:
        key = UUID(subject)
    except ValueError:
        return stored.unknown_run(UUID(int=0))
    found: Run | Claim | None
    found = stored.run(conn, city, key) if kind == "run" else stored.claim_of(conn, city, key)
    if found is None:
        return Refusal(
            f"unknown-{kind}",
            f"근거 {subject}을(를) 찾을 수 없습니다.",
            f"There is no {kind} {subject}.",
        )
    if isinstance(found, Run) and not found.measurable:
        return Refusal(
            "not-measurable",
            "측정 가능한 감축량이 없는 산정은 근거가 될 수 없습니다.",
            "A run that found nothing measurable cannot be evidence.",
        )
    whole = local_year(year, ZoneInfo(zone_key))
    if found.period.start < whole.start or found.period.end > whole.end:
        return Refusal(
            "year-differs",
            f"산정 기간이 {year}년 안에 있지 않습니다.",
            f"Its period does not lie within {year}.",
            {"start": found.period.start.isoformat(), "end": found.period.end.isoformat()},
        )
    units = {line.unit for line in found.lines}
    amount = sum((line.amount for line in found.lines), Decimal(0)) if len(units) == 1 else None
    return amount, found.co2e_t


def _used(one: Evidence | None) -> Refusal:
    return Refusal(
        "evidence-used",
        "이 근거는 이미 다른 과제나 연도에 쓰이고 있습니다. 한 감축량은 한 과제에만 셉니다.",
        "This evidence already serves another measure or year. A reduction counts for one only.",
        {} if one is None else {"measure": str(one.measure_id), "year": one.year},
    )


def withdraw_evidence(
    conn: Connection, city: str, evidence_id: UUID, reason: str, actor: str, clock: Clock
) -> Evidence | Refusal:
    """Take evidence back, with a reason; it stays on record and counts no more.

    Refused: `unknown-evidence`, `reason-missing`.
    """
    lock(conn, city, [f"evidence withdrawn {evidence_id}"])
    statement = f"{_EVIDENCE} WHERE e.city = %s AND e.id = %s"
    found = rows(conn, statement, (city, evidence_id))
    if not found:
        return Refusal(
            "unknown-evidence", "근거를 찾을 수 없습니다.", f"There is no evidence {evidence_id}."
        )
    if not reason.strip():
        return Refusal("reason-missing", "사유를 적어 주세요.", "Please give the reason.")
    before = Evidence(**found[0])
    if before.withdrawn:
        return before
    execute(
        conn,
        """INSERT INTO footprint_measure_evidence_withdrawn
        (city, evidence_id, reason, actor, created_at) VALUES (%s,%s,%s,%s,%s)""",
        (city, evidence_id, reason, actor, clock.now()),
    )
    proof.audit(
        conn, city, actor, "measure.evidence-withdrawn", "measure", str(before.measure_id),
        {"evidence": evidence_id, "subject": before.subject}, {"reason": reason},
    )  # fmt: skip
    return Evidence(**rows(conn, statement, (city, evidence_id))[0])


def evidence_of(conn: Connection, city: str, kind: str, subject: str) -> list[Evidence]:
    """The evidence in force that rests on one run, claim or paper."""
    found = rows(
        conn,
        f"{_EVIDENCE} WHERE e.city = %s AND e.kind = %s AND e.subject = %s ORDER BY e.id",
        (city, kind, subject),
    )
    return [one for row in found if not (one := Evidence(**row)).withdrawn]


def evidence(
    conn: Connection, city: str, measure_ids: Iterable[UUID], year: int | None = None
) -> list[Evidence]:
    """Evidence of measures, oldest first, withdrawn ones with it, optionally of one year."""
    found = rows(
        conn,
        f"""{_EVIDENCE} WHERE e.city = %(city)s AND e.measure_id = ANY(%(ids)s)
          AND (%(year)s::int IS NULL OR e.year = %(year)s::int) ORDER BY e.id""",
        {"city": city, "ids": list(measure_ids), "year": year},
    )
    return [Evidence(**row) for row in found]
