"""Django's view of the area; who is shown the money that comes in at the bank."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from django.apps import AppConfig

from onsil.core.clock import Clock
from onsil.ledger.reconciliation import BankLine, Receiver, Taken, register_receiver


def _words(line: BankLine) -> str:
    """Everything in which a payer may have written the charge's reference."""
    return " ".join(part for part in (line.reference, line.text, line.depositor) if part)


def _wanted(line: BankLine) -> bool:
    """Lines that name a charge; other money is the accountants' to explain or to hand over."""
    from onsil.citizen import reference

    return reference.find_reference(_words(line)) is not None


def _take(city: str, lines: Sequence[BankLine], clock: Clock) -> Iterable[Taken]:
    """Charges that wait for their money, told of each line; the writer answers in its own time."""
    from onsil.citizen.services import deposits
    from onsil.tenancy import city_scope

    with city_scope(city):
        for line in lines:
            named = replace(line, reference=_words(line))
            deposit = deposits.take_line(named, clock=clock, patience_s=0)
            why = deposit.reason
            yield Taken(
                line.id, deposit.fate, why.get("ko", ""), why.get("en", ""), "deposit",
                str(deposit.pk),
            )  # fmt: skip


class BooksConfig(AppConfig):
    name = "onsil.console.books"
    label = "books"

    def ready(self) -> None:
        register_receiver("charges", Receiver(_take, _wanted))
