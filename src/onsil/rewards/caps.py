"""Caps and the verdict: how much of an entitlement is paid now, and why not more."""

from collections.abc import Sequence

from onsil.rewards import reasons
from onsil.rewards.terms import CapRoom, Entitlement, ProgrammeTerms, Verdict, Window


def verdict(
    terms: ProgrammeTerms,
    window: Window,
    entitlement: Entitlement,
    *,
    already: int,
    rooms: Sequence[CapRoom],
    budget_points: int | None,
) -> Verdict:
    """What to pay now for one person's window.

    `already` points were awarded for it before (late evidence pays the difference); `rooms` are
    the person's caps; `budget_points` is what the budget still pays for, None where the programme
    has no budget for the year.
    """
    due = entitlement.points - already
    if already and due <= 0:
        return Verdict(0, "unpaid", reasons.nothing_more(window, already))
    if due <= 0:
        return Verdict(0, "unpaid", entitlement.reason)
    tightest = min(rooms, key=lambda room: room.left, default=None)
    grant = due if tightest is None else min(due, tightest.left)
    if grant == 0:
        assert tightest is not None
        return Verdict(0, "unpaid", reasons.cap_reached(terms, tightest))
    if budget_points is None:
        return Verdict(0, "unpaid", reasons.no_budget(terms, window.year))
    if budget_points == 0:
        return Verdict(0, "unpaid", reasons.budget_empty(terms, window.year))
    if budget_points < grant:
        reason = reasons.budget_ran_out(terms, window.year, budget_points, due)
        return Verdict(budget_points, "partly", reason)
    if grant < due:
        assert tightest is not None
        return Verdict(grant, "partly", reasons.cap_cut(terms, tightest, grant, due))
    if already:
        return Verdict(grant, "paid", reasons.difference(entitlement.reason, already, grant))
    return Verdict(grant, "paid", entitlement.reason)
