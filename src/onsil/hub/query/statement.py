"""One SQL statement under construction: every value is bound, texts are this module's own."""

from typing import Any


class Statement:
    """The values of a statement; `$1` is the city.

    `bind` hands out the placeholder that stands for a value in the text.
    """

    def __init__(self, city: str) -> None:
        self.values: list[Any] = [city]
        self._names: dict[tuple[str, Any], str] = {}

    def bind(self, value: Any, kind: str) -> str:
        """A placeholder for a value of a PostgreSQL type; the same one for the same value."""
        key = (kind, tuple(value) if isinstance(value, list) else value)
        if key not in self._names:
            self.values.append(value)
            self._names[key] = f"${len(self.values)}::{kind}"
        return self._names[key]
