"""The daily proof that the money behind the local currency is there.

Since the amended Electronic Financial Transactions Act of 2024 all of it is to be ring-fenced by
trust, deposit or insurance, discounts included; what the money earns is kept apart.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from onsil.ledger.rules import names
from onsil.ledger.rules.fields import Fields
from onsil.ledger.rules.shares import CEILING, percent_of

CIRCULATING, REFUNDABLE = "circulating", "refundable"


@dataclass(frozen=True)
class TrustRule:
    """`counts`: which value must be covered, all that circulates or what can be refunded.

    `percent` of it; `means`: trust, deposit or insurance; `insured_krw` is cover beside the
    trust's own balance.
    """

    counts: str = CIRCULATING
    percent: Decimal = Decimal(100)
    means: str = "trust"
    insured_krw: int = 0


@dataclass(frozen=True)
class Liability:
    """Value that somebody holds: `holder` is the account's kind (citizen, merchant, …)."""

    holder: str
    fund: str
    refundable: bool
    amount: int


@dataclass(frozen=True)
class TrustProof:
    """The figures of a day, in won. `required` is the part of the liability that must be covered.

    `circulating` counts everything in wallets and tills, `payable` what is owed to shops already
    and lies outside the trust.
    """

    as_of: datetime
    trust: int
    insured: int
    circulating: int
    refundable: int
    required: int
    payable: int
    interest: int
    means: str

    @property
    def cover(self) -> int:
        return self.trust + self.insured

    @property
    def surplus(self) -> int:
        """Cover beyond what is required; negative when it falls short."""
        return self.cover - self.required

    @property
    def covered(self) -> bool:
        return self.surplus >= 0

    @property
    def short(self) -> int:
        """What is missing; 0 where nothing is."""
        return max(0, -self.surplus)


def read(at: Fields) -> TrustRule:
    """The fields of a `[[trust]]` table."""
    return TrustRule(
        at.choice("counts", (CIRCULATING, REFUNDABLE), CIRCULATING), at.percent("percent", 100),
        at.choice("means", ("trust", "deposit", "insurance"), "trust"), at.won("insured_krw", 0),
    )  # fmt: skip


def prove(
    *, as_of: datetime, trust: int, liabilities: Iterable[Liability], rule: TrustRule,
    payable: int = 0, interest: int = 0,
) -> TrustProof:  # fmt: skip
    """Set what is there against what could be asked for.

    A shop's takings count as refundable: they are redeemed at the next settlement. Interest lies on
    an account of its own (`interest:trust`) and never counts as cover.
    """
    circulating = refundable = 0
    for one in liabilities:
        circulating += one.amount
        if one.refundable or one.holder == "merchant":
            refundable += one.amount
    counted = circulating if rule.counts == CIRCULATING else refundable
    return TrustProof(
        as_of, trust, rule.insured_krw, circulating, refundable,
        percent_of(counted, rule.percent, CEILING), payable, interest, rule.means,
    )  # fmt: skip


def canonical(proof: TrustProof, city: str) -> dict[str, object]:
    """What the log's leaf commits to: every figure, by name."""
    return {
        "city": city, "as_of": proof.as_of, "trust_krw": proof.trust,
        "insured_krw": proof.insured, "circulating_krw": proof.circulating,
        "refundable_krw": proof.refundable, "required_krw": proof.required,
        "payable_krw": proof.payable, "interest_krw": proof.interest, "means": proof.means,
        "account": names.TRUST,
    }  # fmt: skip
