"""A day's settlement: its file, and what each shop is owed."""

from django.db import models

from onsil.citizen.models.posting import Posting
from onsil.citizen.models.shops import Merchant
from onsil.core.ids import new_id


class Settlement(models.Model):
    """The settlement of one local day: the file, its digest, and who released the money."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    city = models.CharField(max_length=40)
    day = models.DateField()
    pay_day = models.DateField()
    content = models.BinaryField()
    digest = models.CharField(max_length=64)
    payments = models.PositiveIntegerField()
    net = models.BigIntegerField()
    made_by = models.CharField(max_length=120)
    made_at = models.DateTimeField()
    released_by = models.CharField(max_length=120, blank=True)
    released_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["city", "day"], name="one_settlement_a_day"),
            models.CheckConstraint(
                condition=models.Q(released_by="") | ~models.Q(released_by=models.F("made_by")),
                name="settlement_maker_is_not_releaser",
            ),
        ]


class SettlementLine(Posting):
    """What one shop is owed for the day, and the postings that turn it into a pay-out.

    `net` is `gross` less `cancelled`, the shop's own cashback and the fee, with the city's part of
    the fee added.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    city = models.CharField(max_length=40)
    settlement = models.ForeignKey(Settlement, on_delete=models.PROTECT, related_name="lines")
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, related_name="+")
    payments = models.PositiveIntegerField()
    gross = models.BigIntegerField()
    cancellations = models.PositiveIntegerField()
    cancelled = models.BigIntegerField()
    shop_cashback = models.BigIntegerField(default=0)
    fee = models.BigIntegerField(default=0)
    fee_class = models.CharField(max_length=40, blank=True)
    subsidy = models.BigIntegerField(default=0)
    subsidy_key = models.CharField(max_length=120, blank=True)
    subsidy_transfer_id = models.UUIDField(null=True, blank=True)
    net = models.BigIntegerField()
    payout_key = models.CharField(max_length=120, blank=True)
    payout_transfer_id = models.UUIDField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["city", "settlement", "merchant"], name="one_line_a_shop_and_day"
            ),
            models.CheckConstraint(
                condition=models.Q(
                    net=models.F("gross")
                    - models.F("cancelled")
                    - models.F("shop_cashback")
                    - models.F("fee")
                    + models.F("subsidy")
                ),
                name="settlement_line_adds_up",
            ),
            models.CheckConstraint(
                condition=models.Q(fee__gte=0, subsidy__gte=0, subsidy__lte=models.F("fee")),
                name="subsidy_within_the_fee",
            ),
        ]

    @property
    def sales(self) -> int:
        return self.gross - self.cancelled

    @property
    def subsidy_open(self) -> bool:
        """Whether the city still owes its part of the fee."""
        return self.subsidy > 0 and self.subsidy_transfer_id is None
