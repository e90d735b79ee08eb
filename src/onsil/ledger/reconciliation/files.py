"""Reading a bank's or card network's file by its format, whole or not at all. Pure."""

from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from hashlib import sha256
from zoneinfo import ZoneInfo

from onsil.core.canonical import digest
from onsil.ledger.reconciliation.camt import camt_053
from onsil.ledger.reconciliation.cells import Problems
from onsil.ledger.reconciliation.fixed_length import fixed_length
from onsil.ledger.reconciliation.formats import Format
from onsil.ledger.reconciliation.tables import delimited, workbook
from onsil.ledger.reconciliation.terms import RawFile, RawLine

BYTES_MAX = 20 << 20
_READERS = {"delimited": delimited, "xlsx": workbook, "fixed": fixed_length}


def read_file(content: bytes, form: Format, zone: ZoneInfo) -> tuple[RawFile, Problems]:
    """What the file holds and what is wrong with it; with any problem nothing of it counts."""
    problems = Problems()
    if form.kind == "camt.053":
        found = camt_053(content, zone, problems)
    else:
        lines = _READERS[form.kind](content, form, zone, problems)
        if not lines and not problems:
            problems.add(1, "", "", "거래가 한 줄도 없습니다.", "there is not one line in it")
        found = _with_days(tuple(lines), form, problems)
    return found, problems


def _with_days(lines: tuple[RawLine, ...], form: Format, problems: Problems) -> RawFile:
    """Balances at the ends of days, each line's balance held against the one before it."""
    if not lines:
        return RawFile((), {}, frozenset())
    chained = lines[::-1] if form.newest_first else lines
    balances: dict[date, int] = {}
    before: int | None = None
    for line in chained:
        if line.balance is None:
            before = None
            continue
        if before is not None and before + line.amount != line.balance:
            problems.add(
                line.number, "balance", f"{line.balance:,}",
                f"앞줄 잔액 {before:,}에 {line.amount:+,}을 더하면 {before + line.amount:,}입니다. "
                "빠진 줄이 있는지 보세요.",
                f"{before:,} and {line.amount:+,} make {before + line.amount:,}; is one missing?",
            )  # fmt: skip
        before = balances[line.day] = line.balance
    first, last = min(line.day for line in lines), max(line.day for line in lines)
    days = frozenset(first + timedelta(days=n) for n in range((last - first).days + 1))
    return RawFile(lines, balances, days)


def file_digest(content: bytes) -> str:
    """SHA-256 of the bytes as they came, in lower-case hex."""
    return sha256(content).hexdigest()


def keys(lines: tuple[RawLine, ...]) -> Iterator[tuple[str, RawLine]]:
    """Each line with a key that is the same in every file that holds it.

    Made of everything the bank says of it; lines that say the same are numbered in their order.
    """
    seen: Counter[str] = Counter()
    for line in lines:
        said = digest([
            line.day, line.at, line.amount, line.balance, line.reference, line.text, line.party,
            line.bank_id,
        ])  # fmt: skip
        seen[said] += 1
        yield sha256(f"{said}:{seen[said]}".encode()).hexdigest()[:32], line
