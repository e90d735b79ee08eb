"""Django's view of the area."""

from django.apps import AppConfig


class CurrencyConfig(AppConfig):
    name = "onsil.console.currency"
    label = "currency"
