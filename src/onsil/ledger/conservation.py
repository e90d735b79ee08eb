"""Checks that no value came from nowhere: over all rows, for the monitors and for the verifier."""

from onsil.core.database import Connection, cursor
from onsil.ledger.terms import Imbalance


def conservation(conn: Connection, city: str) -> list[Imbalance]:
    """What does not add up, in one city; empty when all is well.

    asset-sum: an asset's balances sum to 0. balance-legs: an account's balance is the sum of its
    legs. leg-chain: balances after each leg follow from one another. balance-lots: where lots are
    kept, the live positions are the balance less what is held. positions: each live or held
    position was received and not taken, and no other is there. held-pending: what accounts have
    held and coming is what open pending transfers set aside. trust-short: `trust:local` covers the
    local currency in circulation.
    """
    found = [*_assets(conn, city), *_legs(conn, city), *_chains(conn, city), *_lots(conn, city)]
    return [*found, *_positions(conn, city), *_pending(conn, city), *_trust(conn, city)]


def _assets(conn: Connection, city: str) -> list[Imbalance]:
    with cursor(conn) as run:
        rows = run.execute(
            """SELECT asset, sum(balance)::bigint FROM ledger_account WHERE city = %s
            GROUP BY asset HAVING sum(balance) <> 0 ORDER BY asset""",
            (city,),
        ).fetchall()
    return [
        Imbalance(
            "asset-sum", asset,
            f"{asset}: 모든 계정의 합이 0이 아니라 {total:,}입니다.",
            f"{asset}: all balances together are {total:,} and not 0.",
            {"sum": total},
        )
        for asset, total in rows
    ]  # fmt: skip


def _legs(conn: Connection, city: str) -> list[Imbalance]:
    with cursor(conn) as run:
        rows = run.execute(
            """WITH moved AS (
              SELECT account_id, sum(amount)::bigint AS total FROM (
                SELECT source_id AS account_id, -amount AS amount FROM ledger_leg
                  WHERE city = %s AND phase IN (0, 2)
                UNION ALL
                SELECT destination_id, amount FROM ledger_leg
                  WHERE city = %s AND phase IN (0, 2)) sides
              GROUP BY account_id)
            SELECT a.code, a.asset, a.balance, coalesce(m.total, 0)
            FROM ledger_account a LEFT JOIN moved m ON m.account_id = a.id
            WHERE a.city = %s AND a.balance <> coalesce(m.total, 0) ORDER BY a.code, a.asset""",
            (city, city, city),
        ).fetchall()
    return [
        Imbalance(
            "balance-legs", f"{code} {asset}",
            f"{code}({asset})의 잔액 {held:,}이 거래의 합 {total:,}과 다릅니다.",
            f"The balance of {code} ({asset}) is {held:,}, its transfers sum to {total:,}.",
            {"balance": held, "legs": total},
        )
        for code, asset, held, total in rows
    ]  # fmt: skip


def _chains(conn: Connection, city: str) -> list[Imbalance]:
    with cursor(conn) as run:
        rows = run.execute(
            """WITH lines AS (
              SELECT source_id AS account_id, transfer_id, number, -amount AS amount,
                source_balance AS balance FROM ledger_leg WHERE city = %s AND phase IN (0, 2)
              UNION ALL
              SELECT destination_id, transfer_id, number, amount, destination_balance
                FROM ledger_leg WHERE city = %s AND phase IN (0, 2)),
            chained AS (
              SELECT *, coalesce(lag(balance) OVER (PARTITION BY account_id
                ORDER BY transfer_id, number), 0) AS before FROM lines)
            SELECT a.code, a.asset, c.transfer_id, c.before, c.amount, c.balance
            FROM chained c JOIN ledger_account a ON a.city = %s AND a.id = c.account_id
            WHERE c.before + c.amount <> c.balance ORDER BY c.transfer_id LIMIT 100""",
            (city, city, city),
        ).fetchall()
    return [
        Imbalance(
            "leg-chain", str(transfer),
            f"거래 {transfer}: {code}의 잔액이 {before:,}에서 {amount:+,} 뒤에 {after:,}입니다.",
            f"Transfer {transfer}: {code} went from {before:,} by {amount:+,} to {after:,}.",
            {"account": code, "asset": asset, "before": before, "amount": amount, "after": after},
        )
        for code, asset, transfer, before, amount, after in rows
    ]  # fmt: skip


def _lots(conn: Connection, city: str) -> list[Imbalance]:
    with cursor(conn) as run:
        rows = run.execute(
            """SELECT * FROM (
              SELECT a.code, a.asset, a.balance, a.held, coalesce((
                SELECT sum(CASE mod(n, 2) WHEN 0 THEN -place::bigint ELSE place::bigint END)
                FROM jsonb_array_elements(a.purse::jsonb) AS layer,
                  jsonb_array_elements_text(layer) WITH ORDINALITY AS e (place, n)
                WHERE n > 3), 0)::bigint AS live
              FROM ledger_account a WHERE a.city = %s AND a.keeps_lots) kept
            WHERE balance - held <> live ORDER BY code, asset""",
            (city,),
        ).fetchall()
    return [
        Imbalance(
            "balance-lots", f"{code} {asset}",
            f"{code}({asset})의 잔액 {balance:,}에서 예약된 {held:,}을 뺀 금액이 묶음의 합 "
            f"{live:,}과 다릅니다.",
            f"The balance of {code} ({asset}) is {balance:,}, {held:,} of it held; its lots hold "
            f"{live:,}.",
            {"balance": balance, "held": held, "lots": live},
        )
        for code, asset, balance, held, live in rows
    ]  # fmt: skip


