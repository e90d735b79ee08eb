"""Where the currency office's screens hang."""

from django.urls import path

from onsil.console.currency.views import grants, rules, settlements, trust

urlpatterns = [
    path("console/currency/", rules.in_force, name="currency"),
    path("console/currency/settlements/", settlements.listing, name="currency-settlements"),
    path(
        "console/currency/settlements/<uuid:settlement>/",
        settlements.detail,
        name="currency-settlement",
    ),
    path("console/currency/grants/", grants.listing, name="currency-grants"),
    path("console/currency/grants/upload/", grants.upload, name="currency-upload"),
    path("console/currency/grants/budget/", grants.budget, name="currency-budget"),
    path("console/currency/grants/template.csv", grants.template, name="currency-template"),
    path("console/currency/grants/<uuid:grant>/", grants.detail, name="currency-grant"),
    path("console/currency/grants/<uuid:grant>/ask/", grants.ask, name="currency-ask"),
    path("console/currency/grants/<uuid:grant>/decide/", grants.decide, name="currency-decide"),
    path("console/currency/trust/", trust.report, name="currency-trust"),
]
