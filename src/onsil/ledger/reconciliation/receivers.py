"""Rooms above that want to see money come in register here, as nothing here may know them."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from onsil.core.clock import Clock
from onsil.ledger.reconciliation.terms import BankLine, Taken

Receiver = Callable[[str, Sequence[BankLine], Clock], Iterable[Taken]]
"""(city, lines, clock) -> what was made of each line that it took or judged. Called in no
transaction; may be called again for a line that it said nothing of."""

_registered: dict[str, Receiver] = {}


def register_receiver(name: str, take: Receiver) -> None:
    """Show every line of money coming in on a collecting account to `take`, once."""
    _registered[name] = take


def receivers() -> Mapping[str, Receiver]:
    """Those registered, by name."""
    return dict(_registered)
