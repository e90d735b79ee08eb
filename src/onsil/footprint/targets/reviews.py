"""The yearly review of the plan (이행점검): a verdict on every measure, sealed by two people.

The framework act has a city check its plan every year and report (탄소중립·녹색성장 기본법 제13조의
지방자치단체 이행점검; wording and dates to be confirmed by the city).
"""

from typing import Any
from uuid import UUID

from onsil import proof
from onsil.core.canonical import canonical_bytes, digest, plain
from onsil.core.clock import Clock
from onsil.core.database import Connection
from onsil.core.ids import new_id
from onsil.core.refusal import Refusal
from onsil.footprint import inventory
from onsil.footprint.store import Row, execute, lock, rows
from onsil.footprint.targets.evidence import evidence
from onsil.footprint.targets.gaps import Gap, gaps
from onsil.footprint.targets.pathway import pathway
from onsil.footprint.targets.plans import goals, measures, plan, unknown_plan
from onsil.footprint.targets.progress import Progress, coverage, progress
from onsil.footprint.targets.terms import VERDICTS, Plan, Review, ReviewLine

FORMAT = "onsil-implementation-review-2"  # the second form states the gap to the goal, in tonnes
_REVIEW = """SELECT id, plan_id, year, status, maker, submitted_at, checker, decided_at, reason,
  content, sha256 FROM footprint_review"""


def open_review(
    conn: Connection, city: str, plan_id: UUID, year: int, actor: str, clock: Clock
) -> Review | Refusal:
    """Begin the review of a year; again, the one that is there. Refused: `unknown-plan`."""
    if plan(conn, city, plan_id) is None:
        return unknown_plan(plan_id)
    lock(conn, city, [f"review {plan_id} {year}"])
    there = review_of_year(conn, city, plan_id, year)
    if there is not None:
        return there
    made = new_id()
    execute(
        conn,
        """INSERT INTO footprint_review (city, id, plan_id, year, actor, created_at)
        VALUES (%s,%s,%s,%s,%s,%s)""",
        (city, made, plan_id, year, actor, clock.now()),
    )
    proof.audit(conn, city, actor, "review.opened", "review", str(made), None, {"year": year})
    return _stored(conn, city, made)


def judge_measure(
    conn: Connection,
    city: str,
    review_id: UUID,
    measure_id: UUID,
    verdict: str,
    comment: str,
    actor: str,
    clock: Clock,
) -> Review | Refusal:
    """Write a measure's verdict into a draft; another one replaces it.

    Refused: `unknown-review`, `review-state`, `unknown-measure`, `verdict-unknown`,
    `comment-missing` where a measure is behind, not begun or stopped.
    """
    found = _locked(conn, city, review_id)
    if isinstance(found, Refusal):
        return found
    if found.status not in ("draft", "returned"):
        return _state(found)
    if measure_id not in {m.id for m in measures(conn, city, found.plan_id)}:
        return Refusal(
            "unknown-measure", "과제를 찾을 수 없습니다.", "No such measure in this plan."
        )
    if verdict not in VERDICTS:
        return Refusal(
            "verdict-unknown",
            f"점검 결과는 {', '.join(VERDICTS)} 가운데 하나여야 합니다.",
            f"A verdict is one of {', '.join(VERDICTS)}.",
        )
    if verdict not in ("done", "on-track") and not comment.strip():
        return Refusal(
            "comment-missing",
            "지연·미착수·중단에는 사유와 앞으로의 조치를 적어야 합니다.",
            "A measure that is behind, not begun or stopped needs its reason and what is next.",
        )
    before = next((line for line in found.lines if line.measure_id == measure_id), None)
    execute(
        conn,
        """INSERT INTO footprint_review_line
        (city, review_id, measure_id, verdict, comment, actor, written_at)
        VALUES (%s,%s,%s,%s,%s,%s,%s) ON CONFLICT (city, review_id, measure_id) DO UPDATE SET
        verdict = excluded.verdict, comment = excluded.comment, actor = excluded.actor,
        written_at = excluded.written_at""",
        (city, review_id, measure_id, verdict, comment, actor, clock.now()),
    )
    proof.audit(
        conn, city, actor, "review.judged", "review", str(review_id),
        None if before is None else {"verdict": before.verdict, "comment": before.comment},
        {"measure": measure_id, "verdict": verdict, "comment": comment},
    )  # fmt: skip
    return _stored(conn, city, review_id)


