"""The operator's look at programmes, evidence, decisions and awards: to read, never to change."""

from django.contrib import admin
from django.http import HttpRequest

from onsil.rewards.models import (
    Award,
    AwardPosting,
    Budget,
    CapCounter,
    Decision,
    Enrolment,
    Evidence,
    ProgrammeVersion,
)


class ReadOnlyAdmin(admin.ModelAdmin):
    """Rows are made by the room's services alone, which check, lock and leave a trail."""

    list_per_page = 50

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


@admin.register(ProgrammeVersion)
class ProgrammeVersionAdmin(ReadOnlyAdmin):
    list_display = ("programme", "digest", "effective_from", "effective_until", "retired_at")
    list_filter = ("city", "programme__code")


@admin.register(Enrolment)
class EnrolmentAdmin(ReadOnlyAdmin):
    list_display = ("programme", "person", "group", "since", "until")
    list_filter = ("city", "programme__code", "group")
    search_fields = ("person",)


@admin.register(Evidence)
class EvidenceAdmin(ReadOnlyAdmin):
    list_display = ("programme", "person", "kind", "quantity", "occurred_at", "level", "simulated")
    list_filter = ("city", "kind", "level", "simulated")
    search_fields = ("person", "key", "reference")
    date_hierarchy = "occurred_at"


@admin.register(Decision)
class DecisionAdmin(ReadOnlyAdmin):
    list_display = ("programme", "person", "window", "outcome", "points", "reason_code")
    list_filter = ("city", "outcome", "reason_code", "simulated")
    search_fields = ("person", "window")
    date_hierarchy = "decided_at"


@admin.register(Award)
class AwardAdmin(ReadOnlyAdmin):
    list_display = ("programme", "person", "points", "krw", "year", "earned_on", "expires_at")
    list_filter = ("city", "programme__code", "year")
    search_fields = ("person", "id")


@admin.register(AwardPosting)
class AwardPostingAdmin(ReadOnlyAdmin):
    list_display = ("award", "state", "transfer_id", "refusal_code", "changed_at")
    list_filter = ("city", "state")


@admin.register(CapCounter)
class CapCounterAdmin(ReadOnlyAdmin):
    list_display = ("programme", "person", "cut", "window", "used", "cap")
    list_filter = ("city", "cut")
    search_fields = ("person",)


@admin.register(Budget)
class BudgetAdmin(ReadOnlyAdmin):
    list_display = ("programme", "year", "source", "amount_krw", "used_krw", "confirmed")
    list_filter = ("city", "year", "source")
