"""The methodologies this program knows, each written a second time from its published page."""

from collections.abc import Callable
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from onsil_verifier.given import Given

Method = Callable[[Given], "dict[str, Any] | NotMeasurable"]


class NotMeasurable:
    """The methodology applies, and its gates do not hold: code is `not-yet-measurable`."""

    def __init__(self, ko: str, en: str, facts: dict[str, Any]) -> None:
        self.ko, self.en, self.facts = ko, en, facts


class Refused(Exception):
    """The methodology does not apply to these data: such a run would never have been stored."""


def known() -> dict[tuple[str, str], Method]:
    """Every method by id and version: modules below this one state METHODS."""
    found: dict[tuple[str, str], Method] = {}
    for module in iter_modules(__path__):
        found.update(import_module(f"{__name__}.{module.name}").METHODS)
    return found
