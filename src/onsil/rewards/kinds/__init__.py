"""Kinds of rule, found through the entry-point group `onsil.programmes`. See README.md here."""

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import entry_points
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from onsil.core.refusal import OperationError
from onsil.rewards.terms import Entitlement, EvidenceItem, ProgrammeTerms, Window

GROUP = "onsil.programmes"


class RuleKind(Protocol):
    """A pure rule: what one person's evidence in one window is worth, before caps and budget."""

    def problems(self, rule: Mapping[str, Any], groups: Sequence[str]) -> list[str]:
        """What is wrong with a programme's `[rule]` table; empty when it can be used."""
        ...

    def entitle(
        self,
        terms: ProgrammeTerms,
        group: str,
        window: Window,
        evidence: Sequence[EvidenceItem],
        zone: ZoneInfo,
    ) -> Entitlement:
        """Points for the window's evidence, oldest first, with the reason in both languages.

        Same evidence, same answer; more evidence may change it either way. Never negative.
        """
        ...


@cache
def rule_kinds() -> dict[str, RuleKind]:
    """Every installed kind by its entry point's name."""
    return {point.name: point.load()() for point in entry_points(group=GROUP)}


def rule_kind(name: str) -> RuleKind:
    """A kind by name. Raises OperationError for one that is not installed."""
    try:
        return rule_kinds()[name]
    except KeyError:
        known = ", ".join(sorted(rule_kinds()))
        raise OperationError(
            f"no rule kind {name!r} is installed (there are: {known})", retry=False
        ) from None
