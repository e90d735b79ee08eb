"""Lines and rules made short, for the tests of this room."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid5

from onsil.ledger.reconciliation import Line, Rule, Text

DAY = date(2026, 3, 2)
_NAMES = UUID("6f6e7369-6c00-5000-8000-626f6f6b7300")


def line(side: str, name: str, amount: int, days: int = 0, **more) -> Line:
    """A line named by `name`, so many days after DAY."""
    day = DAY + timedelta(days=days)
    at = datetime(day.year, day.month, day.day, 3, tzinfo=UTC)
    facts = {"transfer_id": uuid5(_NAMES, f"transfer {name}")} if side == "book" else {}
    return Line(
        uuid5(_NAMES, f"{side} {name}"), side, "trust", day, at, amount, **{**facts, **more}
    )  # pyright: ignore


def bank(name: str, amount: int, days: int = 0, **more) -> Line:
    return line("bank", name, amount, days, **more)


def book(name: str, amount: int, days: int = 0, **more) -> Line:
    return line("book", name, amount, days, **more)


def rule(kind: str, **more) -> Rule:
    facts = {"days_before": 3, "days_after": 3, **more}
    return Rule(kind, kind, Text(f"규칙 {kind}", f"rule {kind}"), **facts)  # pyright: ignore
