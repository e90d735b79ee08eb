"""Proof that somebody lives in the city: a pluggable step of signing up.

A check is found by the name that the city's `[residence] check = "…"` gives: `code` is ours, others
come from installed packages through the entry-point group `onsil.residence` (see README.md here).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import entry_points
from typing import Any, Protocol
from uuid import UUID

from onsil.core.refusal import OperationError, Refusal

GROUP = "onsil.residence"


@dataclass(frozen=True)
class Question:
    """One field of the form a check asks its answers by; labels in both languages."""

    name: str
    label_ko: str
    label_en: str
    hint_ko: str = ""
    hint_en: str = ""
    autocomplete: str = "off"
    capitals: bool = False


@dataclass(frozen=True)
class Resident:
    """What is remembered of a passed check: how, and at most which district."""

    method: str
    district: str = ""


class ResidenceCheck(Protocol):
    """Decides from a person's answers whether they live in the city.

    `questions` are shown in order. `examine` runs inside a transaction scoped to the city; it must
    not commit, and should take up what may be used once (a code, a one-time ticket).
    """

    questions: tuple[Question, ...]

    def examine(
        self, city: str, user_id: UUID, answers: Mapping[str, str], now: datetime
    ) -> Resident | Refusal: ...


def check_of(city_table: Mapping[str, Any]) -> ResidenceCheck:
    """The check a city has chosen (`code` when it says nothing).

    Raises OperationError when no installed package knows the name.
    """
    name = str(city_table.get("residence", {}).get("check", "code"))
    if name == "code":
        from onsil.citizen.residence.by_code import CodeCheck

        return CodeCheck()
    found = entry_points(group=GROUP, name=name)
    if not found:
        raise OperationError(f"no residence check named {name!r} is installed", retry=False)
    return next(iter(found)).load()()