def year_progress(conn: Connection, city: str, plan_id: UUID, year: int) -> list[Progress]:
    """Every measure of the plan in a year, with the year's review beside it."""
    found = measures(conn, city, plan_id)
    shown = evidence(conn, city, [m.id for m in found], year)
    written = review_of_year(conn, city, plan_id, year)
    lines = {line.measure_id: line for line in written.lines} if written else {}
    return [progress(m, year, shown, lines.get(m.id)) for m in found]


def gap_of_year(conn: Connection, city: str, of: Plan, year: int) -> Gap | None:
    """The plan's year in tonnes: goals, sealed inventories, measures and evidence in force.

    None for a year before the plan's base year.
    """
    held = measures(conn, city, of.id)
    shown = evidence(conn, city, [m.id for m in held], year)
    stated = goals(conn, city, of.id)
    emitted = inventory.totals_by_year(conn, city)
    last = max([year, *(goal.year for goal in stated)])
    points = pathway(of.base_year, stated, emitted, {}, last)
    return next((one for one in gaps(points, held, shown) if one.year == year), None)


def submit_review(
    conn: Connection, city: str, review_id: UUID, maker: str, clock: Clock
) -> Review | Refusal:
    """Hand the review in: its content is fixed now, with every figure and its evidence.

    Refused: `unknown-review`, `review-state`, `review-incomplete` naming what is not judged.
    """
    found = _locked(conn, city, review_id)
    if isinstance(found, Refusal):
        return found
    if found.status not in ("draft", "returned"):
        return _state(found)
    all_of_it = year_progress(conn, city, found.plan_id, found.year)
    open_ones = [
        p.measure.code for p in all_of_it if p.line is None and p.status not in ("not-yet", "ended")
    ]
    if open_ones or not all_of_it:
        return Refusal(
            "review-incomplete",
            f"점검하지 않은 과제가 있습니다: {', '.join(open_ones) or '–'}.",
            f"Not judged yet: {', '.join(open_ones) or '–'}.",
            {"measures": open_ones},
        )
    owner = plan(conn, city, found.plan_id)
    gap = None if owner is None else gap_of_year(conn, city, owner, found.year)
    content = plain(_content(found, all_of_it, gap))
    execute(
        conn,
        """UPDATE footprint_review SET status = 'submitted', maker = %s, submitted_at = %s,
          checker = NULL, decided_at = NULL, reason = '', content = %s, sha256 = %s
        WHERE city = %s AND id = %s""",
        (maker, clock.now(), canonical_bytes(content).decode(), digest(content), city, review_id),
    )
    return _moved(conn, city, maker, "review.submitted", found)


def _content(found: Review, every: list[Progress], gap: Gap | None) -> dict[str, Any]:
    covered = coverage(every)
    return {
        "format": FORMAT,
        "plan": found.plan_id,
        "year": found.year,
        "coverage": {
            "in_force": covered.in_force,
            "with_evidence": covered.with_evidence,
            "covered": covered.covered,
            "covered_pct": covered.covered_pct,
        },
        "gap": None
        if gap is None
        else {
            "needed_t": gap.needed_t, "allowed_t": gap.allowed_t, "emitted_t": gap.emitted_t,
            "over_t": gap.over_t, "expected_t": gap.expected_t, "shown_t": gap.shown_t,
            "behind_t": gap.behind_t,
        },
        "measures": [_measure_content(one) for one in every],
    }  # fmt: skip


def _measure_content(one: Progress) -> dict[str, Any]:
    target, line = one.target, one.line
    return {
        "measure": one.measure.id,
        "code": one.measure.code,
        "revision": one.measure.revision,
        "target": None
        if target is None
        else {
            "quantity": target.quantity, "co2e_t": target.co2e_t,
            "budget_krw": target.budget_krw, "revision": target.revision,
        },
        "quantity": one.quantity,
        "co2e_t": one.co2e_t,
        "share_pct": one.share_pct,
        "measured": one.measured,
        "status": one.status,
        "verdict": None if line is None else line.verdict,
        "comment": "" if line is None else line.comment,
        "evidence": [
            {"id": e.id, "kind": e.kind, "subject": e.subject, "co2e_t": e.co2e_t}
            for e in one.evidence
        ],
    }  # fmt: skip


