"""What the screens and jobs do with the engine: files in, rules run, days closed, each in its own
transaction."""

from datetime import date
from functools import cache
from uuid import UUID

from onsil.core.clock import Clock, SystemClock
from onsil.core.refusal import Refusal
from onsil.ledger import closing, reconciliation
from onsil.ledger.reconciliation import BankLine, ImportReport, ReconcileReport, Setup
from onsil.tenancy import transaction
from onsil.tenancy.cities import city as city_profile

CLOCK = SystemClock()
JOB = "job:daily-close"


@cache
def setup_of(city: str) -> Setup:
    """A city's bank accounts, formats and rules; read once by a process."""
    return reconciliation.read_setup(city_profile(city).folder / "reconciliation")


def bring_in(
    city: str, account: str, form: str, name: str, content: bytes, actor: str,
    clock: Clock, covers: tuple[date, date] | None = None, *, simulated: bool = False,
) -> tuple[ImportReport, ReconcileReport] | Refusal:  # fmt: skip
    """Take a file in, show its money to who waits for it, and match. Safe to repeat."""
    setup, zone = setup_of(city), city_profile(city).zone
    with transaction(city) as conn:
        report = reconciliation.import_file(
            conn, city, setup, account, form, name, content, actor, clock, zone, covers,
            simulated=simulated,
        )  # fmt: skip
    if isinstance(report, Refusal):
        return report
    show_money(city, clock)
    return report, run_rules(city, clock)[account]


def show_money(city: str, clock: Clock) -> int:
    """Show new money on collecting accounts to the rooms that registered; how many lines."""
    setup, shown = setup_of(city), 0
    for name, receiver in reconciliation.receivers().items():
        with transaction(city) as conn:
            lines = reconciliation.lines_for(conn, city, setup, name)
        shown += _show(city, name, [line for line in lines if receiver.wants(line)], clock)
    return shown


def hand_over(city: str, line_id: UUID, clock: Clock) -> bool:
    """Show one line to every receiver, whether it wants it by itself or not; False when it is not
    money that came in on a collecting account, or was shown before."""
    setup, shown = setup_of(city), 0
    for name in reconciliation.receivers():
        with transaction(city) as conn:
            lines = reconciliation.lines_for(conn, city, setup, name)
        shown += _show(city, name, [line for line in lines if line.id == line_id], clock)
    if shown:
        run_rules(city, clock)
    return bool(shown)


def _show(city: str, name: str, lines: list[BankLine], clock: Clock) -> int:
    shown = 0
    for taken in reconciliation.receivers()[name].take(city, lines, clock) if lines else ():
        with transaction(city) as conn:
            reconciliation.note_taken(conn, city, name, taken, clock)
        shown += 1
    return shown


def run_rules(city: str, clock: Clock) -> dict[str, ReconcileReport]:
    """Take the books in and match, for each of the city's accounts."""
    zone, done = city_profile(city).zone, {}
    for code, account in setup_of(city).accounts.items():
        with transaction(city) as conn:
            done[code] = reconciliation.reconcile(conn, city, account, clock, zone)
    return done


def close_yesterday(city: str, clock: Clock) -> tuple[list[closing.Close], Refusal | None]:
    """Close what is in order up to yesterday. A city without bank accounts is left alone."""
    if not setup_of(city).accounts:
        return [], None
    with transaction(city) as conn:
        return closing.close_due(
            closing.Ground(conn, city, setup_of(city), city_profile(city).zone, clock), JOB
        )
