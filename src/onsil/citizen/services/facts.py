"""What is known of a shop since when: the dated facts that a payment is judged by."""

from datetime import date
from decimal import Decimal

from onsil import proof
from onsil.citizen import refusals
from onsil.citizen.models import Merchant, MerchantFacts
from onsil.citizen.services.postings import SYSTEM
from onsil.citizen.services.rulebook import rules_on
from onsil.core.clock import Clock
from onsil.core.periods import local_day
from onsil.core.refusal import Refusal
from onsil.ledger import rules
from onsil.ledger.rules.cashback import Shop
from onsil.ledger.rules.merchants import Eligibility, MerchantStatus
from onsil.tenancy import current_city, transaction
from onsil.tenancy.cities import city as city_profile


def history(merchant: Merchant) -> list[MerchantStatus]:
    """Every version of a shop's facts, oldest first; it begins with what it applied with."""
    zone = city_profile(merchant.city).zone
    applied = local_day(merchant.applied_at, zone)
    checked = applied if merchant.decided_at is None else local_day(merchant.decided_at, zone)
    first = MerchantStatus(
        applied, merchant.kind, _district(merchant.address), merchant.yearly_sales_krw, checked
    )
    noted = MerchantFacts.objects.filter(city=merchant.city, merchant=merchant)
    later = [
        MerchantStatus(
            since=one.valid_from, kind=one.kind, region=one.region, in_city=one.in_city,
            yearly_sales_krw=one.yearly_sales_krw, checked_on=one.checked_on,
            tags=frozenset(one.tags),
        )
        for one in noted.order_by("valid_from")
    ]  # fmt: skip
    return list({one.since: one for one in (first, *later)}.values())


def eligibility(merchant: Merchant, day: date) -> Eligibility:
    """What a shop may take on a day: its facts of that day under the rule of that day."""
    found = rules.merchants.status_on(history(merchant), day)
    status = found if found is not None else history(merchant)[0]
    rule = rules_on(city_profile(merchant.city), day).merchants
    return rules.merchants.eligibility(status, rule, day)


def shop(merchant: Merchant, day: date) -> Shop:
    """A shop as cashback sees it on a day."""
    status = eligibility(merchant, day).status
    return Shop(
        merchant.account, status.kind, status.region, status.tags,
        Decimal(merchant.cashback_percent),
    )  # fmt: skip


def note(
    merchant: Merchant, *, yearly_sales_krw: int, kind: str, region: str, in_city: bool = True,
    tags: frozenset[str] = frozenset(), source: str, actor: str, valid_from: date | None = None,
    clock: Clock = SYSTEM,
) -> MerchantFacts | Refusal:  # fmt: skip
    """Write down what was found at a check; it holds from today, or from a later day.

    Checked again on the same day, the later finding counts. Refusals: `facts-backdated` (what has
    been paid stays judged by what was known), `facts-wrong`.
    """
    city, now = current_city(), clock.now()
    today = local_day(now, city_profile(city).zone)
    since = valid_from or today
    if since < today:
        return refusals.facts_backdated()
    if yearly_sales_krw < 0 or kind not in Merchant.Kind.values:
        return refusals.facts_wrong()
    found = {
        "yearly_sales_krw": yearly_sales_krw, "kind": kind, "region": region.strip(),
        "in_city": in_city, "tags": sorted(tags), "checked_on": today, "source": source,
        "noted_by": actor, "noted_at": now,
    }  # fmt: skip
    with transaction() as tx:
        made, _ = MerchantFacts.objects.update_or_create(
            city=city, merchant=merchant, valid_from=since, defaults=found
        )
        proof.audit(
            tx, city, actor, "merchant.facts-noted", "merchant", str(merchant.pk), None,
            {"since": since.isoformat(), "yearly_sales_krw": yearly_sales_krw, "kind": kind,
             "region": region, "in_city": in_city, "tags": sorted(tags), "source": source},
        )  # fmt: skip
    return made


def due_for_check(*, clock: Clock = SYSTEM) -> list[Merchant]:
    """The approved shops whose facts nobody has looked at since the last check day (1 January or
    July where the rule says so)."""
    profile = city_profile(current_city())
    today = local_day(clock.now(), profile.zone)
    rule = rules_on(profile, today).merchants
    shops = Merchant.objects.filter(city=profile.code, state=Merchant.State.APPROVED)
    return [
        one
        for one in shops.order_by("name")
        if rules.merchants.needs_recheck(eligibility(one, today).status, rule, today)
    ]


def _district(address: str) -> str:
    """The legal district named in an address: the first word that ends as one does."""
    return next((w for w in address.split() if w[-1:] in "동읍면리" and len(w) > 1), "")
