"""What is wrong with an open line, and what it may belong to. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from itertools import combinations

from onsil.ledger.reconciliation.matching import in_order, normal, shared_reference
from onsil.ledger.reconciliation.terms import Finding, Line, Problem

SUGGESTIONS_MAX = 5
_PAIRS_FROM = 40
"""Pairs are sought among at most so many open lines."""


def findings(
    bank: Sequence[Line], book: Sequence[Line], settled: Iterable[Line], today: date,
    grace_days: int,
) -> list[Finding]:  # fmt: skip
    """One for every open line: bank lines at once, book lines after `grace_days` (money needs a
    day or two). `settled` are matched bank lines of late, among which a duplicate is recognised.

    The order is that of age, the oldest first, whatever the order of the input.
    """
    known = {_face(line): line.id for line in settled}
    found = [_of_bank(line, bank, book, known, today) for line in in_order(bank)]
    for line in in_order(book):
        if (today - line.day).days > grace_days:
            found.append(_of_book(line, bank, book, today))
    return sorted(found, key=lambda f: (-f.age_days, f.line.day, f.line.id))


def _face(line: Line) -> tuple[object, ...]:
    """What makes two bank lines look like one said twice."""
    return line.day, line.amount, normal(line.reference), normal(line.party), normal(line.text)


def _of_bank(
    line: Line, bank: Sequence[Line], book: Sequence[Line],
    known: Mapping[tuple[object, ...], object], today: date,
) -> Finding:  # fmt: skip
    others = _others(line, book)
    problem: Problem
    twin = any(_face(o) == _face(line) and (o.at, o.id) < (line.at, line.id) for o in bank)
    if (twin or _face(line) in known) and normal(line.reference + line.text + line.party):
        problem = "duplicate"
    else:
        problem = _by_others(line, others, "missing-in-ledger")
    return Finding(line, problem, (today - line.day).days, others)


def _of_book(line: Line, bank: Sequence[Line], book: Sequence[Line], today: date) -> Finding:
    others = _others(line, bank) or _opposite(line, book)
    problem = _by_others(line, [o for o in others if o.side == "bank"], "missing-in-bank")
    return Finding(line, problem, (today - line.day).days, others)


def _by_others(line: Line, others: Sequence[Line], nothing: Problem) -> Problem:
    for other in others:
        if other.amount == line.amount:
            return "late"
        if _referred(line, other):
            return "amount-differs"
    return nothing


def _referred(line: Line, other: Line) -> bool:
    bank, book = (line, other) if line.side == "bank" else (other, line)
    return bool(shared_reference(bank, book))


def _others(line: Line, candidates: Sequence[Line]) -> tuple[Line, ...]:
    """Open lines of the other side: same amount or reference first, then pairs that add up."""
    by_reference = [o for o in candidates if _referred(line, o)]
    by_amount = [o for o in candidates if o.amount == line.amount and o not in by_reference]
    found = [*_nearest(line, by_reference), *_nearest(line, by_amount)]
    if not found:
        for pair in combinations(_nearest(line, candidates)[:_PAIRS_FROM], 2):
            if sum(o.amount for o in pair) == line.amount:
                return pair
    return tuple(found[:SUGGESTIONS_MAX])


def _opposite(line: Line, book: Sequence[Line]) -> tuple[Line, ...]:
    """Another book line that takes this one back: its reversal, or a correction of like amount."""
    return tuple(
        o for o in book
        if o.id != line.id and o.amount == -line.amount
        and (o.reverses == line.transfer_id or line.reverses == o.transfer_id)
    )[:1]  # fmt: skip


def _nearest(line: Line, others: Iterable[Line]) -> list[Line]:
    return sorted(others, key=lambda o: (abs((o.day - line.day).days), o.day, o.id))
