"""What has expired leaves wallets: back to its issuer, its won to whom the rules say."""

from collections.abc import Sequence

from onsil import ledger
from onsil.citizen.services import postings, rulebook
from onsil.citizen.services.postings import SYSTEM, local_asset
from onsil.citizen.services.wallet import rate_of
from onsil.core.clock import Clock
from onsil.core.periods import local_day
from onsil.ledger.rules import expiry, names
from onsil.tenancy import current_city, transaction
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
