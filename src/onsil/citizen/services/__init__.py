"""What other rooms, screens, jobs and commands may ask of this one.

Everything works for the city in scope (`onsil.tenancy.city_scope`); a business no is a returned
`Refusal`.
"""

from onsil.citizen.approval import Application, MerchantRules
from onsil.citizen.services import (
    budgets,
    cancellations,
    cashbacks,
    charges,
    codes,
    deposits,
    facts,
    gifts,
    members,
    merchants,
    payments,
    payouts,
    people,
    policy_money,
    postings,
    refund_office,
    refunds,
    rulebook,
    settlements,
    trust,
)
from onsil.citizen.services.movements import Movement, history
from onsil.citizen.services.wallet import Holding, Wallet, convert, rate_of, wallet

__all__ = [
    "Application",
    "Holding",
    "MerchantRules",
    "Movement",
    "Wallet",
    "budgets",
    "cancellations",
    "cashbacks",
    "charges",
    "codes",
    "convert",
    "deposits",
    "facts",
    "gifts",
    "history",
    "members",
    "merchants",
    "payments",
    "payouts",
    "people",
    "policy_money",
    "postings",
    "rate_of",
    "refund_office",
    "refunds",
    "rulebook",
    "settlements",
    "trust",
    "wallet",
]
