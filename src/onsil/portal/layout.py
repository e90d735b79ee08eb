"""How a trace is laid out for reading: one journey that forks where value had several sources."""

from dataclasses import dataclass, field
from decimal import Decimal

from onsil.portal.terms import Link, Step, Trace


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
