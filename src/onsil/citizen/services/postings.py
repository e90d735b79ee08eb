"""Asking the ledger and remembering its answer: the one way money is moved in this room.

What is asked is written down with its own row in one transaction (`ledger.submit`); the posting
writer decides within milliseconds; the answer is waited for outside. When it does not come in time
the row stays pending and any later look at it (`refresh`) finds the answer. So a lost connection, a
double click or a crash in between never asks twice.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import TypeVar

from django.db import connection
from django.db.models import F
from psycopg.conninfo import make_conninfo

from onsil import ledger
from onsil.citizen.models import Cancellation, Cashback, Payment, Posting
from onsil.core.announce import announce
from onsil.core.clock import Clock, SystemClock
from onsil.core.database import Connection
from onsil.core.refusal import Refusal
from onsil.ledger.rules.cashback import SHOP
from onsil.tenancy import current_city, transaction

SYSTEM = SystemClock()
# How long a person is kept waiting before the pending page takes over, in seconds.
PATIENCE_S = 2.0

Row = TypeVar("Row", bound=Posting)


def local_asset(city: str) -> str:
    return f"local:{city}"


def wallet_account(user_id: object) -> str:
    return f"citizen:{user_id}"


def city_accounts(city: str) -> list[ledger.AccountSpec]:
    """The city's own accounts that this room's transfers pass through; opening is idempotent."""
    return [
        ledger.AccountSpec("issuer:local", local_asset(city), "issuer", minimum=None),
        ledger.AccountSpec("trust:local", "KRW", "trust"),
        ledger.AccountSpec("reserve:points", "KRW", "reserve"),
        ledger.AccountSpec("external:bank", "KRW", "external", minimum=None),
    ]


def open_with_limits(tx: Connection, city: str, specs: Sequence[ledger.AccountSpec]) -> None:
    """Open accounts that carry a rule's cap; where the rule has changed since, the cap follows.

    A cap below what is there already stops at what is there: nothing more goes in.
    """
    opened = ledger.open_accounts(tx, city, specs)
    for spec in specs:
        there = opened[spec.code, spec.asset]
        most = spec.maximum if spec.maximum is None else max(spec.maximum, there.balance)
        if there.maximum != most:
            changed = ledger.set_limits(tx, city, spec.code, spec.asset, there.minimum, most)
            assert not isinstance(changed, Refusal), changed


def dsn() -> str:
    """Where Django's own connection goes, for the ledger's listening connection beside it."""
    table = connection.settings_dict
    options = {k: v for k, v in table["OPTIONS"].items() if k not in ("assume_role", "pool")}
    named = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST",
             "port": "PORT"}  # fmt: skip
    parts = {ours: table.get(theirs) for ours, theirs in named.items()}
    return make_conninfo("", **{k: v for k, v in {**options, **parts}.items() if v})


def settle(row: Row, clock: Clock = SYSTEM, patience_s: float | None = None) -> Row:
    """Wait for the answer to a row just committed, and remember it; pending when it is late."""
    if row.pending:
        waited = PATIENCE_S if patience_s is None else patience_s
        ledger.wait(dsn(), current_city(), [row.key], waited)
    return refresh(row, clock)


def refresh(row: Row, clock: Clock = SYSTEM) -> Row:
    """Look for the ledger's answer to a pending row, and write it down when it is there."""
    if not row.pending:
        return row
    with transaction() as tx:
        fresh = type(row)._default_manager.select_for_update(of=("self",)).get(pk=row.pk)
        if fresh.pending:
            answer = ledger.answers(tx, current_city(), [fresh.key]).get(fresh.key)
            if answer is not None and answer.state != "pending":
                remember(fresh, answer, clock.now())
                if isinstance(fresh, Cashback):
                    _note_shop_share(fresh)
                tell(tx, fresh)
    return fresh


def remember(row: Posting, answer: ledger.Answer, now: datetime) -> None:
    """Write the ledger's answer into the row."""
    row.decided_at = now
    if answer.transfer_id is not None and answer.state in ("applied", "replayed"):
        row.state = Posting.State.APPLIED
        row.transfer_id = answer.transfer_id
    else:
        refusal = answer.refusal
        row.state = Posting.State.REFUSED
        assert refusal is not None, "a refused answer says why"
        row.refusal_code, row.refusal_ko, row.refusal_en = refusal.code, refusal.ko, refusal.en
    row.save()


def _note_shop_share(row: Cashback) -> None:
    """What the shop itself gives is kept with the payment, for its settlement."""
    if row.applied and row.funder == SHOP:
        Payment.objects.filter(pk=row.payment_id).update(
            shop_cashback=F("shop_cashback") + row.amount
        )


def tell(tx: Connection, row: Posting) -> None:
    """Let open screens know, at commit: the shop's and the payer's. No name or id of a person."""
    payment = row.payment if isinstance(row, Cancellation | Cashback) else row
    if isinstance(payment, Payment):
        city = payment.city
        news = {"payment": str(payment.pk), "state": row.state}
        announce(tx, city, f"merchant.{payment.merchant_id}", news)
        announce(tx, city, f"wallet.{payment.citizen_id}", news)
