"""The workspace of projects: what stands where, what may be done next and by whom."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from onsil import footprint
from onsil.core.clock import Clock
from onsil.core.database import Connection, cursor
from onsil.core.refusal import Refusal
from onsil.footprint.projects import standing

STATES = ("open", "submitted", "approved", "issued")


@dataclass(frozen=True)
class Moment:
    """A station of a project's timeline: done, now or still to come."""

    word: str
    state: str
    at: datetime | None = None
    note: str = ""


def timeline(
    project: footprint.Project,
    monitorings: Sequence[footprint.Monitoring],
    batches: Sequence[footprint.CreditBatch],
    sold_tonnes: int,
) -> list[Moment]:
    """A project's life so far, from its registration to the sale of what it was issued."""
    submitted = [m for m in monitorings if m.submitted_at]
    decided = [m for m in monitorings if m.status in ("approved", "issued")]
    steps = [
        (_("사업 등록"), True, project.created_at, project.code),
        (_("모니터링"), bool(monitorings), None, f"{len(monitorings)}"),
        (_("제출"), bool(submitted), _last(m.submitted_at for m in submitted), f"{len(submitted)}"),
        (_("승인"), bool(decided), _last(m.decided_at for m in decided), f"{len(decided)}"),
        (_("발행"), bool(batches), _last(b.created_at for b in batches),
         f"{sum(b.tonnes for b in batches):,} t"),
        (_("판매"), sold_tonnes > 0, None, f"{sold_tonnes:,} t"),
    ]  # fmt: skip
    ahead = next((i for i, step in enumerate(steps) if not step[1]), len(steps))
    return [
        Moment(word, "done" if i < ahead else "now" if i == ahead else "todo", at,
               note if done else "")
        for i, (word, done, at, note) in enumerate(steps)
    ]  # fmt: skip


def _last(times: Any) -> datetime | None:
    return max((t for t in times if t is not None), default=None)


def stand(conn: Connection, city: str, project: UUID) -> dict[str, str]:
    """The route a project is on and the state it stands at, in the reader's language."""
    at = standing(conn, city, project)
    state = at.workflow.state(at.state)
    assert state is not None
    english = (get_language() or "ko").startswith("en")
    return {
        "route": at.route.en if english else at.route.ko,
        "state": state.en if english else state.ko,
    }


def candidates(
    conn: Connection, city: str, project: footprint.Project, monitoring: footprint.Monitoring
) -> list[footprint.Claim]:
    """Claims that fit a monitoring period: of its programme, inside it, in no other period."""
    taken = {
        claim
        for other in footprint.monitorings(conn, city)
        if other.id != monitoring.id and other.status != "returned"
        for claim in other.claim_ids
    }
    return [
        claim
        for claim in footprint.claims(conn, city, limit=10_000)
        if claim.programme == project.programme
        and claim.id not in taken
        and monitoring.period.start <= claim.period.start
        and claim.period.end <= monitoring.period.end
    ]


@dataclass(frozen=True)
class Step:
    """A thing to do with a monitoring period; `why_not` says what stands in the way."""

    act: str
    word: str
    primary: bool = True
    why_not: str = ""


def steps(monitoring: footprint.Monitoring, actor: str, roles: frozenset[str]) -> list[Step]:
    """What this person may do next. The engine decides again; this only explains beforehand."""
    official, approver = "official" in roles, "approver" in roles
    if monitoring.status in ("open", "returned"):
        return [Step("submit", _("승인 요청하기"), why_not="" if official else _(
            "담당 공무원만 제출할 수 있습니다."))]  # fmt: skip
    if monitoring.status == "submitted":
        why = ""
        if not approver:
            why = _("승인 공무원만 승인할 수 있습니다.")
        elif monitoring.maker == actor:
            why = _("제출한 사람은 자신의 제출을 승인할 수 없습니다. 다른 승인 담당이 해야 합니다.")
        return [
            Step("approve", _("승인하기"), why_not=why),
            Step("return", _("돌려보내기"), primary=False, why_not=why),
        ]
    if monitoring.status == "approved":
        may = official or approver
        return [Step("issue", _("크레딧 발행하기"), why_not="" if may else _("권한이 없습니다."))]
    return []


