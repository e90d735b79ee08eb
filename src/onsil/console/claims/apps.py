"""Django's view of the area."""

from django.apps import AppConfig


class ConsoleClaimsConfig(AppConfig):
    name = "onsil.console.claims"
    label = "console_claims"
