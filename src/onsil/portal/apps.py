"""Django's view of the room."""

from django.apps import AppConfig


class PortalConfig(AppConfig):
    name = "onsil.portal"
