"""Django's view of the room."""

from django.apps import AppConfig


class RewardsConfig(AppConfig):
    name = "onsil.rewards"
