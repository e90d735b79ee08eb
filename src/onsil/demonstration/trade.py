"""What becomes of the certified units: listed, ordered, offered, settled, retired."""

from dataclasses import dataclass
from datetime import date

from onsil import footprint
from onsil.core.clock import SystemClock
from onsil.demonstration.cast import COMPANY, Cast
from onsil.demonstration.loop import granted
from onsil.demonstration.runs import YEAR
from onsil.footprint import credits, market
from onsil.tenancy import current_city, transaction

CLOCK = SystemClock()
LISTED_TONNES, LISTED_KRW = 60, 18_500
ORDERED_TONNES = 20
OFFERED_TONNES, OFFERED_KRW = 15, 17_000
RETIRED_TONNES = 12
_SHARES = (market.RevenueShare(market.INCENTIVE_FUND, 7_000),
           market.RevenueShare("revenue:demo-office", 3_000))  # fmt: skip


@dataclass(frozen=True)
class Traded:
    """Two settled orders and one retirement with its public certificate."""

    orders: tuple[market.Order, ...]
    retirement: footprint.Retirement


def trade(project: footprint.Project, batch: footprint.CreditBatch, cast: Cast) -> Traded:
    """Sell from the batch at its price and by an offer, both settled by another person; retire.

    Again, nothing is added. Raises DemonstrationFailed when something is refused.
    """
    city, company = current_city(), f"company:{COMPANY}"
    official, approver, buyer = (f"user:{one.pk}" for one in (cast.official, cast.approver,
                                                              cast.buyer))  # fmt: skip
    with transaction() as tx:
        if not any(one.project_id == project.id for one in market.revenue_rules(tx, city)):
            rule = granted(market.propose_revenue_rule(
                tx, city, _SHARES, date(YEAR, 1, 1), "시연: 시민 인센티브 7, 사업 3", official,
                CLOCK, project.id,
            ))  # fmt: skip
            granted(market.approve_revenue_rule(tx, city, rule.id, approver, CLOCK))
        listing = next(
            iter(market.listings(tx, city, open_only=False, batch_id=batch.id)), None
        ) or granted(market.list_for_sale(
            tx, city, batch.id, LISTED_TONNES, LISTED_KRW, official, CLOCK
        ))  # fmt: skip
        placed = [
            granted(market.place_order(tx, city, listing.id, company, tonnes, price, key, buyer,
                                       CLOCK, message))
            for tonnes, price, key, message in (
                (ORDERED_TONNES, LISTED_KRW, "demo-order", ""),
                (OFFERED_TONNES, OFFERED_KRW, "demo-offer", "시연: 값을 깎아 제안합니다."),
            )
        ]  # fmt: skip
        for order in placed:
            if order.status == "offered":
                granted(market.accept_offer(tx, city, order.id, official, CLOCK))
            if order.status != "settled":
                granted(market.settle_order(tx, city, order.id, approver, CLOCK))
        settled = [market.order(tx, city, order.id) for order in placed]
        retired = granted(credits.retire(
            tx, city, batch.id, company, RETIRED_TONNES, "데모 구매 기업",
            "2025년 사업장 전력 배출량 상쇄 (시연)", "demo-office-retirement", buyer, CLOCK,
            credits.RetirementUse("KR", "voluntary", (date(YEAR, 1, 1), date(YEAR + 1, 1, 1))),
        ))  # fmt: skip
    return Traded(tuple(one for one in settled if one is not None), retired)
