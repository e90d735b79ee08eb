"""Django's view of the room."""

from django.apps import AppConfig


class BuildingConfig(AppConfig):
    name = "onsil.building"
