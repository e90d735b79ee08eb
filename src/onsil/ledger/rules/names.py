"""Names that the rules share: assets, accounts, funds and months."""

from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

from onsil.core.periods import local_day

OWN = "own"
"""The fund of money that a citizen charged."""
CASHBACK = "cashback"
"""The funds of cashback are `cashback:<funder>`."""
POLICY = "policy"
"""The funds of policy money are `policy:<grant>`."""
ORDINARY = "ordinary"
"""The merchant rule of ordinary value: shops within the sales limit."""
POLICY_RULE = "policy"
"""The merchant rule of policy money: shops above the sales limit, too."""

ISSUER = "issuer:local"
QUOTA = "issuer:quota"
CLAIMS = "issuer:claim"
TRUST = "trust:local"
BANK = "external:bank"
FEES = "fee:settlement"
SUBSIDY = "subsidy:fee"
INTEREST = "interest:trust"
KRW = "KRW"


def local_asset(city: str) -> str:
    return f"local:{city}"


def month_of(instant: datetime, zone: ZoneInfo) -> str:
    """The city's calendar month of an instant, as `2026-11`."""
    return f"{local_day(instant, zone):%Y-%m}"


def belongs(fund: str, groups: Iterable[str]) -> bool:
    """Whether a fund is one of the groups or under one: `policy:coupon-2025` is under `policy`."""
    return any(fund == group or fund.startswith(f"{group}:") for group in groups)


def policy_fund(grant: str) -> str:
    return f"{POLICY}:{grant}"


def cashback_fund(funder: str) -> str:
    return f"{CASHBACK}:{funder}"


def cashback_budget(funder: str, year: int) -> str:
    """The KRW account that a funder's cashback of a year is paid from."""
    return f"budget:cashback:{funder}:{year}"


def shop_receivable(merchant: object) -> str:
    """What a shop owes until its next settlement (its own cashback), in KRW, as a minus."""
    return f"receivable:{merchant}"


def policy_budget(grant: str) -> str:
    """The KRW account that holds a grant's money until it is handed out."""
    return f"budget:policy:{grant}"


def breakage(fund: str) -> str:
    """The KRW account that keeps what expired of a fund."""
    return f"breakage:{fund}"
