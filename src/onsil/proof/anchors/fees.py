"""What a transaction may cost (EIP-1559), with a cap that is never passed. Pure; all in wei."""

from dataclasses import dataclass

GWEI = 10**9


@dataclass(frozen=True)
class Fees:
    """`max_fee` a unit of gas at most, of which `tip` for whoever makes the block."""

    max_fee: int
    tip: int


def offer(base: int, tip: int, cap: int) -> Fees | None:
    """What to offer while the block's base fee is `base`; None when the cap is below that.

    Twice the base fee keeps a transaction valid through six full blocks in a row (the base fee
    grows by 12.5 % a block at most, EIP-1559).
    """
    if base > cap:
        return None
    return Fees(min(2 * base + tip, cap), min(tip, cap - base))


def outbid(fresh: Fees, earlier: Fees, cap: int) -> Fees | None:
    """What to offer in place of a stuck transaction; None when the cap does not allow it.

    Nodes take a replacement only for a tenth more in both figures (go-ethereum `PriceBump`).
    """
    tip = max(fresh.tip, _raised(earlier.tip))
    max_fee = max(fresh.max_fee, _raised(earlier.max_fee), tip)
    return Fees(max_fee, tip) if max_fee <= cap else None


def _raised(amount: int) -> int:
    return amount + amount // 8 + 1


def next_nonce(mined: int, known: int, last: int | None) -> tuple[int, bool]:
    """(number of the next transaction, whether it replaces our last one).

    `mined` and `known` are the sender's transaction counts without and with those that wait;
    `last` is the number of our last try, None for the first. A number that is used up cannot be
    replaced, and one above a gap would wait for ever.
    """
    if last is None or last < mined or last > known:
        return known, False
    return last, True
