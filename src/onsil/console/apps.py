"""Django's view of the room."""

from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    name = "onsil.console"
