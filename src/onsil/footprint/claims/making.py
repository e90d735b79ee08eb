"""Making a claim: what is asked for, who stands in the way, what is written down."""

import json
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

import psycopg

from onsil import proof
from onsil.core.clock import Clock, SystemClock
from onsil.core.database import Connection
from onsil.core.ids import new_id
from onsil.core.periods import Period
from onsil.core.refusal import Refusal
from onsil.footprint import rows
from onsil.footprint.claims import journal
from onsil.footprint.claims.boundaries import wholes
from onsil.footprint.claims.parts import SCALE, Part, part_of
from onsil.footprint.claims.programmes import UNIT_KINDS, kind_of, not_creditable
from onsil.footprint.claims.reading import held_against
from onsil.footprint.quality.findings import blocked
from onsil.footprint.store import as_range, execute, lock_many, savepoint
from onsil.footprint.store import rows as select
from onsil.footprint.terms import FULL_SHARE, Claim, Run


def claim(
    conn: Connection,
    city: str,
    run_id: UUID,
    programme: str,
    shares: tuple[int, int] = FULL_SHARE,
    actor: str = "system",
    clock: Clock | None = None,
    *,
    period: Period | None = None,
) -> Claim | Refusal:
    """Claim a share, in ten-thousandths [from, to), of what a run found, for a programme.

    `period` claims only a part of the run's period: whole days or months of it. The same run,
    programme, share and period again give the claim that is already there.

    Refused: `unknown-run`, `share-invalid`, `not-measurable` for a run without a quantity,
    `quality-blocked` for one with a blocking finding, `not-creditable` for tonnes that are for
    rewards only, the codes of `part_of`, `claim-conflict` with both sides in its facts when
    another claim holds any of it, and `claim-elsewhere` when another city's books hold it. Both
    are also written into the journal of refused attempts.
    """
    if not 0 <= shares[0] < shares[1] <= SCALE:
        return Refusal(
            "share-invalid",
            f"몫 {shares}은(는) 0 이상 {SCALE} 이하의 구간이어야 합니다.",
            f"The share {shares} is not a range within 0 to {SCALE}.",
            {"share": list(shares)},
        )
    found = rows.run(conn, city, run_id)
    if found is None:
        return rows.unknown_run(run_id)
    refusal = _claimable(conn, city, found, programme)
    if refusal is not None:
        return refusal
    wanted = part_of(
        found, shares, period, _zone(conn, city, run_id), _deducted(conn, city, run_id)
    )
    if isinstance(wanted, Refusal):
        return wanted
    return _claimed(conn, city, found, programme, shares, wanted, actor, clock or SystemClock())


def _claimed(
    conn: Connection,
    city: str,
    found: Run,
    programme: str,
    shares: tuple[int, int],
    wanted: Part,
    actor: str,
    clock: Clock,
) -> Claim | Refusal:
    # Two inserts that meet in an exclusion constraint may each wait for the other; taking the
    # meters in order first keeps that from happening. The constraint decides all the same.
    lock_many(conn, city, "claim", wholes(conn, city, [line.meter for line in wanted.lines]))
    against = held_against(conn, city, found, wanted, shares)
    for held in against:
        same = (held.run_id, held.programme, held.share_from, held.share_to, held.period)
        if same == (found.id, programme, *shares, wanted.period):
            return held
    if not against:
        try:
            with savepoint(conn):
                return _insert(conn, city, found, programme, shares, wanted, actor, clock)
        except psycopg.errors.ExclusionViolation as error:
            if error.diag.constraint_name == "footprint_claimed_in_one_city":
                refusal = journal.elsewhere(found, programme, shares, wanted)
                journal.note(
                    conn, city, refusal, found, programme, shares, wanted, [], actor, clock
                )
                return refusal
            against = held_against(conn, city, found, wanted, shares)
    refusal = journal.conflict(found, programme, shares, wanted, against)
    journal.note(conn, city, refusal, found, programme, shares, wanted, against, actor, clock)
    return refusal


def _claimable(conn: Connection, city: str, found: Run, programme: str) -> Refusal | None:
    if not found.measurable or not found.lines:
        return Refusal(
            "not-measurable",
            "측정 가능한 감축량이 없는 산정이므로 배타 청구할 수 없습니다.",
            "This quantification found nothing that could be claimed.",
            {"run": str(found.id), "status": found.status},
        )
    stopped = blocked(conn, city, found.id)
    if stopped is not None:
        return stopped
    if kind_of(programme) in UNIT_KINDS:
        creditable = select(
            conn,
            "SELECT creditable FROM footprint_run WHERE city = %s AND id = %s",
            (city, found.id),
        )
        if not creditable[0]["creditable"]:
            return not_creditable(found, programme)
    return None


def _deducted(conn: Connection, city: str, run_id: UUID) -> dict[str, Decimal]:
    """What findings take off each meter's amount, in per cent."""
    found = select(
        conn,
        """SELECT subject, facts ->> 'deduct_pct' AS pct FROM footprint_findings_now(%s, %s)
        WHERE severity = 'discount'""",
        (city, run_id),
    )
    return {row["subject"]: Decimal(row["pct"]) for row in found}


def _zone(conn: Connection, city: str, run_id: UUID) -> ZoneInfo:
    texts = rows.run_texts(conn, city, run_id)
    assert texts is not None
    return ZoneInfo(json.loads(texts["inputs"])["zone"])


def _insert(
    conn: Connection,
    city: str,
    found: Run,
    programme: str,
    shares: tuple[int, int],
    wanted: Part,
    actor: str,
    clock: Clock,
) -> Claim:
    made, period = new_id(), as_range(wanted.period)
    execute(
        conn,
        """INSERT INTO footprint_claim
        (city, id, run_id, programme, share, period, co2e_t, energy_wh, actor, created_at)
        VALUES (%s, %s, %s, %s, int4range(%s, %s), %s, %s, %s, %s, %s)""",
        (
            city, made, found.id, programme, *shares, period, wanted.co2e_t, wanted.energy_wh,
            actor, clock.now(),
        ),
    )  # fmt: skip
    held = sorted(wanted.lines, key=lambda line: (line.meter, line.quantity))
    execute(
        conn,
        """INSERT INTO footprint_claim_line
        (city, claim_id, meter, quantity, share, period, amount, unit)
        SELECT %s, %s, m, q, int4range(%s, %s), %s, a, u
        FROM unnest(%s::text[], %s::text[], %s::numeric[], %s::text[]) AS l (m, q, a, u)""",
        (
            city, made, *shares, period, [x.meter for x in held], [x.quantity for x in held],
            [x.amount for x in held], [x.unit for x in held],
        ),
    )  # fmt: skip
    stored = rows.claim_of(conn, city, made)
    assert stored is not None
    proof.append(conn, city, "claim", made, rows.claim_entry(stored))
    proof.audit(
        conn, city, actor, "claim.made", "claim", str(made), None,
        {
            "run": found.id, "programme": programme, "share": list(shares),
            "start": wanted.period.start, "end": wanted.period.end, "co2e_t": wanted.co2e_t,
        },
    )  # fmt: skip
    return stored
