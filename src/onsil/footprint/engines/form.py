"""What a form of runs has to say: how an outcome, or the lack of one, is written down."""

from typing import Any, Protocol

from onsil.core.refusal import Refusal
from onsil.footprint.terms import Outcome


class RunForm(Protocol):
    """A module that writes outputs. A change of any byte it writes is a new form."""

    FORMAT: str

    def quantified(self, found: Outcome) -> dict[str, Any]: ...

    def not_measurable(self, found: Refusal) -> dict[str, Any]: ...
