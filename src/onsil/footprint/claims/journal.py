"""Refusals that show both sides, and the journal of attempts that were refused."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from onsil import proof
from onsil.core.clock import Clock
from onsil.core.database import Connection
from onsil.core.ids import new_id
from onsil.core.periods import Period
from onsil.core.refusal import Refusal
from onsil.footprint.claims.parts import Part
from onsil.footprint.claims.programmes import kind_of
from onsil.footprint.store import as_period, as_range, execute
from onsil.footprint.store import rows as select
from onsil.footprint.terms import Claim, Run

_SHOWN = 3


@dataclass(frozen=True)
class Side:
    """A claim that stood in the way of another, as it was then."""

    claim_id: UUID
    programme: str
    kind: str
    share_from: int
    share_to: int
    period: Period
    meters: tuple[str, ...]


@dataclass(frozen=True)
class Attempt:
    """A claim that was asked for and refused: what was wanted, and who held it at the time."""

    id: UUID
    run_id: UUID
    code: str
    programme: str
    share_from: int
    share_to: int
    period: Period
    meters: tuple[str, ...]
    theirs: tuple[dict[str, Any], ...]
    actor: str
    created_at: datetime

    @property
    def kind(self) -> str:
        return kind_of(self.programme)

    @property
    def sides(self) -> tuple[Side, ...]:
        """Who stood in the way."""
        return tuple(
            Side(
                UUID(one["claim"]), one["programme"], one["kind"], one["share"][0],
                one["share"][1],
                Period(datetime.fromisoformat(one["start"]), datetime.fromisoformat(one["end"])),
                tuple(one["meters"]),
            )
            for one in self.theirs
        )  # fmt: skip


def _side(held: Claim) -> dict[str, Any]:
    return {
        "claim": str(held.id),
        "run": str(held.run_id),
        "programme": held.programme,
        "kind": held.kind,
        "share": [held.share_from, held.share_to],
        "start": held.period.start.isoformat(),
        "end": held.period.end.isoformat(),
        "meters": [line.meter for line in held.lines],
    }


def conflict(
    found: Run, programme: str, shares: tuple[int, int], wanted: Part, against: list[Claim]
) -> Refusal:
    """A refusal that shows both sides: what was asked for, and who holds it."""
    other, meters = against[0], [line.meter for line in wanted.lines]
    named = ", ".join(meters[:_SHOWN]) + (" …" if len(meters) > _SHOWN else "")
    asked = f"{wanted.period.start:%Y-%m-%d}–{wanted.period.end:%Y-%m-%d}"
    return Refusal(
        "claim-conflict",
        f"이미 청구된 감축량입니다. 요청: {programme} ({named}, 몫 {shares[0]}–{shares[1]}, "
        f"{asked}). 보유: {other.programme} (청구 {other.id}, 몫 {other.share_from}–"
        f"{other.share_to}, {other.period.start:%Y-%m-%d}–{other.period.end:%Y-%m-%d}). "
        "한 감축량은 한 프로그램에서만 쓸 수 있습니다.",
        f"This reduction is already claimed. Asked for: {programme} ({named}, share "
        f"{shares[0]}–{shares[1]}, {asked}). Held by: {other.programme} (claim {other.id}, share "
        f"{other.share_from}–{other.share_to}, {other.period.start:%Y-%m-%d} to "
        f"{other.period.end:%Y-%m-%d}). A reduction serves one programme only.",
        {
            "mine": _mine(found, programme, shares, wanted, meters),
            "theirs": [_side(held) for held in against],
        },
    )  # fmt: skip


def elsewhere(found: Run, programme: str, shares: tuple[int, int], wanted: Part) -> Refusal:
    """A refusal for what another city of this installation holds; whose it is, is not told."""
    meters = [line.meter for line in wanted.lines]
    return Refusal(
        "claim-elsewhere",
        "같은 계량기의 감축량이 다른 도시의 장부에서 이미 청구되었습니다. "
        "한 감축량은 한 도시에서만 쓸 수 있습니다.",
        "Reductions at one of these meters are claimed in another city's books already. "
        "A reduction serves one city only.",
        {"mine": _mine(found, programme, shares, wanted, meters), "theirs": []},
    )


def _mine(
    found: Run, programme: str, shares: tuple[int, int], wanted: Part, meters: list[str]
) -> dict[str, Any]:
    return {
        "run": str(found.id), "programme": programme, "kind": kind_of(programme),
        "share": list(shares), "start": wanted.period.start.isoformat(),
        "end": wanted.period.end.isoformat(), "meters": meters,
    }  # fmt: skip


def note(
    conn: Connection,
    city: str,
    refusal: Refusal,
    found: Run,
    programme: str,
    shares: tuple[int, int],
    wanted: Part,
    against: list[Claim],
    actor: str,
    clock: Clock,
) -> None:
    """Write a refused attempt down; the very same one against the same claims only once."""
    theirs = [_side(held) for held in against]
    period, key = as_range(wanted.period), [one["claim"] for one in theirs]
    known = select(
        conn,
        """SELECT 1 AS one FROM footprint_claim_refusal WHERE city = %s AND run_id = %s
          AND programme = %s AND share = int4range(%s, %s) AND period = %s AND actor = %s
          AND ARRAY(SELECT t ->> 'claim' FROM jsonb_array_elements(theirs) t) = %s::text[]""",
        (city, found.id, programme, *shares, period, actor, key),
    )
    if known:
        return
    made = new_id()
    execute(
        conn,
        """INSERT INTO footprint_claim_refusal (city, id, run_id, code, programme, share, period,
          meters, theirs, actor, created_at)
        VALUES (%s, %s, %s, %s, %s, int4range(%s, %s), %s, %s, %s, %s, %s)""",
        (
            city, made, found.id, refusal.code, programme, *shares, period,
            [line.meter for line in wanted.lines], Jsonb(theirs), actor, clock.now(),
        ),
    )  # fmt: skip
    proof.audit(
        conn, city, actor, "claim.refused", "run", str(found.id), None,
        {"programme": programme, "share": list(shares), "against": key},
    )  # fmt: skip


def refused_attempts(
    conn: Connection, city: str, meter: str = "", programme: str = "", limit: int = 100
) -> list[Attempt]:
    """The newest refused attempts first, optionally at a meter or by or against a programme."""
    found = select(
        conn,
        """SELECT id, run_id, code, programme, share, period, meters, theirs, actor, created_at
        FROM footprint_claim_refusal WHERE city = %(city)s
          AND (%(meter)s = '' OR EXISTS (SELECT FROM unnest(meters) m
               WHERE position(lower(%(meter)s) in lower(m)) > 0))
          AND (%(programme)s = '' OR programme = %(programme)s
               OR theirs @> jsonb_build_array(jsonb_build_object('programme', %(programme)s::text)))
        ORDER BY id DESC LIMIT %(limit)s""",
        {"city": city, "meter": meter, "programme": programme, "limit": limit},
    )
    return [
        Attempt(
            row["id"], row["run_id"], row["code"], row["programme"], row["share"].lower,
            row["share"].upper, as_period(row["period"]), tuple(row["meters"]),
            tuple(row["theirs"]), row["actor"], row["created_at"],
        )
        for row in found
    ]  # fmt: skip