@dataclass(frozen=True)
class RunLine:
    """A quantification with what was claimed of it."""

    run: footprint.Run
    claims: tuple[footprint.Claim, ...]


def run_lines(conn: Connection, city: str, limit: int = 100) -> list[RunLine]:
    """The newest runs with their claims."""
    claims: dict[UUID, list[footprint.Claim]] = {}
    for claim in footprint.claims(conn, city, limit=10_000):
        claims.setdefault(claim.run_id, []).append(claim)
    return [
        RunLine(run, tuple(claims.get(run.id, ()))) for run in footprint.runs(conn, city, limit)
    ]


def programmes(conn: Connection, city: str) -> list[str]:
    """The programmes that the city's projects are under: what a run may be claimed for."""
    return sorted({p.programme for p in footprint.projects(conn, city)})


@dataclass(frozen=True)
class BatchLine:
    """A batch with its offers; `free` are the tonnes neither sold nor offered yet."""

    batch: footprint.CreditBatch
    unsold: int
    offers: tuple[footprint.Listing, ...]
    free: int

    @classmethod
    def of(
        cls, batch: footprint.CreditBatch, unsold: int, listings: Sequence[footprint.Listing]
    ) -> "BatchLine":
        offers = tuple(one for one in listings if one.batch_id == batch.id)
        offered = sum(one.remaining for one in offers if not one.withdrawn)
        return cls(batch, unsold, offers, unsold - offered)


def offer(
    conn: Connection,
    city: str,
    batch: UUID,
    tonnes: int,
    unit_price_krw: int,
    seen: int,
    actor: str,
    clock: Clock,
) -> footprint.Listing | Refusal:
    """Offer tonnes of a batch as somebody whose page showed `seen` offers of it.

    Sent again, it finds the offer that was made and makes no other. Refused: `offers-changed` when
    somebody else has offered since, and what `footprint.list_for_sale` refuses.
    """
    with cursor(conn) as cur:
        cur.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (f"offer:{city}:{batch}",)
        )
    there = footprint.listings(conn, city, open_only=False, batch_id=batch)
    if len(there) == seen:
        return footprint.list_for_sale(conn, city, batch, tonnes, unit_price_krw, actor, clock)
    newest = max(there, key=lambda one: one.id, default=None)
    asked = (tonnes, unit_price_krw, actor)
    if newest is not None and len(there) == seen + 1:
        made = (newest.tonnes, newest.unit_price_krw, newest.actor)
        if made == asked:
            return newest
    return Refusal(
        "offers-changed",
        "그사이 이 크레딧의 판매 목록이 바뀌어 올리지 않았습니다. 목록을 보고 다시 해 주세요.",
        "The offers of these credits have changed since, so nothing was offered. Look at them and "
        "try again.",
        {"seen": seen, "there": len(there)},
    )


def plainly(document: Mapping[str, Any], before: str = "") -> list[tuple[str, str]]:
    """A canonical document as lines of dotted name and value, what is empty left out."""
    lines: list[tuple[str, str]] = []
    for key, value in document.items():
        name = f"{before}{key}"
        if isinstance(value, Mapping):
            lines += plainly(value, f"{name}.")
        elif isinstance(value, list):
            if all(isinstance(item, str | int) for item in value):
                lines.append((name, ", ".join(map(str, value))))
            else:
                for number, item in enumerate(value, 1):
                    inner = item if isinstance(item, Mapping) else {"": item}
                    lines += plainly(inner, f"{name}.{number}.")
        elif value not in (None, ""):
            lines.append((name, str(value)))
    return lines


def series_line(role: str, of: Any) -> dict[str, Any]:
    """One series of a run's manifest: its role, meter, how many points and how they came."""
    if not isinstance(of, Mapping):
        return {"role": role, "meter": str(of)}
    return {
        "role": role, "meter": f"{of.get('entity')}#{of.get('attribute')}",
        "count": of.get("count"), "source": of.get("source", ""), "digest": of.get("sha256", ""),
    }  # fmt: skip
