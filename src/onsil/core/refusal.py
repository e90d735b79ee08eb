"""A business 'no' is a value: a code for programs, a sentence for people, the facts behind it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Refusal:
    """Why something was not done. Nothing has changed when one is returned.

    `code` is stable and kebab-case; `ko` and `en` are whole sentences that say what happened,
    what it means and what to do; `facts` holds the figures the sentence was made from.
    """

    code: str
    ko: str
    en: str
    facts: Mapping[str, Any] = field(default_factory=dict)

    def text(self, language: str = "ko") -> str:
        """The sentence in the reader's language; Korean unless English is asked for."""
        return self.en if language.startswith("en") else self.ko

    def __bool__(self) -> bool:
        return False


class OperationError(Exception):
    """What could not be done for a technical reason; `retry` says whether trying again may help."""

    def __init__(self, message: str, *, retry: bool) -> None:
        super().__init__(message)
        self.retry = retry
