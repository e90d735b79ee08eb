"""The market: listings, offers, orders with escrow, the revenue's shares, and projections."""

from onsil.footprint.market.listings import (
    buy,
    list_for_sale,
    listing,
    listings,
    sales,
    withdraw_listing,
)
from onsil.footprint.market.orders import (
    OPEN,
    Order,
    accept_offer,
    cancel_order,
    decline_offer,
    lapse_orders,
    order,
    orders,
    place_order,
    settle_order,
)
from onsil.footprint.market.projection import (
    DoubleSale,
    PricePath,
    Projection,
    Stream,
    double_sales,
    implied_price,
    project,
)
from onsil.footprint.market.revenue import (
    RevenueRule,
    approve_revenue_rule,
    propose_revenue_rule,
    revenue_rule,
    revenue_rules,
    shares_on,
)
from onsil.footprint.market.sharing import INCENTIVE_FUND, RevenueShare, split

__all__ = [
    "INCENTIVE_FUND", "OPEN", "DoubleSale", "Order", "PricePath", "Projection", "RevenueRule",
    "RevenueShare", "Stream", "accept_offer", "approve_revenue_rule", "buy", "cancel_order",
    "decline_offer", "double_sales", "implied_price", "lapse_orders", "list_for_sale", "listing",
    "listings", "order", "orders", "place_order", "project", "propose_revenue_rule",
    "revenue_rule", "revenue_rules", "sales", "settle_order", "shares_on", "split",
    "withdraw_listing",
]  # fmt: skip
