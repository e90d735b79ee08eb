"""Django's view of the room."""

from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "onsil.web"
