"""Lists of policy money: what was uploaded, who let it go, and what became of each row."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from onsil.core.ids import new_id


class PolicyGrant(models.Model):
    """One list of recipients. `id` comes with the form, so that a replay is the same list.

    `total` is what its good rows add up to; the digest is that of the rows as they are to be paid,
    so that the same list in another file format is still the same list.
    """

    class State(models.TextChoices):
        CHECKED = "checked", _("확인됨")
        ASKED = "asked", _("승인 요청")
        RETURNED = "returned", _("반려됨")
        APPROVED = "approved", _("지급 중")
        PAID = "paid", _("지급됨")
        REFUSED = "refused", _("지급 안 됨")

    id = models.UUIDField(primary_key=True, editable=False)
    city = models.CharField(max_length=40)
    title = models.CharField(max_length=120)
    file_name = models.CharField(max_length=200)
    digest = models.CharField(max_length=64)
    state = models.CharField(max_length=10, choices=State.choices, default=State.CHECKED)
    rows = models.PositiveIntegerField()
    good = models.PositiveIntegerField()
    total = models.BigIntegerField()
    made_by = models.CharField(max_length=120)
    made_at = models.DateTimeField()
    decided_by = models.CharField(max_length=120, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=300, blank=True)
    refusal_ko = models.TextField(blank=True)
    refusal_en = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(decided_by="") | ~models.Q(decided_by=models.F("made_by")),
                name="policy_grant_maker_is_not_approver",
            ),
            models.CheckConstraint(
                condition=models.Q(good__lte=models.F("rows")), name="no_more_good_rows_than_rows"
            ),
            models.UniqueConstraint(
                fields=["city", "digest"],
                condition=models.Q(state__in=["asked", "approved", "paid"]),
                name="one_grant_a_list",
            ),
        ]

    @property
    def refusal(self) -> dict[str, str]:
        """Why the ledger paid nothing, in both languages."""
        return {"ko": self.refusal_ko, "en": self.refusal_en}


class PolicyRow(models.Model):
    """One row of a list, as read, as judged, and what the ledger made of it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    city = models.CharField(max_length=40)
    grant = models.ForeignKey(PolicyGrant, on_delete=models.CASCADE, related_name="listed")
    number = models.PositiveIntegerField()
    person = models.CharField(max_length=254, blank=True)
    account = models.CharField(max_length=120, blank=True)
    written_amount = models.CharField(max_length=40, blank=True)
    amount = models.BigIntegerField(null=True)
    fund = models.CharField(max_length=40, blank=True)
    last_day = models.DateField(null=True)
    merchant_rule = models.CharField(max_length=40, blank=True)
    problem = models.CharField(max_length=40, blank=True)
    transfer_id = models.UUIDField(null=True, blank=True)
    refusal_code = models.CharField(max_length=60, blank=True)
    refusal_ko = models.TextField(blank=True)
    refusal_en = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["city", "grant", "number"], name="one_policy_row_a_number"
            )
        ]

    @property
    def good(self) -> bool:
        return not self.problem

    @property
    def refusal(self) -> dict[str, str]:
        """The ledger's reason in both languages."""
        return {"ko": self.refusal_ko, "en": self.refusal_en}


class ExpiryNotice(models.Model):
    """That somebody was told of value that ends soon; told once for each of the rule's days."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    city = models.CharField(max_length=40)
    citizen = models.ForeignKey("citizen.User", on_delete=models.CASCADE, related_name="+")
    fund = models.CharField(max_length=80, blank=True)
    expires_at = models.DateTimeField()
    days = models.PositiveIntegerField()
    amount = models.BigIntegerField()
    told_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["city", "citizen", "fund", "expires_at", "days"],
                name="one_expiry_notice_a_day",
            )
        ]
