"""What time undoes: pending transfers past their time-out, and lots past their expiry."""

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256

from onsil.core.clock import Clock
from onsil.core.database import Connection, cursor
from onsil.ledger.accounts import open_accounts
from onsil.ledger.posting import post
from onsil.ledger.terms import AccountSpec, Answer, Leg, LotFilter, TransferRequest

_TIMEOUTS_MAX = 1000
Sums = Sequence[tuple[str, int]]
"""Expired amounts by fund."""


def expire_pending(conn: Connection, city: str, clock: Clock) -> int:
    """Release pending transfers whose time is over, in the caller's transaction; how many.

    Each is a `void` of kind `timeout`, under a key of its own, so that doing it again does nothing.
    The posting writer does this by itself.
    """
    with cursor(conn) as run:
        rows = run.execute(
            """SELECT id FROM ledger_pending
            WHERE city = %s AND settled_by IS NULL AND timeout_at <= %s
            ORDER BY timeout_at LIMIT %s""",
            (city, clock.now(), _TIMEOUTS_MAX),
        ).fetchall()
    if not rows:
        return 0
    requests = [
        TransferRequest(f"timeout:{key}", "timeout", (), phase="void", pending=key)
        for (key,) in rows
    ]
    given = post(conn, city, requests, clock)
    return sum(answer.state == "applied" for answer in given.values())


def cities_with_timeouts(conn: Connection, clock: Clock) -> set[str]:
    """Where pending transfers wait to be released, of the cities that the connection sees."""
    with cursor(conn) as run:
        rows = run.execute(
            """SELECT DISTINCT city FROM ledger_pending
            WHERE settled_by IS NULL AND timeout_at <= %s""",
            (clock.now(),),
        ).fetchall()
    return {city for (city,) in rows}


def breakage(fund: str) -> str:
    """The account that expired value of a fund goes to, unless a city says otherwise."""
    return f"breakage:{fund}"


def no_legs(code: str, sums: Sums) -> Iterable[Leg]:
    """Nothing goes along with expired value."""
    return ()


def expire(
    conn: Connection, city: str, clock: Clock, asset: str, *, day: str,
    into: Callable[[str], str] = breakage, along: Callable[[str, Sums], Iterable[Leg]] = no_legs,
    kinds: Sequence[str] = ("citizen",),
) -> dict[str, Answer]:  # fmt: skip
    """Take the expired lots out of every account of an asset, in the caller's transaction.

    One transfer of kind `expiry` an account, with one leg a fund; its key is made of the account,
    the city's `day` and what has expired, so that doing it again does nothing. `into` names the
    account for each fund (opened without lots where there is none), `along` the legs that go with
    an account's expired sums, such as their cover in won. Only accounts of `kinds`: what a shop
    was paid with before it expired stays the shop's.
    """
    found: dict[tuple[int, str], dict[str, int]] = {}
    places: dict[tuple[int, str], list[str]] = {}
    with cursor(conn) as run:
        for number, code, terms, fund, amount, purse in run.execute(
            """SELECT a.id, a.code, t.id, t.fund, sum(CASE mod(e.n, 2)
                WHEN 0 THEN -e.place::bigint ELSE e.place::bigint END)::bigint, layer::text
            FROM ledger_account a, jsonb_array_elements(a.purse::jsonb) AS layer
            JOIN ledger_terms t ON t.id = (layer ->> 0)::bigint AND t.expires_at <= %(now)s,
              jsonb_array_elements_text(layer) WITH ORDINALITY AS e (place, n)
            WHERE a.city = %(city)s AND t.city = %(city)s AND a.asset = %(asset)s
              AND a.kind = ANY(%(kinds)s) AND a.purse <> '[]' AND a.closed_at IS NULL AND e.n > 3
            GROUP BY a.id, a.code, t.id, t.fund, layer ORDER BY a.id, t.id""",
            {"city": city, "asset": asset, "now": clock.now(), "kinds": list(kinds)},
        ):
            sums = found.setdefault((number, code), {})
            sums[fund] = sums.get(fund, 0) + amount
            places.setdefault((number, code), []).append(f"{terms}{purse}")
    if not found:
        return {}
    funds = {fund for sums in found.values() for fund in sums}
    open_accounts(conn, city, [AccountSpec(into(fund), asset, "breakage") for fund in funds])
    requests = [
        _expiry(account, asset, day, sums, places[account], into, along)
        for account, sums in found.items()
    ]
    return post(conn, city, requests, clock)


def _expiry(
    account: tuple[int, str], asset: str, day: str, sums: dict[str, int], places: list[str],
    into: Callable[[str], str], along: Callable[[str, Sums], Iterable[Leg]],
) -> TransferRequest:  # fmt: skip
    number, code = account
    what = sha256("".join(places).encode()).hexdigest()[:16]
    legs = [
        Leg(code, into(fund), asset, amount,
            only=LotFilter(funds=frozenset({fund}), expired=True))
        for fund, amount in sorted(sums.items())
    ]  # fmt: skip
    legs += along(code, sorted(sums.items()))
    return TransferRequest(f"expiry:{number}:{day}:{what}", "expiry", tuple(legs))
