"""Payment codes, payments, what was taken back of them, and what they earned."""

from uuid import uuid4

from django.db import models

from onsil.citizen.models.people import User
from onsil.citizen.models.posting import Posting
from onsil.citizen.models.settlement import Settlement
from onsil.citizen.models.shops import Merchant
from onsil.core.ids import new_id


class PaymentCode(models.Model):
    """One QR: shown by a shop with the amount bound to it, or by a citizen without one."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    city = models.CharField(max_length=40)
    shown_by = models.CharField(
        max_length=10, choices=[("merchant", "merchant"), ("citizen", "citizen")]
    )
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, null=True, related_name="+")
    citizen = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    amount = models.BigIntegerField(null=True)
    limit = models.BigIntegerField(null=True)
    typed = models.CharField(max_length=8)
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    cancelled_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["city", "typed"], name="one_code_a_spelling"),
            models.CheckConstraint(
                condition=models.Q(
                    shown_by="merchant", merchant__isnull=False, citizen__isnull=True, amount__gt=0
                )
                | models.Q(
                    shown_by="citizen",
                    citizen__isnull=False,
                    merchant__isnull=True,
                    limit__gt=0,
                    amount__isnull=True,
                ),
                name="a_code_has_one_side",
            ),
        ]


class Payment(Posting):
    """One payment at a shop. A code makes at most one, whatever is clicked or replayed."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    city = models.CharField(max_length=40)
    code = models.OneToOneField(PaymentCode, on_delete=models.PROTECT, related_name="payment")
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, related_name="payments")
    citizen = models.ForeignKey(User, on_delete=models.PROTECT, related_name="payments")
    amount = models.BigIntegerField()
    confirmation = models.CharField(max_length=4)
    cancelled = models.BigIntegerField(default=0)
    shop_cashback = models.BigIntegerField(default=0)
    rewarded_at = models.DateTimeField(null=True)
    settlement = models.ForeignKey(
        Settlement, on_delete=models.PROTECT, null=True, related_name="sales"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["city", "key"], name="one_payment_a_key"),
            models.CheckConstraint(condition=models.Q(amount__gt=0), name="payment_above_zero"),
            models.CheckConstraint(
                condition=models.Q(cancelled__gte=0, cancelled__lte=models.F("amount")),
                name="no_more_cancelled_than_paid",
            ),
        ]
        indexes = [
            models.Index(fields=["city", "merchant", "submitted_at"], name="sales_of_a_shop"),
            models.Index(
                fields=["city", "state"], condition=models.Q(state="pending"), name="open_payments"
            ),
            models.Index(
                fields=["city", "state"],
                condition=models.Q(rewarded_at__isnull=True),
                name="payments_to_reward",
            ),
        ]

    @property
    def kept(self) -> int:
        """Won that the customer has paid in the end: the amount without what was taken back."""
        return self.amount - self.cancelled


class Cancellation(Posting):
    """A shop's taking back of a payment or a part of it; the citizen's lots return as they were.

    Of a payment taken back in part, the rest is paid anew in the same act: `rest_transfer_id`.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    city = models.CharField(max_length=40)
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="cancellations")
    amount = models.BigIntegerField()
    rest_transfer_id = models.UUIDField(null=True, blank=True)
    asked_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["city", "key"], name="one_cancellation_a_key"),
            models.CheckConstraint(
                condition=models.Q(amount__gt=0), name="cancellation_above_zero"
            ),
        ]


class Cashback(Posting):
    """What one funder gives back for one payment, and what of it was taken back again.

    `base` is the part of the payment it was reckoned on; `short` what the funder's budget did not
    cover any more; `returned` and `base_returned` what cancellations took back.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    city = models.CharField(max_length=40)
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="cashbacks")
    funder = models.CharField(max_length=60)
    words_ko = models.CharField(max_length=120)
    words_en = models.CharField(max_length=120)
    percent = models.DecimalField(max_digits=7, decimal_places=4)
    base = models.BigIntegerField()
    amount = models.BigIntegerField()
    short = models.BigIntegerField(default=0)
    returned = models.BigIntegerField(default=0)
    base_returned = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["city", "payment", "funder"], name="one_cashback_a_payment_and_funder"
            ),
            models.CheckConstraint(
                condition=models.Q(returned__gte=0, returned__lte=models.F("amount")),
                name="no_more_returned_than_given",
            ),
        ]

    @property
    def words(self) -> dict[str, str]:
        """Who gives it, in both languages."""
        return {"ko": self.words_ko, "en": self.words_en}

    @property
    def kept(self) -> int:
        return self.amount - self.returned
