"""Whose account may have units as its own. Pure."""

import re
from unicodedata import normalize

from onsil.core.refusal import Refusal

_HOLDER = re.compile(r"(company|project):\S+")


def a_holder(account: str) -> bool:
    """Whether an account may hold units as its own: a company's or a project's, spelled without
    blanks or invisible signs, so that none looks like another or like what is used up."""
    plain = account.isprintable() and normalize("NFKC", account) == account
    return plain and _HOLDER.fullmatch(account) is not None


def not_held(account: str) -> Refusal:
    return Refusal(
        "account-not-held",
        f"{account} 계정은 크레딧 보유자의 계정이 아닙니다.",
        f"{account} is not the account of a holder.",
        {"account": account},
    )
