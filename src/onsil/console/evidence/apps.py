"""Django's view of the room."""

from django.apps import AppConfig


class EvidenceConfig(AppConfig):
    name = "onsil.console.evidence"
    label = "evidence"
