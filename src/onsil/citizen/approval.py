"""Which shops may take the city's currency: region, kind of business, yearly sales."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from onsil.citizen import refusals
from onsil.core.refusal import Refusal

# Weights of the check digit of a Korean business registration number (National Tax Service).
_WEIGHTS = (1, 3, 7, 1, 3, 7, 1, 3, 5)


@dataclass(frozen=True)
class MerchantRules:
    """A city's by-law: sales limit in won and kinds of business that are left out."""

    maximum_yearly_sales_krw: int = 3_000_000_000
    excluded_kinds: frozenset[str] = frozenset({"gambling", "adult", "large-store"})

    @classmethod
    def of(cls, table: Mapping[str, Any]) -> "MerchantRules":
        """Read the `[merchants]` table of a city; what it leaves out keeps the usual rule."""
        usual = cls()
        return cls(
            int(table.get("maximum_yearly_sales_krw", usual.maximum_yearly_sales_krw)),
            frozenset(table.get("excluded_kinds", usual.excluded_kinds)),
        )


@dataclass(frozen=True)
class Application:
    """What a shop says of itself when it asks to take part."""

    name: str
    business_number: str
    kind: str
    address: str
    yearly_sales_krw: int


def business_number(text: str) -> str | None:
    """Ten digits written `123-45-67891`, when the check digit is right; else None."""
    digits = re.sub(r"[\s-]", "", text)
    if not re.fullmatch(r"\d{10}", digits, re.ASCII):
        return None
    values = [int(d) for d in digits]
    total = sum(v * w for v, w in zip(values, _WEIGHTS, strict=False)) + values[8] * 5 // 10
    if (10 - total % 10) % 10 != values[9]:
        return None
    return f"{digits[:3]}-{digits[3:5]}-{digits[5:]}"


def satisfied(kind: str, yearly_sales_krw: int, rules: MerchantRules) -> frozenset[str]:
    """The names of the merchant rules that a shop meets, as lots of value carry them.

    `ordinary`: yearly sales within the by-law's limit. `kind:<kind>`: value for one kind of shop.
    Value without a rule may be spent anywhere and needs no name.
    """
    met = {f"kind:{kind}"}
    if yearly_sales_krw <= rules.maximum_yearly_sales_krw:
        met.add("ordinary")
    return frozenset(met)


def examine(application: Application, rules: MerchantRules) -> Refusal | None:
    """The rule an application breaks, or None. The decision itself stays a person's.

    Refusals: `merchant-name-missing`, `business-number-wrong`, `kind-excluded`, `sales-too-high`.
    """
    if not application.name.strip():
        return refusals.merchant_name_missing()
    if business_number(application.business_number) is None:
        return refusals.business_number_wrong()
    if application.kind in rules.excluded_kinds:
        return refusals.kind_excluded(application.kind)
    if application.yearly_sales_krw > rules.maximum_yearly_sales_krw:
        return refusals.sales_too_high(rules.maximum_yearly_sales_krw)
    return None
