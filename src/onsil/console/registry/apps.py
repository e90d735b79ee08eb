"""Django's view of the area."""

from django.apps import AppConfig


class ConsoleRegistryConfig(AppConfig):
    name = "onsil.console.registry"
    label = "console_registry"
