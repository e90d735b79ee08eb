"""Charging: caps per person and month, what may be held, the city's monthly issue budget.

The caps are counters in the ledger itself (`quota:*` accounts with a maximum): a charge posts to
them together with its money, so the posting machine refuses whatever would pass a cap, however many
charges come at once. The functions here say which accounts, which legs, and what a no means.

Holding: the counter `quota:holding` follows charged money in the wallet from above. Spending makes
room only when somebody charges again: `holding_release` then lowers the counter by the gap. Its key
names how much was released before, so that a gap is released once, whoever sees it.
"""

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from onsil.core.periods import local_day, midnight
from onsil.core.refusal import Refusal
from onsil.ledger.rules import names, words
from onsil.ledger.rules.fields import Fields
from onsil.ledger.terms import AccountSpec, Leg, LotTerms, TransferRequest

HOLDING = "quota:holding"
RELEASED = "quota:holding-released"


@dataclass(frozen=True)
class ChargingRule:
    """Caps in won; None where the rule sets none. `validity_years` is how long a charge holds."""

    person_month_krw: int | None
    holding_krw: int | None
    city_month_krw: int | None
    minimum_krw: int
    step_krw: int
    validity_years: int


@dataclass(frozen=True)
class Counters:
    """What a person's and the city's counters say now, for screens and for the release of room.

    `charged` this month, `city_issued` this month, `holding` (the counter), `released` (ever), and
    `own`: charged money in the wallet now.
    """

    charged: int = 0
    city_issued: int = 0
    holding: int = 0
    released: int = 0
    own: int = 0


def read(at: Fields) -> ChargingRule:
    """The fields of a `[[charging]]` table."""
    rule = ChargingRule(
        at.maybe_won("person_month_krw"), at.maybe_won("holding_krw"),
        at.maybe_won("city_month_krw"), at.won("minimum_krw", least=1),
        at.won("step_krw", 1, least=1), at.whole("validity_years", 5, 1, 50),
    )  # fmt: skip
    if rule.minimum_krw % rule.step_krw:
        at.refuse("minimum_krw", f"must be a multiple of step_krw {rule.step_krw}")
    return rule


def month_asset(month: str) -> str:
    return f"quota:charge:{month}"


def issue_asset(month: str) -> str:
    return f"quota:issue:{month}"


def issue_account(month: str) -> str:
    return f"budget:issue:{month}"


def accounts(rule: ChargingRule, person: str, month: str) -> list[AccountSpec]:
    """The counters a charge needs. Opening is idempotent; where an account stands with another
    maximum (the rule has changed), set the limits as given here."""
    specs: list[AccountSpec] = []
    for code, asset, kind, most in (
        (person, month_asset(month), "quota", rule.person_month_krw),
        (person, HOLDING, "quota", rule.holding_krw),
        (person, RELEASED, "quota", None),
        (issue_account(month), issue_asset(month), "budget", rule.city_month_krw),
    ):
        specs.append(AccountSpec(code, asset, kind, maximum=most))
        specs.append(AccountSpec(names.QUOTA, asset, "issuer", minimum=None))
    return specs


def examine(amount: int, rule: ChargingRule) -> Refusal | None:
    """What is wrong with an amount by itself: `charge-too-small`, `charge-uneven`."""
    if amount < rule.minimum_krw:
        return words.charge_too_small(rule.minimum_krw)
    if amount % rule.step_krw:
        return words.charge_uneven(rule.step_krw)
    return None


def room(rule: ChargingRule, at: Counters) -> int | None:
    """The most that could be charged now, in whole steps; None where no cap is set."""
    bounds = [
        cap - used
        for cap, used in (
            (rule.person_month_krw, at.charged),
            (rule.city_month_krw, at.city_issued),
            (rule.holding_krw, at.own),
        )
        if cap is not None
    ]
    if not bounds:
        return None
    most = max(0, min(bounds))
    whole = most - most % rule.step_krw
    return whole if whole >= rule.minimum_krw else 0


def expires_at(charged_at: datetime, years: int, zone: ZoneInfo) -> datetime:
    """The city's midnight that ends the last day of validity: the same day so many years on."""
    day = local_day(charged_at, zone)
    try:
        last = day.replace(year=day.year + years)
    except ValueError:  # charged on 29 February
        last = date(day.year + years, 3, 1)
    return midnight(last, zone)


def holding_release(person: str, at: Counters) -> TransferRequest | None:
    """Lower the holding counter to what is really held, where spending has left a gap.

    Submit it before the charge. Two that see the same gap ask under the same key: one is applied.
    """
    gap = at.holding - at.own
    if gap <= 0:
        return None
    return TransferRequest(
        key=f"holding:{person}:{at.released}", kind="quota-release",
        legs=(
            Leg(person, names.QUOTA, HOLDING, gap),
            Leg(names.QUOTA, person, RELEASED, gap),
        ),
    )  # fmt: skip


def charge(
    *, city: str, person: str, amount: int, key: str, charge_id: str, at: datetime,
    zone: ZoneInfo, rule: ChargingRule, counters: Counters = Counters(), source: str = names.BANK,
) -> TransferRequest:  # fmt: skip
    """The charge itself: won into the trust, local currency out, and every counter up.

    The lot is the citizen's own money: ordinary shops, refundable, valid by the rule. `source` is
    where the won come from (`external:bank`, `float:card:<network>`). What returned to the wallet
    past the holding counter (a cancelled payment) is counted along.
    """
    month, local = names.month_of(at, zone), names.local_asset(city)
    returned = max(0, counters.own - counters.holding)
    terms = LotTerms(
        fund=names.OWN, expires_at=expires_at(at, rule.validity_years, zone),
        merchant_rule=names.ORDINARY, refundable=True, origin_kind="charge", origin_id=charge_id,
    )  # fmt: skip
    return TransferRequest(
        key=key, kind="charge", effective_at=at, origin_kind="charge", origin_id=charge_id,
        legs=(
            Leg(source, names.TRUST, names.KRW, amount),
            Leg(names.ISSUER, person, local, amount, lot=terms),
            Leg(names.QUOTA, person, month_asset(month), amount),
            Leg(names.QUOTA, person, HOLDING, amount + returned),
            Leg(names.QUOTA, issue_account(month), issue_asset(month), amount),
        ),
    )  # fmt: skip


def returned_quota(
    *, person: str, amount: int, charged_at: datetime, now: datetime, zone: ZoneInfo
) -> tuple[Leg, ...]:
    """The month's caps given back with a full refund, while the month of the charge still runs."""
    month = names.month_of(charged_at, zone)
    if month != names.month_of(now, zone):
        return ()
    return (
        Leg(person, names.QUOTA, month_asset(month), amount),
        Leg(issue_account(month), names.QUOTA, issue_asset(month), amount),
    )


def explained(no: Refusal, rule: ChargingRule, counters: Counters | None = None) -> Refusal:
    """A ledger's `account-limit` in the words of the cap it stands for; any other as it is."""
    asset = str(no.facts.get("asset", ""))
    if no.code != "account-limit" or not asset.startswith("quota:"):
        return no
    month = asset.rsplit(":", 1)[-1]
    if asset.startswith("quota:charge:") and rule.person_month_krw is not None:
        charged = None if counters is None else counters.charged
        return words.charge_over_month(rule.person_month_krw, charged, month)
    if asset == HOLDING and rule.holding_krw is not None:
        held = None if counters is None else counters.own
        return words.charge_over_holding(rule.holding_krw, held)
    if asset.startswith("quota:issue:") and rule.city_month_krw is not None:
        return words.charge_city_full(rule.city_month_krw, month)
    return no
