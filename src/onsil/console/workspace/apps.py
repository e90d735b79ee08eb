"""Django's view of the area."""

from django.apps import AppConfig


class ConsoleWorkspaceConfig(AppConfig):
    name = "onsil.console.workspace"
    label = "console_workspace"
