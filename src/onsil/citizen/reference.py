"""The number that a deposit is told apart by: fourteen digits, as a virtual account's.

It begins with 9, so that it is never taken for a telephone or business number; twelve random digits
follow, and a check digit by ISO 7064, MOD 11,10, which finds every single wrong digit and nearly
all exchanges of neighbours. A bank's line may carry other text beside it.
"""

import re
import secrets
from collections.abc import Callable

LENGTH = 14
_FIRST = "9"
_RUN = re.compile(r"[0-9](?:[ \-]?[0-9])+", re.ASCII)


def check_digit(digits: str) -> str:
    """The digit that makes the digits before it right (ISO 7064:2003, hybrid system MOD 11,10)."""
    product = 10
    for digit in digits:
        total = (product + int(digit)) % 10 or 10
        product = total * 2 % 11
    return str((11 - product) % 10)


def new_reference(random: Callable[[int], int] = secrets.randbelow) -> str:
    """A reference nobody can guess from another."""
    body = f"{_FIRST}{random(10 ** (LENGTH - 2)):0{LENGTH - 2}d}"
    return body + check_digit(body)


def is_reference(text: str) -> bool:
    """Whether a text is a whole reference with the right check digit."""
    return bool(
        re.fullmatch(rf"{_FIRST}[0-9]{{{LENGTH - 1}}}", text, re.ASCII)
        and check_digit(text[:-1]) == text[-1]
    )


def find_reference(text: str) -> str | None:
    """The one reference in a bank line's text, grouped or not; None without any or with two."""
    runs = (re.sub(r"[ \-]", "", run) for run in _RUN.findall(text))
    found = {run for run in runs if is_reference(run)}
    return found.pop() if len(found) == 1 else None


def grouped(reference: str) -> str:
    """`9123-4567-890123`: as people read and type it."""
    return f"{reference[:4]}-{reference[4:8]}-{reference[8:]}"
