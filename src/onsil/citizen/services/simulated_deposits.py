"""Paying an order in at the simulated bank: its file, taken in as a real one."""

from uuid import UUID

from onsil.citizen import reference, refusals, simulated_bank
from onsil.citizen.models import ChargeOrder, User
from onsil.citizen.services import charges, holds
from onsil.citizen.services.postings import SYSTEM
from onsil.core.clock import Clock
from onsil.core.refusal import Refusal
from onsil.ledger import reconciliation
from onsil.tenancy import current_city, transaction
from onsil.tenancy.cities import city as city_profile

ACTOR = "simulated-bank"


def postings_of(citizen: User) -> set[UUID]:
    """The transfers by which a simulated bank's deposits paid this citizen's orders."""
    paid = ChargeOrder.objects.filter(citizen=citizen, deposits__simulated=True)
    pairs = paid.values_list("outcome_transfer_id", "deposits__transfer_id")
    return {one for pair in pairs for one in pair if one is not None}


def pay_in(order: ChargeOrder, *, clock: Clock = SYSTEM) -> ChargeOrder | Refusal:
    """Let the simulated bank send a file with the deposit of an order.

    Only where the city's deposits are simulated. Refusals: `charging-closed`, those of the import.
    """
    city = current_city()
    profile = city_profile(city)
    terms = charges.terms_of(profile)
    if terms is None or not terms.simulated:
        return refusals.charging_closed()
    setup = reconciliation.read_setup(profile.folder / "reconciliation")
    account = next(
        (code for code, one in setup.accounts.items()
         if one.collects and simulated_bank.FORMAT in one.formats), None,
    )  # fmt: skip
    if account is None:
        return refusals.charging_closed()
    paid = simulated_bank.PaidIn(
        clock.now(), order.amount, order.citizen.name or "시민", reference.grouped(order.reference),
        f"SIM-{order.reference}",
    )  # fmt: skip
    content = simulated_bank.file_bytes([paid], profile.zone)
    with transaction() as tx:
        report = reconciliation.import_file(
            tx, city, setup, account, simulated_bank.FORMAT, f"SIM-{order.reference}.csv",
            content, ACTOR, clock, profile.zone, simulated=True,
        )  # fmt: skip
    if isinstance(report, Refusal):
        return report
    for name, receiver in reconciliation.receivers().items():
        with transaction() as tx:
            new = reconciliation.lines_for(tx, city, setup, name)
        for taken in receiver.take(city, [line for line in new if receiver.wants(line)], clock):
            with transaction() as tx:
                reconciliation.note_taken(tx, city, name, taken, clock)
    order.refresh_from_db()
    return holds.settle(order, clock, ended=charges.told)
