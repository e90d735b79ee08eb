"""What ends soon is told to its owner, and what has expired leaves wallets: back to its issuer, its
won to whom the rules say."""

from collections.abc import Sequence
from datetime import date, timedelta
from uuid import UUID

from django.core.mail import send_mail

from onsil import ledger
from onsil.citizen.models import ExpiryNotice, User
from onsil.citizen.services import postings, rulebook
from onsil.citizen.services.postings import SYSTEM, local_asset
from onsil.citizen.services.wallet import rate_of
from onsil.core.clock import Clock
from onsil.core.periods import local_day
from onsil.ledger.circulation import ending
from onsil.ledger.rules import expiry, names
from onsil.tenancy import current_city, transaction
from onsil.tenancy.cities import CityProfile
from onsil.tenancy.cities import city as city_profile

POINTS_LEFT = "breakage:points"
_RESERVE, _POINTS = "reserve:points", "issuer:point"


def run(*, clock: Clock = SYSTEM) -> dict[str, int]:
    """Take what has expired out of every wallet; how many accounts lost something, by asset.

    Local currency returns to its issuer and its won leave the trust, for `breakage:<fund>` or the
    account that the rules name; points return to theirs and their won leave the reserve. Done
    again the same day it does nothing. Shops keep what they were paid with in time.
    """
    city = current_city()
    profile, rate = city_profile(city), rate_of(city_profile(city))
    rule = rulebook.rules_at(profile, clock.now()).expiry
    day = local_day(clock.now(), profile.zone).isoformat()

    def cover(_code: str, sums: Sequence[tuple[str, int]]) -> tuple[ledger.Leg, ...]:
        request = expiry.breakage_request(expired=sums, rule=rule, key="cover", at=clock.now())
        legs = () if request is None else request.legs
        ledger.open_accounts(
            tx, city, [ledger.AccountSpec(x.destination, names.KRW, "breakage") for x in legs]
        )
        return legs

    def reserve(_code: str, sums: Sequence[tuple[str, int]]) -> tuple[ledger.Leg, ...]:
        won = rate.worth(sum(amount for _fund, amount in sums))
        return (ledger.Leg(_RESERVE, POINTS_LEFT, names.KRW, won),) if won else ()

    with transaction() as tx:
        ledger.open_accounts(
            tx, city,
            [*postings.city_accounts(city),
             ledger.AccountSpec(POINTS_LEFT, names.KRW, "breakage")],
        )  # fmt: skip
        given = {
            local_asset(city): ledger.expire(
                tx, city, clock, local_asset(city), day=day, into=lambda _fund: names.ISSUER,
                along=cover,
            )
        }  # fmt: skip
        for issuer in ledger.accounts(tx, city, prefix=_POINTS):  # ended programmes included
            given[issuer.asset] = ledger.expire(
                tx, city, clock, issuer.asset, day=day, into=lambda _fund: _POINTS, along=reserve
            )
    return {
        asset: sum(answer.state == "applied" for answer in answers.values())
        for asset, answers in given.items()
    }


def tell(*, clock: Clock = SYSTEM) -> int:
    """Write to everybody whose local currency ends in one of the rule's notice days; how many
    letters went out. Each is sent once, however often this runs that day."""
    city, now = current_city(), clock.now()
    profile = city_profile(city)
    rule = rulebook.rules_at(profile, now).expiry
    today = local_day(now, profile.zone)
    ends = {
        expiry.ends(today + timedelta(days=days), profile.zone): days for days in rule.notice_days
    }
    with transaction() as tx:
        found = ending(tx, city, local_asset(city), list(ends))
        people = User.objects.in_bulk({UUID(code.partition(":")[2]) for code, *_rest in found})
        letters = []
        for code, fund, expires, amount in found:
            owner = people.get(UUID(code.partition(":")[2]))
            if owner is None:
                continue
            _row, fresh = ExpiryNotice.objects.get_or_create(
                city=city, citizen=owner, fund=fund, expires_at=expires, days=ends[expires],
                defaults={"amount": amount, "told_at": now},
            )  # fmt: skip
            if fresh:
                last = expiry.last_day(expires, profile.zone)
                letters.append((owner, *_letter(profile, owner.language, amount, last)))
    for owner, subject, body in letters:
        send_mail(subject, body, None, [owner.email], fail_silently=True)
    return len(letters)


def _letter(profile: CityProfile, language: str, amount: int, last: date) -> tuple[str, str]:
    name = profile.currency(language)
    if language.startswith("en"):
        return (
            f"{name}: ₩{amount:,} end on {last:%Y-%m-%d}",
            f"₩{amount:,} of your {name} can be used until {last:%Y-%m-%d}. After that day they "
            "leave your wallet. Your wallet shows where they can be spent.",
        )
    return (
        f"{name} {amount:,}원이 {last:%Y-%m-%d}에 끝납니다",
        f"{name} {amount:,}원은 {last:%Y-%m-%d}까지 쓸 수 있습니다. 그날이 지나면 지갑에서 "
        "사라집니다. 어디에서 쓸 수 있는지는 지갑에서 볼 수 있습니다.",
    )
