"""What other rooms, screens, jobs and commands may ask of this one.

Everything works for the city in scope (`onsil.tenancy.city_scope`); a business no is a returned
`Refusal`.
"""

from onsil.citizen.approval import Application, MerchantRules
from onsil.citizen.services import (
    budgets,
    codes,
    merchants,
    payments,
    payouts,
    people,
    policy_money,
    postings,
    rulebook,
    settlements,
    trust,
)
from onsil.citizen.services.wallet import (
    Holding,
    Movement,
    Wallet,
    convert,
    history,
    rate_of,
    wallet,
)

__all__ = [
    "Application",
    "Holding",
    "MerchantRules",
    "Movement",
    "Wallet",
    "budgets",
    "codes",
    "convert",
    "history",
    "merchants",
    "payments",
    "payouts",
    "people",
    "policy_money",
    "postings",
    "rate_of",
    "rulebook",
    "settlements",
    "trust",
    "wallet",
]
