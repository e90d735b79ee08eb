"""Django's view of the area."""

from django.apps import AppConfig


class InventoryConfig(AppConfig):
    name = "onsil.console.inventory"
    label = "inventory"
