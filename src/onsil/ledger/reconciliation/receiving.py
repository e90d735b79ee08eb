"""Rooms above that want to see money come in register here, as nothing here may know them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from onsil.core.clock import Clock
from onsil.ledger.reconciliation.terms import BankLine, Taken


def _any(line: BankLine) -> bool:
    return True


@dataclass(frozen=True)
class Receiver:
    """Who takes money up.

    `take` (city, lines, clock) says what was made of each line; it is called in no transaction, and
    again for a line that it said nothing of. `wants` chooses what is shown by itself; a person may
    hand over any line.
    """

    take: Callable[[str, Sequence[BankLine], Clock], Iterable[Taken]]
    wants: Callable[[BankLine], bool] = _any


_registered: dict[str, Receiver] = {}


def register_receiver(name: str, receiver: Receiver) -> None:
    """Show every line of money coming in on a collecting account to a receiver, once."""
    _registered[name] = receiver


def receivers() -> Mapping[str, Receiver]:
    """Those registered, by name."""
    return dict(_registered)
