"""Django's view of the area."""

from django.apps import AppConfig


class ConsoleTargetsConfig(AppConfig):
    name = "onsil.console.targets"
    label = "console_targets"
