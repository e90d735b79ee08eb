"""Django's view of the area."""

from django.apps import AppConfig


class ConsoleFactorsConfig(AppConfig):
    name = "onsil.console.factors"
    label = "console_factors"
