"""Checks that no value came from nowhere: over all rows, for the monitors and for the verifier."""

from onsil.core.database import Connection, cursor
from onsil.ledger.terms import Imbalance


def conservation(conn: Connection, city: str) -> list[Imbalance]:
    """What does not add up, in one city; empty when all is well.

    asset-sum: an asset's balances sum to 0. balance-legs: an account's balance is the sum of its
    legs. balance-lots: where lots are kept, it is the sum of what remains in them. lot-moves: a
    lot holds what was put in less what was taken. leg-chain: balances after each leg follow from
    one another. trust-short: `trust:local` covers the local currency in circulation.
    """
    found = [*_assets(conn, city), *_legs(conn, city), *_chains(conn, city)]
    return [*found, *_lots(conn, city), *_lot_moves(conn, city), *_trust(conn, city)]


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
                SELECT source_id AS account_id, -amount AS amount FROM ledger_leg WHERE city = %s
                UNION ALL
                SELECT destination_id, amount FROM ledger_leg WHERE city = %s) sides
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
                source_balance AS balance FROM ledger_leg WHERE city = %s
              UNION ALL
              SELECT destination_id, transfer_id, number, amount, destination_balance
                FROM ledger_leg WHERE city = %s),
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
            """SELECT a.code, a.asset, a.balance, coalesce(sum(l.remaining), 0)::bigint AS held
            FROM ledger_account a
            LEFT JOIN ledger_lot l ON l.city = a.city AND l.account_id = a.id AND l.live
            WHERE a.city = %s AND a.keeps_lots GROUP BY a.city, a.id
            HAVING a.balance <> coalesce(sum(l.remaining), 0) ORDER BY a.code, a.asset""",
            (city,),
        ).fetchall()
    return [
        Imbalance(
            "balance-lots", f"{code} {asset}",
            f"{code}({asset})의 잔액 {balance:,}이 묶음의 합 {held:,}과 다릅니다.",
            f"The balance of {code} ({asset}) is {balance:,}, its lots hold {held:,}.",
            {"balance": balance, "lots": held},
        )
        for code, asset, balance, held in rows
    ]  # fmt: skip


def _lot_moves(conn: Connection, city: str) -> list[Imbalance]:
    with cursor(conn) as run:
        rows = run.execute(
            """WITH moved AS (
              SELECT lot, sum(amount)::bigint AS total FROM (
                SELECT made AS lot, amount FROM ledger_lot_move
                  WHERE city = %s AND made IS NOT NULL
                UNION ALL
                SELECT taken, -amount FROM ledger_lot_move
                  WHERE city = %s AND taken IS NOT NULL) sides
              GROUP BY lot)
            SELECT coalesce(l.id, m.lot), coalesce(l.remaining, 0), coalesce(m.total, 0)
            FROM (SELECT id, remaining FROM ledger_lot WHERE city = %s) l
            FULL JOIN moved m ON m.lot = l.id
            WHERE l.remaining IS DISTINCT FROM m.total ORDER BY 1 LIMIT 100""",
            (city, city, city),
        ).fetchall()
    return [
        Imbalance(
            "lot-moves", str(lot),
            f"묶음 {lot}에 {remaining:,}이 남아 있으나 이동 내역으로는 {total:,}이어야 합니다.",
            f"Lot {lot} holds {remaining:,}, by its moves it should hold {total:,}.",
            {"remaining": remaining, "moves": total},
        )
        for lot, remaining, total in rows
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
