"""Reading the fields of a rule out of a table, strictly: each problem is noted with its key.

Problems are collected, so that whoever writes a city's rules sees all of them at once.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from onsil.ledger.terms import AMOUNT_MAX


class _Needed:
    """Marks a field that has no default."""


NEEDED = _Needed()


@dataclass
class Fields:
    """One table of a rules file. `path` is how its keys are named to the reader."""

    table: Mapping[str, Any]
    path: str
    problems: list[str]
    seen: set[str] = field(default_factory=set)

    def won(self, key: str, default: Any = NEEDED, least: int = 0) -> int:
        """A whole number of won, not below `least`."""
        return self.whole(key, default, least, AMOUNT_MAX)

    def whole(self, key: str, default: Any = NEEDED, least: int = 0, most: int = 1000) -> int:
        """A whole number between two bounds."""
        value = self._value(key, default)
        if value is None:
            return least
        if type(value) is not int:
            return self._wrong(key, f"must be a whole number, not {value!r}", least)
        if not least <= value <= most:
            return self._wrong(key, f"must be from {least} to {most}, not {value}", least)
        return value

    def maybe_won(self, key: str) -> int | None:
        """A whole number of won, or None where the rule sets no bound."""
        return self.won(key) if key in self.table else self._absent(key)

    def percent(self, key: str, default: Any = NEEDED) -> Decimal:
        """A percentage from 0 to 100, exactly as it is written."""
        value = self._value(key, default)
        if value is None:
            return Decimal(0)
        if type(value) not in (int, Decimal):
            return self._wrong(key, f"must be a percentage, not {value!r}", Decimal(0))
        exact = Decimal(value)
        if not (exact.is_finite() and 0 <= exact <= 100):
            return self._wrong(key, f"must be from 0 to 100, not {value}", Decimal(0))
        return exact

    def flag(self, key: str, default: Any = NEEDED) -> bool:
        value = self._value(key, default)
        if value is None:
            return False
        return value if type(value) is bool else self._wrong(key, "must be true or false", False)

    def text(self, key: str, default: Any = NEEDED) -> str:
        value = self._value(key, default)
        if value is None:
            return ""
        return value if isinstance(value, str) else self._wrong(key, "must be a text", "")

    def choice(self, key: str, allowed: tuple[str, ...], default: Any = NEEDED) -> str:
        value = self.text(key, default)
        if value not in allowed:
            return self._wrong(
                key, f"must be one of {', '.join(allowed)}, not {value!r}", allowed[0]
            )
        return value

    def day(self, key: str, default: Any = NEEDED) -> date:
        value = self._value(key, default)
        if value is None:
            return date.min
        if not isinstance(value, date) or isinstance(value, datetime):
            return self._wrong(key, "must be a day such as 2026-01-01", date.min)
        return value

    def maybe_day(self, key: str) -> date | None:
        return self.day(key) if key in self.table else self._absent(key)

    def texts(self, key: str, default: Any = NEEDED) -> tuple[str, ...]:
        value = self._value(key, default)
        if value is None:
            return ()
        if not isinstance(value, list | tuple) or not all(isinstance(v, str) for v in value):
            return self._wrong(key, "must be a list of texts", ())
        return tuple(value)

    def wholes(self, key: str, default: Any, least: int, most: int) -> tuple[int, ...]:
        """A list of whole numbers, each between two bounds."""
        value = self._value(key, default)
        fits = isinstance(value, list | tuple) and all(
            type(v) is int and least <= v <= most for v in value
        )
        if not fits:
            return self._wrong(key, f"must be a list of numbers from {least} to {most}", ())
        return tuple(value)  # pyright: ignore[reportArgumentType]

    def days(self, key: str) -> tuple[date, ...]:
        value = self._value(key, [])
        if not isinstance(value, list) or not all(type(v) is date for v in value):
            return self._wrong(key, "must be a list of days such as 2026-01-01", ())
        return tuple(value)

    def tables(self, key: str) -> "Iterator[Fields]":
        """The tables of a list `[[topic.key]]`, each named by its place."""
        value = self._value(key, [])
        if not isinstance(value, list) or not all(isinstance(v, Mapping) for v in value):
            self._wrong(key, "must be a list of tables", None)
            return
        for number, table in enumerate(value, start=1):
            yield Fields(table, f"{self.path}.{key}[{number}]", self.problems)

    def close(self) -> None:
        """Every key that nobody asked for is a problem: a misspelt rule must not pass unseen."""
        for key in sorted(set(self.table) - self.seen):
            self.problems.append(f"{self.path}.{key}: unknown key")

    def refuse(self, key: str, what: str) -> None:
        """Note what only shows when several fields are seen together."""
        self.problems.append(f"{self.path}.{key}: {what}")

    def _value(self, key: str, default: Any) -> Any:
        self.seen.add(key)
        value = self.table.get(key, default)
        if isinstance(value, _Needed):
            self.problems.append(f"{self.path}.{key}: is missing")
            return None
        return value

    def _absent(self, key: str) -> None:
        self.seen.add(key)

    def _wrong(self, key: str, what: str, instead: Any) -> Any:
        self.problems.append(f"{self.path}.{key}: {what}")
        return instead
