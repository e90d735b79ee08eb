"""How a trace is laid out for reading: one journey that forks where value had several sources."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from decimal import Decimal

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
        if isinstance(figure.value, str):
            yield figure
            continue
        value = figure.value.normalize() if isinstance(figure.value, Decimal) else figure.value
        form = _UNITS.get(figure.unit, ("{} " + figure.unit,) * 2)[english]
        yield Figure(figure.name, form.format(grouped(value)).strip())
