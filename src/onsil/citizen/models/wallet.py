"""What a citizen does with an own wallet: convert, charge, give, have refunded."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from onsil.citizen.models.people import User
from onsil.citizen.models.posting import Held, Posting
from onsil.core.ids import new_id


class Conversion(Posting):
    """Points turned into local currency once; `id` comes with the form, so a replay is the same."""

    id = models.UUIDField(primary_key=True, editable=False)
    city = models.CharField(max_length=40)
    citizen = models.ForeignKey(User, on_delete=models.PROTECT, related_name="conversions")
    points = models.BigIntegerField()
    won = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["city", "key"], name="one_conversion_a_key"),
            models.CheckConstraint(condition=models.Q(points__gt=0), name="points_above_zero"),
        ]


class ChargeOrder(Held):
    """A citizen's order to buy local currency with own money, paid by a deposit to its reference.

    The room in every limit is set aside when it is ordered, so that money that comes is never too
    much. `id` comes with the form; `standing` is the charged money in the wallet once it was paid.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    city = models.CharField(max_length=40)
    citizen = models.ForeignKey(User, on_delete=models.PROTECT, related_name="charges")
    amount = models.BigIntegerField()
    reference = models.CharField(max_length=14)
    month = models.CharField(max_length=7)
    standing = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["city", "key"], name="one_charge_a_key"),
            models.UniqueConstraint(fields=["city", "reference"], name="one_charge_a_reference"),
            models.CheckConstraint(condition=models.Q(amount__gt=0), name="charge_above_zero"),
        ]
        indexes = [
            models.Index(
                fields=["city", "expires_at"], condition=models.Q(outcome="open"),
                name="open_charges",
            )
        ]  # fmt: skip


class Deposit(Posting):
    """A line of the bank's file that says money came in for a charge; every line is kept.

    What fits no order waits for a person, its money on `payable:deposits`.
    """

    class Fate(models.TextChoices):
        MATCHED = "matched", _("충전됨")
        EXCEPTION = "exception", _("확인 필요")
        ASSIGNED = "assigned", _("사람이 연결함")
        RETURNED = "returned", _("돌려줌")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    city = models.CharField(max_length=40)
    bank_id = models.CharField(max_length=120)
    amount = models.BigIntegerField()
    reference = models.CharField(max_length=200, blank=True)
    depositor = models.CharField(max_length=80, blank=True)
    booked_at = models.DateTimeField()
    simulated = models.BooleanField(default=False)
    order = models.ForeignKey(
        ChargeOrder, on_delete=models.PROTECT, null=True, related_name="deposits"
    )
    fate = models.CharField(max_length=10, choices=Fate.choices)
    reason_code = models.CharField(max_length=60, blank=True)
    reason_ko = models.TextField(blank=True)
    reason_en = models.TextField(blank=True)
    seen_to_by = models.CharField(max_length=120, blank=True)
    seen_to_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["city", "bank_id"], name="one_deposit_a_bank_line"),
            models.CheckConstraint(condition=models.Q(amount__gt=0), name="deposit_above_zero"),
        ]
        indexes = [
            models.Index(
                fields=["city", "submitted_at"], condition=models.Q(fate="exception"),
                name="deposits_to_see_to",
            )
        ]  # fmt: skip

    @property
    def reason(self) -> dict[str, str]:
        """Why no order took it, in both languages."""
        return {"ko": self.reason_ko, "en": self.reason_en}


class Gift(Held):
    """Local currency one citizen offers to another; theirs once accepted. `id` is the form's."""

    class End(models.TextChoices):
        NONE = "", ""
        ACCEPTED = "accepted", _("받음")
        DECLINED = "declined", _("거절함")
        WITHDRAWN = "withdrawn", _("보낸 사람이 거둠")
        LAPSED = "lapsed", _("기한이 지나 돌아감")

    id = models.UUIDField(primary_key=True, editable=False)
    city = models.CharField(max_length=40)
    giver = models.ForeignKey(User, on_delete=models.PROTECT, related_name="gifts_given")
    receiver = models.ForeignKey(User, on_delete=models.PROTECT, related_name="gifts_received")
    amount = models.BigIntegerField()
    words = models.CharField(max_length=80, blank=True)
    end = models.CharField(max_length=10, choices=End.choices, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["city", "key"], name="one_gift_a_key"),
            models.CheckConstraint(condition=models.Q(amount__gt=0), name="gift_above_zero"),
            models.CheckConstraint(
                condition=~models.Q(giver=models.F("receiver")), name="nobody_gives_to_oneself"
            ),
        ]
        indexes = [
            models.Index(fields=["city", "receiver", "submitted_at"], name="gifts_of_a_receiver"),
            models.Index(
                fields=["city", "expires_at"], condition=models.Q(outcome="open"),
                name="open_gifts",
            ),
        ]  # fmt: skip


class RefundFile(models.Model):
    """A file for the bank: the refunds that were paid together, sealed, and who released it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    city = models.CharField(max_length=40)
    sealed = models.TextField()
    digest = models.CharField(max_length=64)
    payouts = models.PositiveIntegerField()
    total = models.BigIntegerField()
    released_by = models.CharField(max_length=120)
    released_at = models.DateTimeField()


class Refund(Posting):
    """Money that a citizen is paid back for what is left of charges, by the legal rule.

    The posting takes the value out of the wallet into `payable:refund:<id>`; the bank account is
    sealed, and forgotten here once it stands in the bank's file. `id` comes with the form.
    """

    class Stage(models.TextChoices):
        ASKED = "asked", _("확인 중")
        APPROVED = "approved", _("지급 대기")
        REFUSED = "refused", _("반려됨")
        PAID = "paid", _("지급함")

    id = models.UUIDField(primary_key=True, editable=False)
    city = models.CharField(max_length=40)
    citizen = models.ForeignKey(User, on_delete=models.PROTECT, related_name="refunds")
    taken = models.BigIntegerField()
    payout = models.BigIntegerField()
    lines = models.JSONField(default=list)
    bank = models.CharField(max_length=40)
    holder = models.CharField(max_length=80)
    account_sealed = models.TextField(blank=True)
    account_end = models.CharField(max_length=4)
    stage = models.CharField(max_length=10, choices=Stage.choices, default=Stage.ASKED)
    seen_to_by = models.CharField(max_length=120, blank=True)
    seen_to_at = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=300, blank=True)
    file = models.ForeignKey(
        RefundFile, on_delete=models.PROTECT, null=True, related_name="refunds"
    )
    payout_key = models.CharField(max_length=120, blank=True)
    payout_transfer_id = models.UUIDField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["city", "key"], name="one_refund_a_key"),
            models.CheckConstraint(condition=models.Q(payout__gt=0), name="refund_above_zero"),
        ]
        indexes = [
            models.Index(
                fields=["city", "stage"], condition=models.Q(stage__in=("asked", "approved")),
                name="refunds_to_see_to",
            )
        ]  # fmt: skip
