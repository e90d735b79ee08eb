"""Claims: one programme's exclusive hold on a physical quantity. PostgreSQL has the last word."""

from decimal import localcontext
from uuid import UUID

import psycopg

from onsil import proof
from onsil.core.clock import Clock, SystemClock
from onsil.core.database import Connection
from onsil.core.ids import new_id
from onsil.core.refusal import Refusal
from onsil.footprint import rows
from onsil.footprint.engine import ARITHMETIC
from onsil.footprint.store import as_range, execute, lock_many, savepoint
from onsil.footprint.terms import FULL_SHARE, Claim, Run

_SCALE = 10_000
_SHOWN = 5  # meters in a sentence; the facts have them all


def claim(
    conn: Connection,
    city: str,
    run_id: UUID,
    programme: str,
    shares: tuple[int, int] = FULL_SHARE,
    actor: str = "system",
    clock: Clock | None = None,
) -> Claim | Refusal:
    """Claim a share, in ten-thousandths [from, to), of everything a run found, for a programme.

    The same run, programme and share again give the claim that is already there.

    Refused: `unknown-run`, `share-invalid`, `not-measurable` for a run without a quantity, and
    `claim-conflict` with both sides in its facts when another claim holds any of it.
    """
    if not 0 <= shares[0] < shares[1] <= _SCALE:
        return Refusal(
            "share-invalid",
            f"몫 {shares}은(는) 0 이상 {_SCALE} 이하의 구간이어야 합니다.",
            f"The share {shares} is not a range within 0 to {_SCALE}.",
            {"share": list(shares)},
        )
    found = rows.run(conn, city, run_id)
    if found is None:
        return rows.unknown_run(run_id)
    if not found.measurable or not found.lines:
        return Refusal(
            "not-measurable",
            "측정 가능한 감축량이 없는 산정이므로 배타 청구할 수 없습니다.",
            "This quantification found nothing that could be claimed.",
            {"run": str(run_id), "status": found.status},
        )
    # Two inserts that meet in an exclusion constraint may each wait for the other; taking the
    # meters in order first keeps that from happening. The constraint decides all the same.
    lock_many(conn, city, "claim", [line.meter for line in found.lines])
    against = rows.claims_against(conn, city, found, shares)
    for held in against:
        if (held.run_id, held.programme) == (run_id, programme) and shares == (
            held.share_from,
            held.share_to,
        ):
            return held
    if against:
        return _conflict(found, programme, shares, against)
    try:
        with savepoint(conn):
            return _insert(conn, city, found, programme, shares, actor, clock or SystemClock())
    except psycopg.errors.ExclusionViolation:
        return _conflict(found, programme, shares, rows.claims_against(conn, city, found, shares))


def _insert(
    conn: Connection,
    city: str,
    found: Run,
    programme: str,
    shares: tuple[int, int],
    actor: str,
    clock: Clock,
) -> Claim:
    made, width = new_id(), shares[1] - shares[0]
    with localcontext(ARITHMETIC):
        co2e_t = found.co2e_t * width / _SCALE
        energy_wh = found.energy_wh * width / _SCALE
        amounts = [line.amount * width / _SCALE for line in found.lines]
    execute(
        conn,
        """INSERT INTO footprint_claim
        (city, id, run_id, programme, share, period, co2e_t, energy_wh, actor, created_at)
        VALUES (%s, %s, %s, %s, int4range(%s, %s), %s, %s, %s, %s, %s)""",
        (
            city, made, found.id, programme, *shares, as_range(found.period), co2e_t, energy_wh,
            actor, clock.now(),
        ),
    )  # fmt: skip
    held = sorted(zip(found.lines, amounts, strict=True), key=lambda pair: pair[0].meter)
    execute(
        conn,
        """INSERT INTO footprint_claim_line
        (city, claim_id, meter, quantity, share, period, amount, unit)
        SELECT %s, %s, l.meter, l.quantity, int4range(%s, %s), %s, l.amount, l.unit
        FROM unnest(%s::text[], %s::text[], %s::numeric[], %s::text[])
          AS l (meter, quantity, amount, unit)""",
        (
            city, made, *shares, as_range(found.period), [line.meter for line, _ in held],
            [line.quantity for line, _ in held], [amount for _, amount in held],
            [line.unit for line, _ in held],
        ),
    )  # fmt: skip
    stored = rows.claim_of(conn, city, made)
    assert stored is not None
    proof.append(conn, city, "claim", made, rows.claim_entry(stored))
    proof.audit(
        conn, city, actor, "claim.made", "claim", str(made), None,
        {"run": found.id, "programme": programme, "share": list(shares), "co2e_t": co2e_t},
    )  # fmt: skip
    return stored


def _conflict(found: Run, programme: str, shares: tuple[int, int], against: list[Claim]) -> Refusal:
    """A refusal that shows both sides: what was asked for, and who holds it."""
    other = against[0]
    meters = ", ".join(line.meter for line in found.lines[:_SHOWN])
    if len(found.lines) > _SHOWN:
        meters += f" … ({len(found.lines)})"
    return Refusal(
        "claim-conflict",
        f"이미 청구된 감축량입니다. 요청: {programme} ({meters}, 몫 {shares[0]}–{shares[1]}). "
        f"보유: {other.programme} (청구 {other.id}, 몫 {other.share_from}–{other.share_to}, "
        f"{other.period.start:%Y-%m-%d}–{other.period.end:%Y-%m-%d}). "
        "한 감축량은 한 프로그램에서만 쓸 수 있습니다.",
        f"This reduction is already claimed. Asked for: {programme} ({meters}, share "
        f"{shares[0]}–{shares[1]}). Held by: {other.programme} (claim {other.id}, share "
        f"{other.share_from}–{other.share_to}, {other.period.start:%Y-%m-%d} to "
        f"{other.period.end:%Y-%m-%d}). A reduction serves one programme only.",
        {
            "mine": {"run": str(found.id), "programme": programme, "share": list(shares)},
            "theirs": [
                {
                    "claim": str(held.id),
                    "run": str(held.run_id),
                    "programme": held.programme,
                    "share": [held.share_from, held.share_to],
                    "start": held.period.start.isoformat(),
                    "end": held.period.end.isoformat(),
                    "meters": [line.meter for line in held.lines],
                }
                for held in against
            ],
        },
    )
