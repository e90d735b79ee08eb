"""Korean or English, by the locale of whoever types the command."""

import os


def language() -> str:
    """`ko` or `en`: the first set of ONSIL_LANGUAGE, LC_ALL, LC_MESSAGES and LANG decides."""
    for name in ("ONSIL_LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        value = os.environ.get(name)
        if value:
            return "ko" if value.lower().startswith("ko") else "en"
    return "en"


def text(ko: str, en: str) -> str:
    """The sentence in the reader's language."""
    return ko if language() == "ko" else en
