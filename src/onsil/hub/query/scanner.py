"""Reading a query's text from left to right, so that every error says where it is."""

import re
from functools import lru_cache

LENGTH_MAX = 4096
DEPTH_MAX = 32


class QueryError(ValueError):
    """A query that cannot be read; says what is wrong, and where."""


@lru_cache(maxsize=128)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


class Scanner:
    """A place in a text. `what` names the parameter in errors."""

    def __init__(self, text: str, what: str) -> None:
        if len(text) > LENGTH_MAX:
            raise QueryError(f"{what} is longer than {LENGTH_MAX} characters")
        if "\0" in text:
            raise QueryError(f"{what} has a NUL character")
        self.text, self.what = text, what
        self.at = 0
        self.depth = 0
        self.blanks()

    def blanks(self) -> None:
        while self.at < len(self.text) and self.text[self.at].isspace():
            self.at += 1

    @property
    def ended(self) -> bool:
        return self.at >= len(self.text)

    def error(self, wanted: str, at: int | None = None) -> QueryError:
        place = self.at if at is None else at
        seen = self.text[place : place + 20]
        where = f"at character {place + 1}, {seen!r}" if seen else "at its end"
        return QueryError(f"{self.what} cannot be read {where}: {wanted}")

    def peek(self, text: str) -> bool:
        return self.text.startswith(text, self.at)

    def take(self, text: str) -> bool:
        """Go past `text` if it stands here."""
        if not self.peek(text):
            return False
        self.at += len(text)
        self.blanks()
        return True

    def expect(self, text: str, wanted: str) -> None:
        if not self.take(text):
            raise self.error(wanted)

    def match(self, pattern: str) -> re.Match[str] | None:
        """Go past what a pattern matches here, if it does."""
        found = _compiled(pattern).match(self.text, self.at)
        if found is None or found.end() == self.at:
            return None
        self.at = found.end()
        self.blanks()
        return found

    def deeper(self) -> None:
        self.depth += 1
        if self.depth > DEPTH_MAX:
            raise self.error(f"brackets are nested deeper than {DEPTH_MAX}")

    def shallower(self) -> None:
        self.depth -= 1

    def end(self) -> None:
        """Nothing may follow."""
        if not self.ended:
            raise self.error("nothing more is wanted here")
