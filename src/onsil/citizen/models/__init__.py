"""People and what they may do, shops, and what was asked of the ledger on their behalf."""

from onsil.citizen.models.office import ExpiryNotice, PolicyGrant, PolicyRow
from onsil.citizen.models.payments import Cancellation, Cashback, Payment, PaymentCode
from onsil.citizen.models.people import (
    Attempt,
    Member,
    Membership,
    ResidenceCode,
    Residency,
    Role,
    User,
    UserManager,
)
from onsil.citizen.models.posting import Held, Posting
from onsil.citizen.models.settlement import Settlement, SettlementLine
from onsil.citizen.models.shops import Merchant, MerchantFacts
from onsil.citizen.models.wallet import ChargeOrder, Conversion, Deposit, Gift, Refund, RefundFile

__all__ = [
    "Attempt",
    "Cancellation",
    "Cashback",
    "ChargeOrder",
    "Conversion",
    "Deposit",
    "ExpiryNotice",
    "Gift",
    "Held",
    "Member",
    "Membership",
    "Merchant",
    "MerchantFacts",
    "Payment",
    "PaymentCode",
    "PolicyGrant",
    "PolicyRow",
    "Posting",
    "Refund",
    "RefundFile",
    "ResidenceCode",
    "Residency",
    "Role",
    "Settlement",
    "SettlementLine",
    "User",
    "UserManager",
]
