"""`witnesses.toml`: which witnesses a city's logs are shown to, from which day on. Pure.

publish = "quorum"          # or "at-once": show a checkpoint before it is witnessed

[[policy]]
from = 2026-12-01
text = '''
witness council <vkey> https://witness.council.example/
witness university <vkey> https://witness.university.example/
group any-two 2 council university
quorum any-two
'''

[operator.council]
ko = "시의회"
en = "City council"
own = false                 # true: run by the same installation, so not independent
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from onsil.proof.policy import NONE, Policy, PolicyError


@dataclass(frozen=True)
class Operator:
    """Who runs a witness; `own` when it is the installation itself."""

    ko: str = ""
    en: str = ""
    own: bool = False


@dataclass(frozen=True)
class WitnessPlan:
    """Policies by the day they begin, and whether to wait for the quorum before showing."""

    policies: tuple[tuple[date, Policy], ...] = ()
    wait_for_quorum: bool = False
    operators: Mapping[str, Operator] = field(default_factory=dict)

    def at(self, day: date) -> Policy:
        """The policy in force on a day; none is asked for before the first."""
        policy = Policy()
        for since, later in self.policies:
            if since <= day:
                policy = later
        return policy

    def waits(self, day: date) -> bool:
        """Whether checkpoints of a day are shown only once they are witnessed."""
        return self.wait_for_quorum and self.at(day).quorum != NONE


def parse_plan(text: str) -> WitnessPlan:
    """A plan from its file. Raises PolicyError, saying which part is wrong."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PolicyError(str(error)) from error
    unknown = sorted(set(table) - {"publish", "policy", "operator"})
    if unknown:
        raise PolicyError(f"unknown: {', '.join(unknown)}")
    publish = table.get("publish", "at-once")
    if publish not in ("quorum", "at-once"):
        raise PolicyError('publish is "quorum" or "at-once"')
    policies = [_dated(entry, n) for n, entry in enumerate(_list(table.get("policy", [])), 1)]
    days = [day for day, _ in policies]
    if days != sorted(set(days)):
        raise PolicyError("policies stand in the order of their days")
    return WitnessPlan(
        tuple(policies),
        publish == "quorum",
        {name: _operator(name, entry) for name, entry in _table(table.get("operator", {})).items()},
    )


def _list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise PolicyError("policies are [[policy]] tables")
    return value


def _table(value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise PolicyError("operators are [operator.<name>] tables")
    return value


def _dated(entry: object, number: int) -> tuple[date, Policy]:
    since = entry.get("from") if isinstance(entry, dict) else None
    text = entry.get("text") if isinstance(entry, dict) else None
    if type(since) is not date or not isinstance(text, str):
        raise PolicyError(f"policy {number} wants a day in `from` and a text")
    try:
        policy = Policy.parse(text)
    except PolicyError as error:
        raise PolicyError(f"policy {number}, {error}") from error
    silent = [w.name for w in policy.witnesses if not w.url.startswith(("http://", "https://"))]
    if silent:
        raise PolicyError(f"policy {number}: {', '.join(silent)} wants an http or https address")
    return since, policy


def _operator(name: str, entry: object) -> Operator:
    if not isinstance(entry, dict) or set(entry) - {"ko", "en", "own"}:
        raise PolicyError(f"operator {name} has ko, en and own")
    own = entry.get("own", False)
    if not isinstance(own, bool):
        raise PolicyError(f"operator {name}: own is true or false")
    return Operator(str(entry.get("ko", "")), str(entry.get("en", "")), own)
