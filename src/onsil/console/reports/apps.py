"""Django's view of the area."""

from django.apps import AppConfig


class ConsoleReportsConfig(AppConfig):
    name = "onsil.console.reports"
    label = "console_reports"
