"""Policy money: allowances handed out in bulk, bound to a fund, an end and a kind of shop.

A list of recipients is checked row by row before anything is posted; what is approved is posted as
one chain that is applied whole or not at all.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from onsil.ledger.rules import expiry, names
from onsil.ledger.rules.fields import Fields
from onsil.ledger.terms import Leg, LotTerms, TransferRequest

FUND = r"[a-z0-9][a-z0-9-]{0,38}"
"""How the code of a fund of policy money is written."""


@dataclass(frozen=True)
class PolicyRule:
    """Limits of a grant in won, how many rows a list may have, and how far off its end may lie.

    `merchant_rule` is the one a grant carries when its list names none; `merchant_rules` those
    that a list may name.
    """

    person_krw: int
    grant_krw: int
    rows: int = 100_000
    most_days: int = 1830
    merchant_rule: str = names.POLICY_RULE
    merchant_rules: tuple[str, ...] = ()


@dataclass(frozen=True)
class Row:
    """One line of a list as it was read. `person` is what identifies the recipient in the file."""

    number: int
    person: str
    amount: int | None
    fund: str
    last_day: date | None
    merchant_rule: str


@dataclass(frozen=True)
class RowResult:
    """What the check found. `problem` is empty for a good row, else: `person-missing`,
    `person-unknown`, `amount-wrong`, `over-person-limit`, `fund-missing`, `fund-wrong`,
    `end-missing`, `end-past`, `end-too-far`, `rule-unknown`, `duplicate`. `account` is the
    recipient's."""

    row: Row
    account: str = ""
    problem: str = ""

    @property
    def good(self) -> bool:
        return not self.problem


def read(at: Fields) -> PolicyRule:
    """The fields of a `[[policy]]` table."""
    rule = PolicyRule(
        at.won("person_krw", least=1), at.won("grant_krw", least=1),
        at.whole("rows", 100_000, 1, 1_000_000), at.whole("most_days", 1830, 1, 3660),
        at.text("merchant_rule", names.POLICY_RULE), at.texts("merchant_rules", []),
    )  # fmt: skip
    if not rule.merchant_rule or rule.merchant_rule == names.ORDINARY:
        at.refuse("merchant_rule", "policy money needs a rule of its own")
    return rule


def check(
    rows: Sequence[Row], known: Mapping[str, str], rule: PolicyRule, today: date
) -> tuple[RowResult, ...]:
    """Judge every row by itself and against those before it.

    `known`: the wallet account of each identifier the city knows. A row that repeats recipient,
    fund and end of an earlier good row is a `duplicate`; a recipient's rows of one fund together
    stay within the person's limit.
    """
    seen: set[tuple[str, str, date | None]] = set()
    sums: dict[tuple[str, str], int] = {}
    results = []
    for row in rows:
        account = known.get(row.person, "")
        problem = _problem(row, account, rule, today)
        if not problem:
            place, person = (account, row.fund, row.last_day), (account, row.fund)
            total = sums.get(person, 0) + (row.amount or 0)
            if place in seen:
                problem = "duplicate"
            elif total > rule.person_krw:
                problem = "over-person-limit"
            else:
                seen.add(place)
                sums[person] = total
        results.append(RowResult(row, account, problem))
    return tuple(results)


def total(results: Iterable[RowResult]) -> int:
    """Won of the good rows."""
    return sum(r.row.amount or 0 for r in results if r.good)


def requests(
    *, results: Sequence[RowResult], city: str, grant_id: str, at: datetime, zone: ZoneInfo
) -> tuple[TransferRequest, ...]:
    """The good rows as one linked chain: won of each fund's budget into the trust, then local
    currency to every recipient. Applied whole or not at all; asked again it is the same batch."""
    good = [r for r in results if r.good]
    sums: dict[str, int] = {}
    for result in good:
        sums[result.row.fund] = sums.get(result.row.fund, 0) + (result.row.amount or 0)
    if not sums:
        return ()
    legs = tuple(
        Leg(names.policy_budget(fund), names.TRUST, names.KRW, won)
        for fund, won in sorted(sums.items())
    )
    made = [
        TransferRequest(
            key=f"grant:{grant_id}:cover", kind="policy-cover", legs=legs, effective_at=at,
            origin_kind="policy-grant", origin_id=grant_id, linked=True,
        )
    ]  # fmt: skip
    for place, result in enumerate(good, start=1):
        row = result.row
        assert row.amount is not None
        assert row.last_day is not None
        terms = LotTerms(
            fund=names.policy_fund(row.fund), expires_at=expiry.ends(row.last_day, zone),
            merchant_rule=row.merchant_rule, origin_kind="policy-grant", origin_id=grant_id,
        )  # fmt: skip
        leg = Leg(names.ISSUER, result.account, names.local_asset(city), row.amount, lot=terms)
        made.append(
            TransferRequest(
                key=f"grant:{grant_id}:{row.number}", kind="policy-grant", legs=(leg,),
                effective_at=at, origin_kind="policy-grant", origin_id=grant_id,
                linked=place < len(good),
            )
        )  # fmt: skip
    return tuple(made)


def _problem(row: Row, account: str, rule: PolicyRule, today: date) -> str:
    if not row.person:
        return "person-missing"
    if not account:
        return "person-unknown"
    if row.amount is None or row.amount < 1:
        return "amount-wrong"
    if row.amount > rule.person_krw:
        return "over-person-limit"
    if not re.fullmatch(FUND, row.fund):
        return "fund-wrong" if row.fund else "fund-missing"
    if row.last_day is None:
        return "end-missing"
    if row.last_day < today:
        return "end-past"
    if row.last_day > today + timedelta(days=rule.most_days):
        return "end-too-far"
    allowed = {rule.merchant_rule, *rule.merchant_rules}
    return "" if row.merchant_rule in allowed else "rule-unknown"
