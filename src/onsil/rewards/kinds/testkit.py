"""What every rule kind must keep, as checks that a plug-in's own tests call.

`check_kind` throws generated evidence at a kind, in windows of several years, and follows each
decision through caps and budget sources the way the room does.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from onsil.rewards.budgeting import allot
from onsil.rewards.caps import verdict
from onsil.rewards.kinds import RuleKind
from onsil.rewards.programme_file import terms_of
from onsil.rewards.terms import CapRoom, EvidenceItem, Pot, ProgrammeTerms, Window, total
from onsil.rewards.windows import cap_window, window_at

Evidence = st.SearchStrategy[list[EvidenceItem]]


def check_kind(
    kind: RuleKind,
    table: Mapping[str, Any],
    evidence: Evidence,
    *,
    zone: ZoneInfo | None = None,
    examples: int = 40,
) -> None:
    """Raise AssertionError when the kind breaks a rule that holds for all of them.

    `table` is a programme's file as a dictionary; `evidence` generates one person's evidence.
    """
    terms, problems = terms_of(table)
    assert not problems, problems
    assert kind.problems({}, tuple(terms.groups)), "an empty [rule] must be told to be wrong"
    unknown = kind.problems({**terms.rule, "no-such-field": 1}, tuple(terms.groups))
    assert unknown, "an unknown field of [rule] must be told"
    place = zone or ZoneInfo("Asia/Seoul")
    _explains(kind, terms, evidence, place, examples)
    _keeps_within(kind, terms, evidence, place, examples)


def _explains(
    kind: RuleKind, terms: ProgrammeTerms, evidence: Evidence, zone: ZoneInfo, examples: int
) -> None:
    """Whole points, both sentences, the same answer again, only evidence that was given."""

    @_generated(examples, evidence, st.sampled_from(sorted(terms.groups)))
    def check(items: list[EvidenceItem], group: str) -> None:
        for window, inside in _by_window(terms, items, zone):
            found = kind.entitle(terms, group, window, inside, zone)
            assert isinstance(found.points, int), "points are whole"
            assert found.points >= 0, "points are never taken by a rule"
            assert found.reason.code, "a reason has a code"
            assert found.reason.ko.strip(), "a reason has a Korean sentence"
            assert found.reason.en.strip(), "a reason has an English sentence"
            assert set(found.counted) <= {item.id for item in inside}, "counted what was not there"
            assert bool(found.counted) == bool(found.points), "points rest on counted evidence"
            assert kind.entitle(terms, group, window, inside, zone) == found, "not deterministic"

    check()


def _keeps_within(
    kind: RuleKind, terms: ProgrammeTerms, evidence: Evidence, zone: ZoneInfo, examples: int
) -> None:
    """Evidence comes piece by piece; sums are recounted against caps and budget."""

    @_generated(
        examples,
        evidence,
        st.sampled_from(sorted(terms.groups)),
        st.lists(st.integers(0, 50_000), min_size=1, max_size=3),
    )
    def check(items: list[EvidenceItem], group: str, pots: list[int]) -> None:
        used: dict[tuple[str, str], int] = defaultdict(int)
        paid: dict[str, int] = defaultdict(int)
        spent = 0
        for count in range(1, len(items) + 1):
            for window, inside in _by_window(terms, items[:count], zone):
                entitlement = kind.entitle(terms, group, window, inside, zone)
                rooms = [
                    CapRoom(larger, cap.points[group], used[cap.cut, larger.key])
                    for cap in terms.caps
                    for larger in [cap_window(cap.cut, window, zone)]
                ]
                left = sum(pots) - spent
                found = verdict(
                    terms,
                    window,
                    entitlement,
                    already=paid[window.key],
                    rooms=rooms,
                    budget_points=left,
                )
                assert found.points <= max(entitlement.points - paid[window.key], 0)
                shares = allot(found.points, _pots(pots, spent))
                assert total(shares) == found.points, "points and won are conserved"
                spent += found.points
                paid[window.key] += found.points
                for room in rooms:
                    used[room.window.cut, room.window.key] += found.points
        assert spent == sum(paid.values()) <= sum(pots), "the budget was passed"
        for cap in terms.caps:
            for (cut, _), points in used.items():
                assert cut != cap.cut or points <= cap.points[group], "a cap was passed"

    check()


def _generated(examples: int, *strategies: st.SearchStrategy[Any]) -> Callable[..., Any]:
    def wrap(check: Callable[..., None]) -> Callable[[], None]:
        limited = settings(max_examples=examples, deadline=None, database=None)
        return limited(given(*strategies)(check))

    return wrap


def _pots(amounts: Sequence[int], spent: int) -> list[Pot]:
    pots = []
    for number, amount in enumerate(amounts):
        gone = min(amount, spent)
        spent -= gone
        pots.append(Pot(f"source-{number}", amount - gone))
    return pots


def _by_window(
    terms: ProgrammeTerms, items: Sequence[EvidenceItem], zone: ZoneInfo
) -> list[tuple[Window, list[EvidenceItem]]]:
    grouped: dict[str, tuple[Window, list[EvidenceItem]]] = {}
    for item in sorted(items, key=lambda one: (one.occurred_at, one.id)):
        window = window_at(terms.cut, item.occurred_at, zone)
        grouped.setdefault(window.key, (window, []))[1].append(item)
    return list(grouped.values())
