"""Whether a step may be taken, by whom, and which time limits run. Pure."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from onsil.core.periods import local_day
from onsil.core.refusal import Refusal
from onsil.footprint.projects.terms import (
    DEVELOPER,
    REGISTRY,
    VVB,
    Clock,
    Limit,
    Past,
    Route,
    Transition,
    Workflow,
)

# Who verifies a project neither develops nor decides on it, ever (ISO 14065 §5.4, impartiality).
_NEVER_BOTH = {VVB: {DEVELOPER, REGISTRY}, DEVELOPER: {VVB}, REGISTRY: {VVB}}
_PARTY_WORDS = {
    DEVELOPER: ("사업자", "the developer"),
    REGISTRY: ("등록 기관", "the registry"),
    VVB: ("검증기관", "the verification body"),
}
_ROLE_WORDS = {
    "official": ("담당 공무원", "an official"),
    "approver": ("승인 공무원", "an approver"),
    "verifier": ("검증인", "a verifier"),
}


@dataclass(frozen=True)
class Situation:
    """All that decides on a step.

    `history` are the steps of this workflow, oldest first; `acts` everything that anybody did in
    the project, on the route and beside it. `documents` are the kinds that are there. `roles` is
    None for a caller who has checked them himself.
    """

    state: str
    history: Sequence[Past]
    acts: Iterable[Past]
    documents: Collection[str]
    today: date
    zone: ZoneInfo


def person(actor: str) -> str:
    """The person behind an actor, however it is written: "user:7" and "7" are one."""
    return actor.removeprefix("user:")


def decide(
    route: Route,
    workflow: Workflow,
    transition_id: str,
    actor: str,
    roles: Collection[str] | None,
    at: Situation,
) -> Transition | Refusal:
    """The transition, when this person may take it now; gates on data are asked elsewhere.

    Refused: unknown-step, route-state, wrong-role, maker-is-checker, party-conflict,
    document-missing, too-early, too-late.
    """
    step = workflow.transition(transition_id)
    if step is None:
        return Refusal(
            "unknown-step",
            f"이 절차에는 {transition_id} 단계가 없습니다.",
            f"This route has no step {transition_id}.",
            {"route": route.id, "version": route.version},
        )
    if at.state not in step.sources:
        return _out_of_turn(workflow, step, at.state)
    for refusal in (
        _by_role(step, roles),
        _apart(workflow, step, actor, at.history),
        impartial(step.party, actor, at.acts),
        _documented(route, step, at.documents),
        _in_time(workflow, step, at),
    ):
        if refusal is not None:
            return refusal
    return step


def _out_of_turn(workflow: Workflow, step: Transition, state: str) -> Refusal:
    now = workflow.state(state)
    ko, en = (now.ko, now.en) if now is not None else (state, state)
    return Refusal(
        "route-state",
        f"지금은 ‘{ko}’ 단계라서 ‘{step.ko}’을(를) 할 수 없습니다.",
        f"“{step.en}” cannot be done while it stands at “{en}”.",
        {"state": state, "step": step.id, "from": list(step.sources)},
    )


def _by_role(step: Transition, roles: Collection[str] | None) -> Refusal | None:
    if roles is None or step.role in roles:
        return None
    ko, en = _ROLE_WORDS[step.role]
    return Refusal(
        "wrong-role",
        f"‘{step.ko}’은(는) {ko}만 할 수 있습니다.",
        f"“{step.en}” is for {en} alone.",
        {"role": step.role},
    )


def _apart(
    workflow: Workflow, step: Transition, actor: str, history: Sequence[Past]
) -> Refusal | None:
    for other in step.apart_from:
        last = next((past for past in reversed(history) if past.transition == other), None)
        if last is not None and person(last.actor) == person(actor):
            earlier = workflow.transition(other)
            ko, en = (earlier.ko, earlier.en) if earlier is not None else (other, other)
            return Refusal(
                "maker-is-checker",
                f"‘{ko}’을(를) 한 사람은 ‘{step.ko}’을(를) 할 수 없습니다. "
                "다른 담당자가 확인해야 합니다.",
                f"Whoever did “{en}” cannot do “{step.en}”; another person has to check.",
                {"step": step.id, "earlier": other},
            )
    return None


def impartial(party: str, actor: str, acts: Iterable[Past]) -> Refusal | None:
    """Refused `party-conflict` for who has acted for a side that this one must be kept from."""
    for past in acts:
        if person(past.actor) == person(actor) and past.party in _NEVER_BOTH[party]:
            (ko, en), (mine_ko, mine_en) = _PARTY_WORDS[past.party], _PARTY_WORDS[party]
            return Refusal(
                "party-conflict",
                f"이 사업에서 {ko} 쪽 일을 한 사람은 {mine_ko} 쪽 일을 할 수 없습니다.",
                f"Whoever acted for {en} in this project cannot act for {mine_en}.",
                {"party": party, "acted_for": past.party},
            )
    return None


def _documented(route: Route, step: Transition, there: Collection[str]) -> Refusal | None:
    missing = [kind for kind in step.documents if kind not in there]
    if not missing:
        return None
    kinds = [kind for kind in route.documents if kind.id in missing]
    return Refusal(
        "document-missing",
        f"‘{step.ko}’에 필요한 문서가 없습니다: {', '.join(k.ko for k in kinds)}.",
        f"“{step.en}” needs documents that are not there: {', '.join(k.en for k in kinds)}.",
        {"missing": missing},
    )


def _in_time(workflow: Workflow, step: Transition, at: Situation) -> Refusal | None:
    for limit in workflow.limits:
        since = _started(limit, at.history, at.zone) if step.id in limit.before else None
        if since is None:
            continue
        due = due_day(limit, since)
        if limit.days and at.today < due:
            return _timed("too-early", limit, due, "부터 할 수 있습니다", "It may be done from")
        if limit.blocks and limit.months and at.today > due:
            return _timed("too-late", limit, due, "까지였습니다", "It was due by")
    return None


def _timed(code: str, limit: Limit, due: date, ko: str, en: str) -> Refusal:
    return Refusal(
        code,
        f"{limit.ko}: {due}{ko}.",
        f"{limit.en}. {en} {due}.",
        {"limit": limit.id, "due": due.isoformat()},
    )


def due_day(limit: Limit, since: date) -> date:
    """The last day of a limit in months, the first day after one in days."""
    return months_later(since, limit.months) if limit.months else since + timedelta(limit.days)


def months_later(day: date, months: int) -> date:
    """The same day of a later month, or the month's last where it is shorter."""
    month = day.month - 1 + months
    year, month = day.year + month // 12, month % 12 + 1
    following = date(year + month // 12, month % 12 + 1, 1)
    return min(date(year, month, 1) + timedelta(day.day - 1), following - timedelta(1))


def _started(limit: Limit, history: Sequence[Past], zone: ZoneInfo) -> date | None:
    """The day that started a limit, unless what it asks for has followed already."""
    for past in reversed(history):
        if past.transition in limit.after:
            return local_day(past.at, zone)
        if past.transition in limit.before:
            return None
    return None


def clocks(
    workflow: Workflow, history: Sequence[Past], today: date, zone: ZoneInfo
) -> tuple[Clock, ...]:
    """The limits in months that run now, the nearest first."""
    found = []
    for limit in workflow.limits:
        since = _started(limit, history, zone) if limit.months else None
        if since is not None:
            due = due_day(limit, since)
            found.append(Clock(limit, since, due, today > due))
    return tuple(sorted(found, key=lambda clock: clock.due))


def path(workflow: Workflow, reached: Sequence[str]) -> tuple[str, ...]:
    """The states of a timeline: those reached, in order, then the shortest way to an end.

    States that were gone back from are left out of what was reached.
    """
    done: list[str] = []
    for state in reached or (workflow.start.id,):
        done = done[: done.index(state)] if state in done else done
        done.append(state)
    return (*done, *_ahead(workflow, done[-1]))


def _ahead(workflow: Workflow, state: str) -> list[str]:
    """The shortest way to an end of success: the last final state in the file's order of steps."""
    goals = [s.id for s in workflow.states if s.final]
    ways: list[list[str]] = [[state]]
    seen = {state}
    while ways:
        way = ways.pop(0)
        if way[-1] == goals[0]:
            return way[1:]
        for step in workflow.leaving(way[-1]):
            if step.target not in seen:
                seen.add(step.target)
                ways.append([*way, step.target])
    return []


def expected_size(route: Route, tonnes_a_year: Mapping[str, int] | int) -> str:
    """The id of the size class that so many tonnes a year fall in; empty without classes."""
    total = tonnes_a_year if isinstance(tonnes_a_year, int) else sum(tonnes_a_year.values())
    for size in route.sizes:
        if size.up_to_t is None or total <= size.up_to_t:
            return size.id
    return ""
