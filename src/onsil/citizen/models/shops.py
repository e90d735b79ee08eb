"""Shops: what they applied with, what the city decided, and what is known of them since when."""

from decimal import Decimal

from django.db import models
from django.utils.translation import gettext_lazy as _

from onsil.citizen.models.people import User
from onsil.core.ids import new_id


class Merchant(models.Model):
    """A shop: what it applied with, and what the city decided."""

    class State(models.TextChoices):
        APPLIED = "applied", _("심사 중")
        APPROVED = "approved", _("승인됨")
        REFUSED = "refused", _("반려됨")
        CLOSED = "closed", _("이용 중지")

    class Kind(models.TextChoices):
        RESTAURANT = "restaurant", _("음식점")
        CAFE = "cafe", _("카페")
        BAKERY = "bakery", _("제과점")
        GROCERY = "grocery", _("식료품·로컬푸드")
        MARKET = "market", _("전통시장 점포")
        REPAIR = "repair", _("수리·수선")
        REFILL = "refill", _("제로웨이스트·리필")
        BOOKS = "books", _("서점·문구")
        HEALTH = "health", _("약국·의원")
        SERVICE = "service", _("생활 서비스")
        LARGE_STORE = "large-store", _("대형 마트·백화점")
        GAMBLING = "gambling", _("사행 업종")
        ADULT = "adult", _("유흥 업종")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    city = models.CharField(max_length=40)
    name = models.CharField(max_length=80)
    business_number = models.CharField(max_length=12)
    kind = models.CharField(max_length=20, choices=Kind.choices)
    address = models.CharField(max_length=200, blank=True)
    yearly_sales_krw = models.BigIntegerField()
    cashback_percent = models.DecimalField(max_digits=5, decimal_places=2, default=Decimal(0))
    state = models.CharField(max_length=10, choices=State.choices, default=State.APPLIED)
    applicant = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    applied_at = models.DateTimeField()
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["city", "business_number"],
                condition=~models.Q(state="refused"),
                name="one_shop_a_business_number",
            ),
            models.CheckConstraint(
                condition=models.Q(decided_by__isnull=True)
                | ~models.Q(decided_by=models.F("applicant")),
                name="nobody_approves_an_own_shop",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def account(self) -> str:
        return f"merchant:{self.id}"


class MerchantFacts(models.Model):
    """What was found out about a shop, in force from a day on; never changed, only followed."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    city = models.CharField(max_length=40)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, related_name="facts")
    valid_from = models.DateField()
    yearly_sales_krw = models.BigIntegerField()
    kind = models.CharField(max_length=20, choices=Merchant.Kind.choices)
    region = models.CharField(max_length=40, blank=True)
    in_city = models.BooleanField(default=True)
    tags = models.JSONField(default=list)
    checked_on = models.DateField()
    source = models.CharField(max_length=300, blank=True)
    noted_by = models.CharField(max_length=120)
    noted_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["city", "merchant", "valid_from"], name="one_fact_sheet_a_shop_and_day"
            ),
            models.CheckConstraint(
                condition=models.Q(yearly_sales_krw__gte=0), name="sales_not_below_zero"
            ),
        ]
