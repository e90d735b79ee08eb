"""Statements about units: labels with their days, authorisation and corresponding adjustment."""

from dataclasses import replace
from datetime import date
from uuid import UUID
from zoneinfo import ZoneInfo

from onsil.core.clock import Clock
from onsil.core.database import Connection
from onsil.core.periods import local_day
from onsil.core.refusal import Refusal
from onsil.footprint.credits.batches import any_batch, unknown_batch
from onsil.footprint.credits.events import events, repeated, state
from onsil.footprint.credits.rules import label_rule, labels_known, years_after
from onsil.footprint.credits.terms import (
    ADJUSTMENTS,
    DECLARATIONS,
    Adjustment,
    Label,
    UnitEvent,
)
from onsil.footprint.store import lock, rows

_SEOUL = ZoneInfo("Asia/Seoul")


def give_label(
    conn: Connection,
    city: str,
    label: str,
    starts: date,
    reference: str,
    key: str,
    actor: str,
    clock: Clock,
    *,
    batch_id: UUID | None = None,
    methodology: str = "",
    version: str = "",
    ends: date | None = None,
    zone: ZoneInfo = _SEOUL,
) -> Label | Refusal:
    """Label a batch, or everything under one version of a methodology, from a day on.

    Refused: label-unknown, label-subject (neither or both), label-days (ends before it starts, or
    reaches further back than its rule allows), unknown-batch, key-reused.
    """
    rule = label_rule(label)
    if rule is None:
        return _no(
            "label-unknown",
            f"아는 라벨이 아닙니다 (있는 것: {', '.join(labels_known())}).",
            f"There is no such label (known: {', '.join(labels_known())}).",
        )
    facts = {
        "label": label, "methodology": methodology, "version": version, "starts": starts,
        "ends": ends, "reference": reference,
    }  # fmt: skip
    there = repeated(conn, city, "label", key, facts, batch_id)
    if there is not None:
        return there if isinstance(there, Refusal) else _label(there, {})
    if (batch_id is None) == (not methodology or not version) or not reference.strip():
        return _no(
            "label-subject",
            "크레딧 묶음 또는 방법론 판, 그리고 근거를 적어 주세요.",
            "Name a batch or a methodology's version, and the reference.",
        )
    if batch_id is not None and any_batch(conn, city, batch_id) is None:
        return unknown_batch(batch_id)
    earliest = years_after(local_day(clock.now(), zone), -rule["reach_back_years"])
    if starts < earliest or (ends is not None and ends <= starts):
        return _no(
            "label-days",
            f"라벨은 {earliest}부터 줄 수 있고, 끝은 시작보다 뒤여야 합니다.",
            f"The label may begin on {earliest} at the earliest and ends after it begins.",
        )
    made = state(conn, city, "label", key, actor, clock, facts, batch_id=batch_id)
    return made if isinstance(made, Refusal) else _label(made, {})


def end_label(
    conn: Connection, city: str, label_id: UUID, ends: date, reason: str, key: str, actor: str,
    clock: Clock,
) -> Label | Refusal:  # fmt: skip
    """Let a label end on a day, earlier than it would. Refused: label-unknown, label-days,
    key-reused."""
    found = next((one for one in labels(conn, city) if one.id == label_id), None)
    if found is None:
        return _no("label-unknown", "없는 라벨입니다.", "There is no such label.")
    facts = {"label": label_id, "ends": ends, "reason": reason}
    there = repeated(conn, city, "label-ended", key, facts, found.batch_id)
    if there is not None:
        return there if isinstance(there, Refusal) else found
    if ends <= found.starts or (found.ends is not None and ends > found.ends):
        return _no(
            "label-days",
            "끝나는 날은 시작보다 뒤, 지금의 끝보다 앞이어야 합니다.",
            "It ends after it began and not later than it would have.",
        )
    made = state(
        conn, city, "label-ended", key, actor, clock, facts, batch_id=found.batch_id,
        parent_id=label_id,
    )  # fmt: skip
    return made if isinstance(made, Refusal) else replace(found, ends=ends)


def labels(conn: Connection, city: str) -> list[Label]:
    """Every label given, in order."""
    found = events(conn, city, kinds=("label", "label-ended"))
    ended = {
        one.parent_id: date.fromisoformat(one.facts["ends"])
        for one in found
        if one.kind == "label-ended"
    }
    return [_label(one, ended) for one in found if one.kind == "label"]


def _label(made: UnitEvent, ended: dict[UUID | None, date]) -> Label:
    facts = made.facts
    given = date.fromisoformat(facts["ends"]) if facts["ends"] else None
    return Label(
        made.id, facts["label"], made.batch_id, facts["methodology"], facts["version"],
        date.fromisoformat(facts["starts"]), ended.get(made.id, given), facts["reference"],
        made.actor, made.created_at,
    )  # fmt: skip


