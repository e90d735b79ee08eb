"""Opening, closing and finding accounts."""

from collections.abc import Iterable

from onsil.core.clock import Clock
from onsil.core.database import Connection, cursor
from onsil.core.refusal import OperationError, Refusal
from onsil.ledger import refusals
from onsil.ledger.loading import lock_head, mark_head
from onsil.ledger.terms import Account, AccountSpec


def open_accounts(
    conn: Connection, city: str, specs: Iterable[AccountSpec]
) -> dict[tuple[str, str], Account]:
    """Open the accounts that are not there yet; all of them, by (code, asset).

    An account that is there keeps its limits. Raises OperationError when one of them keeps lots
    and the specification says otherwise, for that cannot change once value has moved.
    """
    wanted = sorted({(s.code, s.asset): s for s in specs}.values(), key=lambda s: (s.code, s.asset))
    if not wanted:
        return {}
    codes, assets = [s.code for s in wanted], [s.asset for s in wanted]
    with cursor(conn) as run:
        run.execute(
            """INSERT INTO ledger_account (city, code, asset, kind, minimum, maximum, keeps_lots)
            SELECT %s, given.* FROM unnest(%s::text[], %s::text[], %s::text[], %s::bigint[],
              %s::bigint[], %s::boolean[]) AS given (code, asset, kind, minimum, maximum, lots)
            WHERE NOT EXISTS (SELECT FROM ledger_account a
                              WHERE (a.city, a.code, a.asset) = (%s, given.code, given.asset))
            ON CONFLICT DO NOTHING""",
            (
                city, codes, assets, [s.kind for s in wanted], [s.minimum for s in wanted],
                [s.maximum for s in wanted], [s.lots for s in wanted], city,
            ),
        )  # fmt: skip
        rows = run.execute(
            """SELECT id, code, asset, kind, minimum, maximum, keeps_lots, balance, closed_at, held,
              coming
            FROM ledger_account
            WHERE city = %s AND code = ANY(%s) AND asset = ANY(%s)""",
            (city, codes, sorted(set(assets))),
        ).fetchall()
    found = {(row[1], row[2]): Account(*row) for row in rows}
    opened = {(s.code, s.asset): found[s.code, s.asset] for s in wanted}
    for spec in wanted:
        if opened[spec.code, spec.asset].keeps_lots != spec.lots:
            raise OperationError(
                f"the account {spec.code} in {spec.asset} was opened with "
                f"lots={not spec.lots}; that cannot be changed",
                retry=False,
            )
    return opened


def account(conn: Connection, city: str, code: str, asset: str) -> Account | None:
    """One account, or None when it was never opened."""
    with cursor(conn) as run:
        row = run.execute(
            """SELECT id, code, asset, kind, minimum, maximum, keeps_lots, balance, closed_at, held,
              coming
            FROM ledger_account
            WHERE city = %s AND code = %s AND asset = %s""",
            (city, code, asset),
        ).fetchone()
    return Account(*row) if row else None


def accounts(
    conn: Connection, city: str, *, asset: str | None = None, prefix: str = ""
) -> list[Account]:
    """The accounts of an asset and with codes beginning with `prefix`, by code."""
    with cursor(conn) as run:
        rows = run.execute(
            """SELECT id, code, asset, kind, minimum, maximum, keeps_lots, balance, closed_at, held,
              coming
            FROM ledger_account
            WHERE city = %s AND (%s::text IS NULL OR asset = %s::text) AND starts_with(code, %s)
            ORDER BY code, asset""",
            (city, asset, asset, prefix),
        ).fetchall()
    return [Account(*row) for row in rows]


def close_account(
    conn: Connection, city: str, code: str, asset: str, clock: Clock
) -> Account | Refusal:
    """Close an empty account for good; closing it again changes nothing.

    Refuses with `unknown-account`, or `account-not-empty` while it holds anything or a
    pending transfer waits for it.
    """
    lock_head(conn, city)
    found = account(conn, city, code, asset)
    if found is None:
        return refusals.unknown_account(code, asset)
    if found.closed_at is not None:
        return found
    if found.balance:
        return refusals.account_not_empty(code, asset, found.balance)
    if found.held or found.coming:
        return refusals.account_not_free(code, asset, found.held, found.coming)
    with cursor(conn) as run:
        run.execute(
            "UPDATE ledger_account SET closed_at = %s WHERE city = %s AND id = %s",
            (clock.now(), city, found.id),
        )
        assert run.rowcount == 1, "the account is closed"
    mark_head(conn, city)
    closed = account(conn, city, code, asset)
    assert closed is not None
    return closed


def set_limits(
    conn: Connection, city: str, code: str, asset: str, minimum: int | None, maximum: int | None
) -> Account | Refusal:
    """Change an account's limits. Refuses with `unknown-account`, or `limits-not-met` when its
    present balance, with what pending transfers set aside, is outside them."""
    lock_head(conn, city)
    found = account(conn, city, code, asset)
    if found is None:
        return refusals.unknown_account(code, asset)
    low = minimum is not None and found.available < minimum
    high = maximum is not None and found.balance + found.coming > maximum
    if low or high:
        return refusals.limits_not_met(code, asset, found.balance, minimum, maximum)
    with cursor(conn) as run:
        run.execute(
            "UPDATE ledger_account SET minimum = %s, maximum = %s WHERE city = %s AND id = %s",
            (minimum, maximum, city, found.id),
        )
        assert run.rowcount == 1, "the limits are set"
    mark_head(conn, city)
    changed = account(conn, city, code, asset)
    assert changed is not None
    return changed
