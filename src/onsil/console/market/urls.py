"""Where the market's screens hang."""

from django.urls import path

from onsil.console.market import views

urlpatterns = [
    path("console/market/", views.market, name="market"),
    path("console/market/buy/<uuid:listing>/", views.buy, name="market-buy"),
    path("console/market/holdings/", views.holdings, name="market-holdings"),
    path("console/market/retire/<uuid:batch>/", views.retire, name="market-retire"),
]
