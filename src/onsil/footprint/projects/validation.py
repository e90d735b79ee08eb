"""What must hold of a route before anybody walks it. Pure."""

from collections.abc import Iterable, Iterator

from onsil.footprint.projects.terms import PARTIES, ROLES, STATUSES, Route, Transition, Workflow

GATES = {
    "additionality", "calibration", "claims", "coverage", "design", "devices", "engagement",
    "findings", "method-version", "no-legal-duty", "opinion", "plan", "site-visit", "sites",
    "submission",
}  # fmt: skip
MATURITIES = ("confirmed", "secondary", "press", "recalled")
_MOVES = {
    ("open", "submitted"), ("submitted", "approved"), ("submitted", "returned"),
    ("returned", "submitted"),
}  # fmt: skip
_PARTY_OF_ROLE = {"official": {"developer"}, "approver": {"registry"}, "verifier": {"vvb"}}


def problems(route: Route) -> list[str]:
    """What is wrong with a route, in words; empty when it may be used.

    Every state is reachable from the first and leads to a final one; ids are single; roles,
    parties, gates and documents are known; a monitoring period's status moves as the database
    lets it; whoever hands in is kept from whoever decides; what a vvb does comes between.
    """
    found = [] if route.maturity in MATURITIES else [f"unknown maturity {route.maturity}"]
    kinds = {kind.id for kind in route.documents}
    for name, flow in (("project", route.project), ("period", route.period)):
        found += [f"{name}: {one}" for one in _of_workflow(flow, kinds)]
    found += [f"period: {one}" for one in _of_statuses(route.period)]
    if any(state.status for state in route.project.states):
        found.append("project: only a period's states have a status")
    if (route.crediting.renewals > 0) != any(t.does == "renew" for t in route.project.transitions):
        found.append("project: renewals need a step that renews, and the other way round")
    tops = [size.up_to_t for size in route.sizes]
    if tops and (tops[-1] is not None or None in tops[:-1] or tops[:-1] != sorted(tops[:-1])):  # pyright: ignore
        found.append("sizes: they must ascend, and the last be without an upper end")
    return found


def _of_workflow(flow: Workflow, kinds: set[str]) -> Iterator[str]:
    states, steps = {s.id for s in flow.states}, {t.id for t in flow.transitions}
    yield from _twice("state", (s.id for s in flow.states))
    yield from _twice("transition", (t.id for t in flow.transitions))
    for step in flow.transitions:
        yield from _of_transition(step, states, steps, kinds)
    for limit in flow.limits:
        unknown = {*limit.after, *limit.before} - steps
        if unknown:
            yield f"limit {limit.id} names {sorted(unknown)}"
        if (limit.months > 0) == (limit.days > 0):
            yield f"limit {limit.id} needs either months or days"
    yield from _of_paths(flow, states)


def _of_transition(
    step: Transition, states: set[str], steps: set[str], kinds: set[str]
) -> Iterator[str]:
    if not step.sources or {*step.sources, step.target} - states:
        yield f"{step.id} leaves or reaches an unknown state"
    if step.role not in ROLES or step.party not in PARTIES:
        yield f"{step.id} has an unknown role or party"
    elif step.party not in _PARTY_OF_ROLE[step.role]:
        yield f"{step.id}: a {step.role} does not act for the {step.party}"
    if set(step.documents) - kinds:
        yield f"{step.id} asks for unknown documents"
    if {gate.partition(":")[0] for gate in step.gates} - GATES:
        yield f"{step.id} has an unknown gate"
    if set(step.apart_from) - steps or step.id in step.apart_from:
        yield f"{step.id} is to be apart from itself or from nothing"
    if step.does not in ("", "renew"):
        yield f"{step.id} does {step.does}"
    if step.party == "registry" and not step.apart_from:
        yield f"{step.id} decides, so it must be apart from a step"


def _of_paths(flow: Workflow, states: set[str]) -> Iterator[str]:
    reached = _closure({flow.start.id}, [(t.sources, t.target) for t in flow.transitions])
    if states - reached:
        yield f"never reached: {sorted(states - reached)}"
    final = {s.id for s in flow.states if s.final}
    backwards = [((t.target,), source) for t in flow.transitions for source in t.sources]
    if states - _closure(final, backwards):
        yield f"dead end: {sorted(states - _closure(final, backwards))}"
    for step in flow.transitions:
        if final & set(step.sources):
            yield f"{step.id} leaves a final state"


def _closure(start: set[str], edges: Iterable[tuple[tuple[str, ...], str]]) -> set[str]:
    known, edges = set(start), list(edges)
    while True:
        more = {target for sources, target in edges if known & set(sources)} - known
        if not more:
            return known
        known |= more


def _of_statuses(flow: Workflow) -> Iterator[str]:
    status = {s.id: s.status for s in flow.states}
    if set(status.values()) - set(STATUSES) or flow.start.status != "open":
        yield "every state needs a status, the first one open"
        return
    if {"submitted", "approved", "returned"} - set(status.values()):
        yield "a period must be able to be submitted, approved and returned"
    final = {s.id for s in flow.states if s.final}
    if final != {s.id for s in flow.states if s.status == "approved"}:
        yield "approved states are the final ones"
    submits = {t.id for t in flow.transitions if any(_move(t, status, "submitted"))}
    for step in flow.transitions:
        if step.target not in status or set(step.sources) - set(status):
            continue
        moves = {(status[source], status[step.target]) for source in step.sources}
        if {move for move in moves if move[0] != move[1]} - _MOVES:
            yield f"{step.id} moves the status as the database does not"
        decides = {target for _, target in moves} & {"approved", "returned"}
        if decides and submits - set(step.apart_from):
            yield f"{step.id} decides, so it must be apart from {sorted(submits)}"


def _move(step: Transition, status: dict[str, str], target: str) -> Iterator[bool]:
    for source in step.sources:
        yield status.get(step.target) == target and status.get(source) != target


def _twice(what: str, ids: Iterable[str]) -> Iterator[str]:
    seen: set[str] = set()
    for one in ids:
        if one in seen:
            yield f"{what} {one} is there twice"
        seen.add(one)
