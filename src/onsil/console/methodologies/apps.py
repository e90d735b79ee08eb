"""Django's view of the area."""

from django.apps import AppConfig


class ConsoleMethodologiesConfig(AppConfig):
    name = "onsil.console.methodologies"
    label = "console_methodologies"
