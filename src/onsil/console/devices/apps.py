"""Django's view of the area."""

from django.apps import AppConfig


class ConsoleDevicesConfig(AppConfig):
    name = "onsil.console.devices"
    label = "console_devices"
