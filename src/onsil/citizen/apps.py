"""Django's view of the room."""

from django.apps import AppConfig


class CitizenConfig(AppConfig):
    name = "onsil.citizen"
