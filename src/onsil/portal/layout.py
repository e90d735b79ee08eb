"""How a trace is laid out for reading: one journey that forks where value had several sources."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from decimal import ROUND_HALF_UP, Decimal

from onsil.portal.terms import Figure, Link, Step, Trace
from onsil.portal.trace.figures import grouped


@dataclass
class Branch:
    """Steps in reading order; then the branches the last of them forks into.

    `amount` says how much of the step before the branch came (or went) this way. `joins` is the
    step at which the branch meets one already shown, whose way is not repeated.
    """

    amount: int | Decimal | None = None
    unit: str = ""
    steps: list[Step] = field(default_factory=list)
    forks: list["Branch"] = field(default_factory=list)
    joins: Step | None = None


def lay_out(trace: Trace) -> Branch:
    """The trace from its subject on: back to the readings, or forward from them."""
    shown: set[str] = set()
    onward = trace.earlier if trace.backward else trace.later

    def target(link: Link) -> str:
        return link.earlier if trace.backward else link.later

    def follow(key: str, branch: Branch) -> Branch:
        while True:
            if key in shown:
                branch.joins = trace.step(key)
                return branch
            shown.add(key)
            branch.steps.append(trace.step(key))
            links = onward(key)
            if len(links) == 1:
                key = target(links[0])
                continue
            branch.forks = [follow(target(x), Branch(x.amount, x.unit)) for x in links]
            return branch

    return follow(trace.subject, Branch())


_SIGNIFICANT = 4
_UNITS = {
    "KRW": ("{}원", "{} won"),
    "P": ("{}점", "{} points"),
    "s": ("{}초", "{} s"),
}


def spelled(branch: Branch, language: str) -> Branch:
    """The same branch with its figures written out in the reader's language."""
    english = language.startswith("en")
    return replace(
        branch,
        steps=[replace(s, figures=tuple(_spelled(s.figures, english))) for s in branch.steps],
        forks=[spelled(fork, language) for fork in branch.forks],
    )


def _spelled(figures: Iterable[Figure], english: bool) -> Iterable[Figure]:
    for figure in figures:
        if figure.said is not None:
            words = figure.said.en if english else figure.said.ko
            yield Figure(figure.name, words, code=str(figure.value), href=figure.href)
        elif isinstance(figure.value, str):
            yield figure
        else:
            yield _written_out(figure, english)


def _written_out(figure: Figure, english: bool) -> Figure:
    """A number with its unit; one of many digits is rounded and keeps the whole in `code`."""
    assert not isinstance(figure.value, str)
    form = _UNITS.get(figure.unit, ("{} " + figure.unit,) * 2)[english]
    if not isinstance(figure.value, Decimal):
        return Figure(figure.name, form.format(grouped(figure.value)).strip())
    exact = figure.value.normalize()
    places = max(0, _SIGNIFICANT - 1 - exact.adjusted()) if exact else 0
    short = exact.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP).normalize()
    whole = "" if short == exact else f"{grouped(exact)} {figure.unit}".strip()
    return Figure(figure.name, form.format(grouped(short)).strip(), code=whole)
