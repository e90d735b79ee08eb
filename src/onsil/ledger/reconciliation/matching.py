"""Matching bank lines with book lines by ordered rules. Pure, and independent of input order.

Lines are put in an order of their own first, and a rule that must choose among several takes the
nearest day, then the oldest line. No line is used twice; what no rule explains stays open.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import product

from onsil.ledger.reconciliation.terms import Line, Match, Rule, Text

_LETTERS = re.compile(r"[^0-9A-Z가-힣]+")
REFERENCE_MIN = 6
"""Shorter references are met by chance."""


@dataclass(frozen=True)
class Matching:
    """What the rules explain and what they leave open."""

    matches: tuple[Match, ...]
    bank: tuple[Line, ...]
    book: tuple[Line, ...]


def in_order(lines: Iterable[Line]) -> list[Line]:
    """The one order that everything here works in."""
    return sorted(lines, key=lambda line: (line.day, line.at, line.amount, line.id))


def normal(text: str) -> str:
    """A reference without what banks drop or add: case, spaces, hyphens."""
    return _LETTERS.sub("", text.upper())


def references(line: Line) -> frozenset[str]:
    """What a bank may repeat of a book line: its origin, its transfer, the words of its memo."""
    raw = [line.origin_id, str(line.transfer_id or ""), line.reference, *line.reference.split()]
    return frozenset(n for n in map(normal, raw) if len(n) >= REFERENCE_MIN)


def shared_reference(bank: Line, book: Line) -> str:
    """The longest reference of the book line that stands in the bank line; "" when none does."""
    places = [normal(t) for t in (bank.reference, bank.text, bank.party, bank.bank_id)]
    found = [r for r in references(book) if any(r in place for place in places)]
    return max(found, key=lambda r: (len(r), r)) if found else ""


def match(bank: Iterable[Line], book: Iterable[Line], rules: Sequence[Rule]) -> Matching:
    """Try the rules in their order; each works on what those before it left open."""
    left_bank, left_book = in_order(bank), in_order(book)
    matches: list[Match] = []
    for rule in rules:
        found = _WAYS[rule.kind](left_bank, left_book, rule)
        used = {line.id for one in found for line in (*one.bank, *one.book)}
        assert len(used) == sum(len(m.bank) + len(m.book) for m in found), "a line is used once"
        left_bank = [line for line in left_bank if line.id not in used]
        left_book = [line for line in left_book if line.id not in used]
        matches += found
    return Matching(tuple(matches), tuple(left_bank), tuple(left_book))


def near(bank: Line, book: Line, rule: Rule) -> bool:
    """Whether the bank's day lies within the rule's days around the books' day."""
    days = (bank.day - book.day).days
    return -rule.days_before <= days <= rule.days_after


def _explains(bank_sum: int, book_sum: int, rule: Rule) -> bool:
    """Same amount; or less at the bank by a fee of at most the tolerance."""
    return 0 <= book_sum - bank_sum <= rule.tolerance


def concerns(rule: Rule, book: Line) -> bool:
    """Whether a book line is one that the rule is about."""
    if rule.book_kinds is not None and book.kind not in rule.book_kinds:
        return False
    return not rule.books or book.text.startswith(rule.books)


def _by_amount(lines: Iterable[Line]) -> dict[int, list[Line]]:
    found: dict[int, list[Line]] = {}
    for line in lines:
        found.setdefault(line.amount, []).append(line)
    return found


def _candidates(bank: Line, amounts: dict[int, list[Line]], rule: Rule) -> list[Line]:
    return [
        line
        for amount in range(bank.amount, bank.amount + rule.tolerance + 1)
        for line in amounts.get(amount, ())
        if near(bank, line, rule) and concerns(rule, line)
    ]


def _reference(bank: list[Line], book: list[Line], rule: Rule) -> list[Match]:
    amounts, used, found = _by_amount(book), set(), []
    for one in bank:
        named = [
            (abs((one.day - line.day).days), line.day, line.id, line, ref)
            for line in _candidates(one, amounts, rule)
            if line.id not in used and (ref := shared_reference(one, line))
        ]
        if named:
            *_, line, ref = min(named, key=lambda n: n[:3])
            used.add(line.id)
            found.append(_made(rule, [one], [line], f"참조 {ref}", f"reference {ref}"))
    return found


def _window(bank: list[Line], book: list[Line], rule: Rule) -> list[Match]:
    amounts = _by_amount(book)
    edges = {one.id: _candidates(one, amounts, rule) for one in bank}
    return _choose(
        [([one], [[line] for line in edges[one.id]]) for one in bank], rule, bank_first=True
    )


def _groups(lines: list[Line], rule: Rule) -> list[list[Line]]:
    found: dict[tuple[str, ...], list[Line]] = {}
    for line in lines:
        if line.side == "book" and not concerns(rule, line):
            continue
        parts = {
            "origin": f"{line.origin_kind} {line.origin_id}" if line.origin_id else "",
            "day": line.day.isoformat(), "party": normal(line.party), "kind": line.kind,
            "reference": normal(line.reference),
        }  # fmt: skip
        key = tuple(parts[name] for name in rule.group)
        if all(key):
            found.setdefault(key, []).append(line)
    return [found[key] for key in sorted(found)]


