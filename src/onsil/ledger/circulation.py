"""What circulates of a city's local currency, who holds it, and what lies behind it.

Everything is read in one statement, so that a transfer which changes both sides never falls between
two readings.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from onsil.core.database import Connection, cursor
from onsil.ledger.rules import names
from onsil.ledger.rules.trust import Liability

# A purse is [[terms, born, end, start, stop, ...], ...]: from the fourth place on come the spans.
_READ = """
    WITH held AS (
      SELECT kind, keeps_lots, balance, purse FROM ledger_account
      WHERE city = %(city)s AND asset = %(local)s AND code <> %(issuer)s AND balance <> 0)
    SELECT 'won', CASE WHEN kind = 'payable' THEN kind ELSE code END, '', false,
      sum(balance)::bigint
    FROM ledger_account
    WHERE city = %(city)s AND asset = %(krw)s
      AND (code IN (%(trust)s, %(interest)s) OR kind = 'payable')
    GROUP BY 2
    UNION ALL
    SELECT 'held', kind, '', false, sum(balance)::bigint FROM held WHERE NOT keeps_lots GROUP BY 2
    UNION ALL
    SELECT 'held', h.kind, t.fund, t.refundable,
      sum((layer ->> (at + 1))::bigint - (layer ->> at)::bigint)::bigint
    FROM held h
      CROSS JOIN jsonb_array_elements(h.purse::jsonb) AS layer
      CROSS JOIN generate_series(3, jsonb_array_length(layer) - 2, 2) AS at
      JOIN ledger_terms t ON t.city = %(city)s AND t.id = (layer ->> 0)::bigint
    WHERE h.keeps_lots
    GROUP BY 2, 3, 4"""


@dataclass(frozen=True)
class Backing:
    """Won on the accounts behind the currency, and everything that circulates."""

    trust: int
    payable: int
    interest: int
    held: tuple[Liability, ...]

    @property
    def circulating(self) -> int:
        return sum(one.amount for one in self.held)

    def by_fund(self) -> Mapping[str, int]:
        """What circulates of each fund, the largest first."""
        sums: dict[str, int] = defaultdict(int)
        for one in self.held:
            sums[one.fund] += one.amount
        return dict(sorted(sums.items(), key=lambda kv: (-kv[1], kv[0])))


def backing(conn: Connection, city: str) -> Backing:
    """The won behind the currency and what circulates, at one instant."""
    asked = {
        "city": city, "local": names.local_asset(city), "issuer": names.ISSUER,
        "krw": names.KRW, "trust": names.TRUST, "interest": names.INTEREST,
    }  # fmt: skip
    with cursor(conn) as run:
        rows = run.execute(_READ, asked).fetchall()
    won = {name: amount for side, name, _, _, amount in rows if side == "won"}
    held = tuple(
        Liability(holder, fund, refundable, amount)
        for side, holder, fund, refundable, amount in sorted(rows)
        if side == "held"
    )
    return Backing(won.get(names.TRUST, 0), won.get("payable", 0), won.get(names.INTEREST, 0), held)


def ending(
    conn: Connection, city: str, asset: str, ends: Sequence[datetime]
) -> list[tuple[str, str, datetime, int]]:
    """Value in citizens' accounts that ends at one of some instants: account code, fund, end and
    amount, by account and end."""
    with cursor(conn) as run:
        return run.execute(
            """SELECT a.code, t.fund, t.expires_at,
              sum((layer ->> (at + 1))::bigint - (layer ->> at)::bigint)::bigint
            FROM ledger_account a
              CROSS JOIN jsonb_array_elements(a.purse::jsonb) AS layer
              CROSS JOIN generate_series(3, jsonb_array_length(layer) - 2, 2) AS at
              JOIN ledger_terms t ON t.city = a.city AND t.id = (layer ->> 0)::bigint
            WHERE a.city = %s AND a.asset = %s AND a.kind = 'citizen' AND a.purse <> '[]'
              AND t.expires_at = ANY(%s)
            GROUP BY a.code, t.fund, t.expires_at ORDER BY a.code, t.expires_at, t.fund""",
            (city, asset, list(ends)),
        ).fetchall()
