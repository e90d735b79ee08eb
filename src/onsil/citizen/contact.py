"""How one citizen names another: the code of a member, or a telephone number."""

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable

from onsil.citizen.qr import ALPHABET

CODE_LENGTH = 8
_CODE = re.compile(f"[{ALPHABET}]{{{CODE_LENGTH}}}")


def new_code(choose: Callable[[str], str] = secrets.choice) -> str:
    """A member's code; by its look nothing can be told of the member."""
    return "".join(choose(ALPHABET) for _ in range(CODE_LENGTH))


def member_code(text: str) -> str | None:
    """`ABCD 2345` as it is kept, or None when it is no code."""
    packed = re.sub(r"[\s-]", "", text).upper()
    return packed if _CODE.fullmatch(packed) else None


def phone_number(text: str) -> str | None:
    """A Korean mobile number in international digits (`821012345678`), or None.

    Mobile numbers begin with 010 and have eleven digits (Telecommunications numbering plan);
    +82 before it replaces the leading zero.
    """
    digits = re.sub(r"[\s().-]", "", text)
    if digits.startswith("+82"):
        digits = "0" + digits[3:].removeprefix("0")
    return "82" + digits[1:] if re.fullmatch(r"010[0-9]{8}", digits, re.ASCII) else None


def phone_digest(city: str, number: str, key: bytes) -> str:
    """What is kept of a number: a keyed digest, other in every city and installation."""
    return hmac.new(key, f"{city}:{number}".encode(), hashlib.sha256).hexdigest()


def masked(name: str) -> str:
    """Enough of a name to know somebody by, not enough to learn it: 김*수, D* C*."""
    words = name.split()
    if len(words) == 1 and len(name) >= 2 and not name.isascii():
        middle = "*" * max(1, len(name) - 2)
        return name[0] + middle + (name[-1] if len(name) > 2 else "")
    return " ".join(word[0] + "*" for word in words if word) or "*"