def _many_to_one(bank: list[Line], book: list[Line], rule: Rule) -> list[Match]:
    groups = _groups(book, rule)
    offers = [
        ([one], [g for g in groups if _explains(one.amount, _total(g), rule) and _all_near(
            [one], g, rule)])
        for one in bank
    ]  # fmt: skip
    return _choose(offers, rule, bank_first=True)


def _one_to_many(bank: list[Line], book: list[Line], rule: Rule) -> list[Match]:
    groups = _groups(bank, rule)
    wanted = [b for b in book if concerns(rule, b)]
    offers = [
        ([one], [g for g in groups if _explains(_total(g), one.amount, rule) and _all_near(
            g, [one], rule)])
        for one in wanted
    ]  # fmt: skip
    return _choose(offers, rule, bank_first=False)


def _cancel(bank: list[Line], book: list[Line], rule: Rule) -> list[Match]:
    """Money that the books moved and moved back; the bank has seen nothing of it."""
    used: set[object] = set()
    found = []
    takers = [line for line in book if concerns(rule, line)]
    amounts = _by_amount(takers)
    for one in takers:
        if one.id in used:
            continue
        backs = [
            (abs((other.day - one.day).days), other.day, other.id, other)
            for other in amounts.get(-one.amount, ())
            if other.id not in used and abs((other.day - one.day).days) <= rule.days_after
            and (_takes_back(one, other) or references(one) & references(other))
        ]  # fmt: skip
        if backs:
            other = min(backs, key=lambda b: b[:3])[3]
            used |= {one.id, other.id}
            found.append(_made(rule, [], [one, other], "", ""))
    return found


def _takes_back(one: Line, other: Line) -> bool:
    return one.transfer_id is not None and (
        other.reverses == one.transfer_id or one.reverses == other.transfer_id
    )


def _total(lines: Sequence[Line]) -> int:
    return sum(line.amount for line in lines)


def _all_near(bank: Sequence[Line], book: Sequence[Line], rule: Rule) -> bool:
    return all(near(one, other, rule) for one, other in product(bank, book))


def _choose(
    offers: list[tuple[list[Line], list[list[Line]]]], rule: Rule, *, bank_first: bool
) -> list[Match]:
    """One partner each. "only": where neither side has another choice; "oldest": nearest day."""
    chosen = _only(offers) if rule.choose == "only" else _oldest(offers)
    found = []
    for one, other in chosen:
        bank, book = (one, other) if bank_first else (other, one)
        found.append(_made(rule, bank, book, "", ""))
    return found


def _key(lines: list[Line]) -> frozenset[object]:
    return frozenset(line.id for line in lines)


def _only(
    offers: list[tuple[list[Line], list[list[Line]]]],
) -> list[tuple[list[Line], list[Line]]]:
    wanted: dict[frozenset[object], int] = {}
    for _, partners in offers:
        for partner in partners:
            wanted[_key(partner)] = wanted.get(_key(partner), 0) + 1
    return [
        (one, partners[0])
        for one, partners in offers
        if len(partners) == 1 and wanted[_key(partners[0])] == 1
    ]


def _oldest(
    offers: list[tuple[list[Line], list[list[Line]]]],
) -> list[tuple[list[Line], list[Line]]]:
    used: set[object] = set()
    found = []
    for one, partners in offers:
        free = [p for p in partners if not _key(p) & used]
        if free:
            day = one[0].day
            partner = min(free, key=lambda p: (abs((p[0].day - day).days), p[0].day, p[0].id))
            used |= _key(partner)
            found.append((one, partner))
    return found


def _made(rule: Rule, bank: list[Line], book: list[Line], ko: str, en: str) -> Match:
    """A match with the reason in words: which rule, and what agreed."""
    total, every = _total(bank), [line.day for line in (*bank, *book)]
    days = (max(every) - min(every)).days
    fee = _total(book) - total
    counts = f"{len(bank)}:{len(book)}"
    reasons_ko = [
        ko, f"은행 {total:,}원", f"{counts}줄" if counts != "1:1" else "", f"날짜 차이 {days}일",
        f"수수료 {fee:,}원" if fee else "",
    ]  # fmt: skip
    reasons_en = [
        en, f"bank {total:,} KRW", f"{counts} lines" if counts != "1:1" else "",
        f"{days} days apart", f"fee {fee:,} KRW" if fee else "",
    ]  # fmt: skip
    why = Text(
        f"{rule.name.ko}: {', '.join(r for r in reasons_ko if r)}",
        f"{rule.name.en}: {', '.join(r for r in reasons_en if r)}",
    )
    return Match(rule.code, why, tuple(bank), tuple(book), rule.tolerance)


_WAYS: dict[str, Callable[[list[Line], list[Line], Rule], list[Match]]] = {
    "reference": _reference, "window": _window, "many-to-one": _many_to_one,
    "one-to-many": _one_to_many, "cancel": _cancel,
}  # fmt: skip
