"""Serial ranges as spans [first, end) of whole numbers: chosen, taken out, joined. Pure."""

from collections.abc import Iterable, Sequence

Span = tuple[int, int]


def count(spans: Iterable[Span]) -> int:
    """How many serials the spans hold."""
    return sum(end - first for first, end in spans)


def joined(spans: Iterable[Span]) -> tuple[Span, ...]:
    """The same serials in the fewest spans, ascending. The spans must not overlap."""
    made: list[Span] = []
    for first, end in sorted(spans):
        assert first < end
        if made and first <= made[-1][1]:
            assert first == made[-1][1], "spans overlap"
            made[-1] = (made[-1][0], end)
        else:
            made.append((first, end))
    return tuple(made)


def lowest(spans: Sequence[Span], wanted: int) -> tuple[Span, ...] | None:
    """The lowest `wanted` serials of the spans; None when they hold fewer."""
    chosen: list[Span] = []
    for first, end in joined(spans):
        if wanted <= 0:
            break
        chosen.append((first, min(end, first + wanted)))
        wanted -= chosen[-1][1] - first
    return tuple(chosen) if wanted <= 0 else None


def common(one: Iterable[Span], other: Iterable[Span]) -> tuple[Span, ...]:
    """The serials in both."""
    beside = tuple(other)
    return joined(
        (max(a, c), min(b, d)) for a, b in one for c, d in beside if max(a, c) < min(b, d)
    )


def without(spans: Iterable[Span], taken: Sequence[Span]) -> tuple[Span, ...]:
    """What is left of the spans when the taken serials are gone."""
    left: list[Span] = []
    gone = joined(taken)
    for first, end in spans:
        for a, b in gone:
            if b <= first or a >= end:
                continue
            if first < a:
                left.append((first, a))
            first = b
            if first >= end:
                break
        if first < end:
            left.append((first, end))
    return joined(left)


def holds(spans: Iterable[Span], asked: Sequence[Span]) -> bool:
    """Whether every serial asked for is in the spans."""
    return common(spans, asked) == joined(asked)


def said(spans: Iterable[Span]) -> str:
    """The spans as people read them, first and last: 1…40, 61…61."""
    return ", ".join(f"{first}…{end - 1}" for first, end in spans)
