"""A trace as lines of text, for terminals and messages."""

from collections.abc import Iterator

from onsil.portal.layout import Branch, lay_out
from onsil.portal.terms import ProofState, Step, Trace
from onsil.portal.trace.figures import grouped
from onsil.tenancy.cities import city as city_profile

_MARKS = {
    ProofState.SEALED: "✓",
    ProofState.WAITING: "…",
    ProofState.FAILED: "✗",
    ProofState.COVERED: "·",
    ProofState.NONE: " ",
}


def lines(trace: Trace, language: str = "ko") -> list[str]:
    """The journey, one step a line, branches indented with what of the amount went their way."""
    zone = city_profile(trace.city).zone

    def step_lines(step: Step, indent: str) -> Iterator[str]:
        when = step.at.astimezone(zone).strftime("%Y-%m-%d %H:%M")
        digest = f"  [{step.short_digest}]" if step.digest else ""
        mark = _MARKS[step.proof.state]
        yield f"{indent}{mark} {when}  {step.title.text(language)}{digest}"
        yield f"{indent}    {step.words.text(language)}"

    def branch_lines(branch: Branch, indent: str) -> Iterator[str]:
        for step in branch.steps:
            yield from step_lines(step, indent)
        if branch.joins is not None:
            yield f"{indent}  ↳ {branch.joins.title.text(language)} ({branch.joins.key})"
        for fork in branch.forks:
            amount = "" if fork.amount is None else f"{grouped(fork.amount)} {fork.unit}"
            yield f"{indent}  ├ {amount}".rstrip()
            yield from branch_lines(fork, indent + "  │ ")

    return list(branch_lines(lay_out(trace), ""))