_EDGES = """
WITH moved AS (
  SELECT source_id, destination_id, (p ->> 0)::bigint AS terms, (p ->> 1)::bigint AS taken,
    (p ->> 2)::bigint AS made, (p ->> 3)::bigint AS amount
  FROM ledger_leg, jsonb_array_elements(pieces::jsonb) AS p
  WHERE city = %(city)s AND phase IN (0, 2)
), held AS (
  SELECT (leg ->> 0)::bigint AS account, (p ->> 0)::bigint AS terms, (p ->> 1)::bigint AS place,
    (p ->> 2)::bigint AS amount
  FROM ledger_pending, jsonb_array_elements(legs::jsonb) AS leg,
    jsonb_array_elements(leg -> 3) AS p
  WHERE city = %(city)s AND settled_by IS NULL AND p ->> 1 IS NOT NULL
), live AS (
  SELECT a.id AS account, (layer ->> 0)::bigint AS terms, e.place::bigint AS place,
    CASE mod(n, 2) WHEN 0 THEN -1 ELSE 1 END AS weight
  FROM ledger_account a, jsonb_array_elements(a.purse::jsonb) AS layer,
    jsonb_array_elements_text(layer) WITH ORDINALITY AS e (place, n)
  WHERE a.city = %(city)s AND n > 3
), edges AS (
  SELECT destination_id AS account, terms, made AS place, 1 AS weight FROM moved
    WHERE made IS NOT NULL
  UNION ALL SELECT destination_id, terms, made + amount, -1 FROM moved WHERE made IS NOT NULL
  UNION ALL SELECT source_id, terms, taken, -1 FROM moved WHERE taken IS NOT NULL
  UNION ALL SELECT source_id, terms, taken + amount, 1 FROM moved WHERE taken IS NOT NULL
  UNION ALL SELECT account, terms, place, -1 FROM held
  UNION ALL SELECT account, terms, place + amount, 1 FROM held
  UNION ALL SELECT account, terms, place, weight FROM live
)
SELECT a.code, a.asset, e.terms, min(e.place)
FROM (SELECT account, terms, place FROM edges GROUP BY account, terms, place
      HAVING sum(weight) <> 0) e
LEFT JOIN ledger_account a ON a.city = %(city)s AND a.id = e.account
GROUP BY a.code, a.asset, e.terms ORDER BY 1, 2, 3 LIMIT 100
"""


def _positions(conn: Connection, city: str) -> list[Imbalance]:
    """Where value came in counts 1 from there on, where it went out counts -1, and so does what is
    live or held: what is left over at any place should not be."""
    with cursor(conn) as run:
        rows = run.execute(_EDGES, {"city": city}).fetchall()
    return [
        Imbalance(
            "positions", f"{code} {asset} {terms}",
            f"{code}({asset})의 묶음 {terms}에서 {place:,}번 자리부터 이동 내역과 다릅니다.",
            f"Lot {terms} of {code} ({asset}) differs from what was moved from position {place:,} "
            "on.",
            {"account": code, "asset": asset, "terms": terms, "position": place},
        )
        for code, asset, terms, place in rows
    ]  # fmt: skip


def _pending(conn: Connection, city: str) -> list[Imbalance]:
    with cursor(conn) as run:
        rows = run.execute(
            """WITH open AS (
              SELECT (leg ->> 0)::bigint AS source, (leg ->> 1)::bigint AS destination,
                (leg ->> 2)::bigint AS amount
              FROM ledger_pending, jsonb_array_elements(legs::jsonb) AS leg
              WHERE city = %(city)s AND settled_by IS NULL),
            aside AS (
              SELECT account, sum(held)::bigint AS held, sum(coming)::bigint AS coming FROM (
                SELECT source AS account, amount AS held, 0 AS coming FROM open
                UNION ALL SELECT destination, 0, amount FROM open) sides
              GROUP BY account)
            SELECT a.code, a.asset, a.held, a.coming, coalesce(s.held, 0), coalesce(s.coming, 0)
            FROM ledger_account a LEFT JOIN aside s ON s.account = a.id
            WHERE a.city = %(city)s AND (a.held <> coalesce(s.held, 0)
              OR a.coming <> coalesce(s.coming, 0)) ORDER BY a.code, a.asset""",
            {"city": city},
        ).fetchall()
    return [
        Imbalance(
            "held-pending", f"{code} {asset}",
            f"{code}({asset})에 예약된 금액(나갈 {held:,}, 들어올 {coming:,})이 열려 있는 예약 "
            f"거래(나갈 {out:,}, 들어올 {back:,})와 다릅니다.",
            f"{code} ({asset}) has {held:,} held and {coming:,} coming; open pending transfers "
            f"set {out:,} and {back:,} aside.",
            {"held": held, "coming": coming, "pending_out": out, "pending_in": back},
        )
        for code, asset, held, coming, out, back in rows
    ]  # fmt: skip


def _trust(conn: Connection, city: str) -> list[Imbalance]:
    asset = f"local:{city}"
    with cursor(conn) as run:
        row = run.execute(
            """SELECT coalesce(sum(balance) FILTER (WHERE balance > 0 AND asset = %(asset)s), 0)
                ::bigint,
              coalesce(sum(balance) FILTER (WHERE code = 'trust:local' AND asset = 'KRW'), 0)
                ::bigint
            FROM ledger_account WHERE city = %(city)s""",
            {"city": city, "asset": asset},
        ).fetchone()
    assert row is not None
    circulating, held = row
    if held >= circulating:
        return []
    return [
        Imbalance(
            "trust-short", "trust:local",
            f"유통 중인 지역화폐 {circulating:,}원에 비해 신탁 잔액이 {held:,}원뿐입니다.",
            f"{circulating:,} of local currency circulate, but the trust holds {held:,} KRW.",
            {"circulating": circulating, "trust": held},
        )
    ]  # fmt: skip
