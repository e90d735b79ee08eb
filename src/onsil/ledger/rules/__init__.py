"""The rules of a Korean local currency, as dated data and pure functions.

    book = read_rules(city_folder / "currency.toml")
    rules = book.rule_set_on(day)          # rules.charging, rules.cashback, …

Every module is named after its topic and gives the `TransferRequest`s that the ledger decides.
"""

from onsil.ledger.rules import (
    budgets,
    business_days,
    cashback,
    charging,
    expiry,
    gifts,
    merchants,
    names,
    policy_money,
    refunds,
    settlement,
    spending,
    trust,
)
from onsil.ledger.rules.rule_set import (
    FILE,
    TOPICS,
    USUAL,
    DatedRule,
    RuleBook,
    RuleSet,
    read_rules,
    rules_of,
)

__all__ = [
    "FILE", "TOPICS", "USUAL", "DatedRule", "RuleBook", "RuleSet", "budgets", "business_days",
    "cashback", "charging", "expiry", "gifts", "merchants", "names", "policy_money", "read_rules",
    "refunds", "rules_of", "settlement", "spending", "trust",
]  # fmt: skip
