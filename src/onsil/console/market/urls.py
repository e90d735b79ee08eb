"""Where the market's screens hang."""

from django.urls import path

from onsil.console.market import forecast, orders, views

urlpatterns = [
    path("console/market/", views.market, name="market"),
    path("console/market/buy/<uuid:listing>/", views.buy, name="market-buy"),
    path("console/market/holdings/", views.holdings, name="market-holdings"),
    path("console/market/orders/", orders.listing, name="market-orders"),
    path("console/market/orders/new/<uuid:listing>/", orders.place, name="market-order"),
    path("console/market/orders/<uuid:order>/<slug:act>/", orders.act, name="market-order-act"),
    path("console/market/revenue/", orders.revenue, name="market-revenue"),
    path(
        "console/market/revenue/<uuid:rule>/approve/",
        orders.approve_revenue,
        name="market-revenue-approve",
    ),
    path("console/market/projection/", forecast.projection, name="market-projection"),
    path("console/market/retire/<uuid:batch>/", views.retire, name="market-retire"),
]