def approve_review(
    conn: Connection, city: str, review_id: UUID, checker: str, clock: Clock
) -> Review | Refusal:
    """Approve what was submitted, by another person; it enters the transparency log.

    Refused: `unknown-review`, `review-state`, `maker-is-checker`.
    """
    return _decide(conn, city, review_id, checker, "approved", "", clock)


def return_review(
    conn: Connection, city: str, review_id: UUID, checker: str, reason: str, clock: Clock
) -> Review | Refusal:
    """Send it back with a reason; refused as `approve_review` is, and `reason-missing`."""
    if not reason.strip():
        return Refusal("reason-missing", "반려 사유를 적어 주세요.", "Please give the reason.")
    return _decide(conn, city, review_id, checker, "returned", reason, clock)


def _decide(
    conn: Connection,
    city: str,
    review_id: UUID,
    checker: str,
    status: str,
    reason: str,
    clock: Clock,
) -> Review | Refusal:
    found = _locked(conn, city, review_id)
    if isinstance(found, Refusal):
        return found
    if found.status != "submitted":
        return _state(found)
    if found.maker == checker:
        return Refusal(
            "maker-is-checker",
            "제출한 사람은 결정할 수 없습니다. 다른 담당자가 확인해야 합니다.",
            "Whoever submitted it cannot decide on it; another person has to check.",
        )
    kept = status == "approved"
    execute(
        conn,
        """UPDATE footprint_review SET status = %s, checker = %s, decided_at = %s, reason = %s,
          content = CASE WHEN %s THEN content END, sha256 = CASE WHEN %s THEN sha256 END
        WHERE city = %s AND id = %s""",
        (status, checker, clock.now(), reason, kept, kept, city, review_id),
    )
    after = _moved(conn, city, checker, f"review.{status}", found)
    if kept:
        proof.append(conn, city, "implementation-review", review_id, review_entry(after))
    return after


def review_entry(made: Review) -> dict[str, Any]:
    """What the log holds of an approved review."""
    return {
        "plan": made.plan_id,
        "year": made.year,
        "content": made.sha256,
        "maker": made.maker,
        "checker": made.checker,
        "decided_at": made.decided_at,
    }


def _review(conn: Connection, city: str, row: Row) -> Review:
    found = rows(
        conn,
        """SELECT measure_id, verdict, comment, actor, written_at FROM footprint_review_line
        WHERE city = %s AND review_id = %s ORDER BY measure_id""",
        (city, row["id"]),
    )
    return Review(**row, lines=tuple(ReviewLine(**line) for line in found))


def review(conn: Connection, city: str, review_id: UUID) -> Review | None:
    found = rows(conn, f"{_REVIEW} WHERE city = %s AND id = %s", (city, review_id))
    return _review(conn, city, found[0]) if found else None


def review_of_year(conn: Connection, city: str, plan_id: UUID, year: int) -> Review | None:
    found = rows(
        conn, f"{_REVIEW} WHERE city = %s AND plan_id = %s AND year = %s", (city, plan_id, year)
    )
    return _review(conn, city, found[0]) if found else None


def reviews(conn: Connection, city: str, plan_id: UUID) -> list[Review]:
    """The plan's reviews, newest year first."""
    found = rows(
        conn,
        f"{_REVIEW} WHERE city = %s AND plan_id = %s ORDER BY year DESC",
        (city, plan_id),
    )
    return [_review(conn, city, row) for row in found]


def _stored(conn: Connection, city: str, review_id: UUID) -> Review:
    found = review(conn, city, review_id)
    assert found is not None
    return found


def _locked(conn: Connection, city: str, review_id: UUID) -> Review | Refusal:
    lock(conn, city, [f"review {review_id}"])
    found = review(conn, city, review_id)
    if found is None:
        return Refusal("unknown-review", "이행점검을 찾을 수 없습니다.", "There is no such review.")
    return found


def _state(found: Review) -> Refusal:
    return Refusal(
        "review-state",
        f"상태가 {found.status}인 이행점검에서는 할 수 없습니다.",
        f"A review that is {found.status} does not allow this.",
        {"review": str(found.id), "status": found.status},
    )


def _moved(conn: Connection, city: str, actor: str, action: str, before: Review) -> Review:
    after = _stored(conn, city, before.id)
    proof.audit(
        conn, city, actor, action, "review", str(before.id),
        {"status": before.status, "reason": before.reason},
        {"status": after.status, "reason": after.reason, "content": after.sha256},
    )  # fmt: skip
    return after