def labels_of(conn: Connection, city: str, batch_id: UUID) -> list[Label]:
    """The labels of a batch: its own, and those of the methodology versions it was made under."""
    under = versions_of(conn, city, batch_id)
    return [
        one
        for one in labels(conn, city)
        if one.batch_id == batch_id or (one.methodology, one.version) in under
    ]


def versions_of(conn: Connection, city: str, batch_id: UUID) -> set[tuple[str, str]]:
    """The methodologies, with version, of the runs that a batch was issued for."""
    found = rows(
        conn,
        """SELECT DISTINCT r.methodology, r.version FROM footprint_batch b
        JOIN footprint_monitoring_claim m USING (city, monitoring_id)
        JOIN footprint_claim c ON c.city = m.city AND c.id = m.claim_id
        JOIN footprint_run r ON r.city = c.city AND r.id = c.run_id
        WHERE b.city = %s AND b.id = %s""",
        (city, batch_id),
    )
    return {(row["methodology"], row["version"]) for row in found}


def declare_adjustment(
    conn: Connection, city: str, stated: Adjustment, key: str, actor: str, clock: Clock
) -> Adjustment | Refusal:
    """State how a batch's corresponding adjustment stands; the newest statement counts.

    Refused: unknown-batch, adjustment-invalid (words that are not CAD Trust's, or a commitment
    without the letter of authorisation), adjustment-backwards (a commitment withdrawn, a completed
    adjustment undone), key-reused.
    """
    if any_batch(conn, city, stated.batch_id) is None:
        return unknown_batch(stated.batch_id)
    committed = stated.declaration == "Committed"
    lettered = bool(stated.country and stated.letter.strip() and stated.letter_on is not None)
    known = stated.declaration in DECLARATIONS and stated.status in ADJUSTMENTS
    begun = stated.status in ("Pending", "Completed")
    if not known or (committed and not lettered) or (begun and not committed):
        return _no(
            "adjustment-invalid",
            "상응조정을 약속하려면 유치국, 승인서 번호와 날짜가 있어야 합니다.",
            "A commitment wants the country, the letter of authorisation and its date.",
        )
    lock(conn, city, [f"adjustment {stated.batch_id}"])
    facts = {
        "declaration": stated.declaration, "status": stated.status, "country": stated.country,
        "letter": stated.letter, "letter_on": stated.letter_on, "uses": list(stated.uses),
    }  # fmt: skip
    there = repeated(conn, city, "adjustment", key, facts, stated.batch_id)
    if there is not None:
        return there if isinstance(there, Refusal) else _adjustment(there)
    before = adjustment(conn, city, stated.batch_id)
    moves_on = ADJUSTMENTS.index(stated.status) >= ADJUSTMENTS.index(before.status)
    kept = before.declaration != "Committed" or (committed and stated.letter == before.letter)
    if not moves_on or not kept:
        return _no(
            "adjustment-backwards",
            f"이미 밝힌 상응조정을 되돌릴 수 없습니다 ({before.declaration}, {before.status}).",
            f"What was declared cannot be taken back ({before.declaration}, {before.status}).",
        )
    made = state(conn, city, "adjustment", key, actor, clock, facts, batch_id=stated.batch_id)
    return made if isinstance(made, Refusal) else _adjustment(made)


def adjustment(conn: Connection, city: str, batch_id: UUID) -> Adjustment:
    """How a batch's corresponding adjustment stands; Unknown while nothing was stated."""
    found = events(conn, city, batch_id=batch_id, kinds=("adjustment",))
    return _adjustment(found[-1]) if found else Adjustment(batch_id)


def _adjustment(made: UnitEvent) -> Adjustment:
    facts, assigned = made.facts, made.batch_id
    assert assigned is not None
    on = facts["letter_on"]
    return Adjustment(
        assigned, facts["declaration"], facts["status"], facts["country"], facts["letter"],
        date.fromisoformat(on) if on else None, tuple(facts["uses"]), made.created_at,
    )  # fmt: skip


def disclose_holder(
    conn: Connection, city: str, account: str, public_name: str, key: str, actor: str, clock: Clock
) -> UnitEvent | Refusal:
    """Show a holder in the public registry under a name; an empty name hides it again.

    Refused: key-reused."""
    facts = {"account": account, "name": public_name.strip()}
    return state(conn, city, "holder", key, actor, clock, facts)


def public_names(conn: Connection, city: str) -> dict[str, str]:
    """The names under which holders have agreed to be shown, by account."""
    named = {
        one.facts["account"]: one.facts["name"] for one in events(conn, city, kinds=("holder",))
    }
    return {account: name for account, name in named.items() if name}


def _no(code: str, ko: str, en: str) -> Refusal:
    return Refusal(code, ko, en)
