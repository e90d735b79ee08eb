"""The operator's look at sites and meters; registering goes through the room's services."""

from django.contrib import admin

from onsil.building.models import Meter, Site
from onsil.rewards.admin import ReadOnlyAdmin


class MeterInline(admin.TabularInline):
    model = Meter
    extra = 0
    can_delete = False
    readonly_fields = ("code", "entity", "attribute", "quantity", "unit", "direction")

    def has_add_permission(self, request: object, obj: object = None) -> bool:
        return False


@admin.register(Site)
class SiteAdmin(ReadOnlyAdmin):
    list_display = ("name_ko", "kind", "district", "replayed", "simulated")
    list_filter = ("city", "kind", "replayed", "simulated")
    search_fields = ("name_ko", "name_en", "code")
    inlines = (MeterInline,)


@admin.register(Meter)
class MeterAdmin(ReadOnlyAdmin):
    list_display = ("site", "code", "quantity", "unit", "direction", "entity", "attribute")
    list_filter = ("city", "quantity", "direction")
