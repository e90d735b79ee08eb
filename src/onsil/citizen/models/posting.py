"""What is asked of the ledger and remembered of its answer."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Posting(models.Model):
    """Something asked of the ledger under one key, and the ledger's answer once it is known.

    The ledger is the truth; these fields only remember what it said.
    """

    class State(models.TextChoices):
        PENDING = "pending", _("처리 중")
        APPLIED = "applied", _("완료")
        REFUSED = "refused", _("거절됨")

    key = models.CharField(max_length=120)
    state = models.CharField(max_length=10, choices=State.choices, default=State.PENDING)
    transfer_id = models.UUIDField(null=True, blank=True)
    refusal_code = models.CharField(max_length=60, blank=True)
    refusal_ko = models.TextField(blank=True)
    refusal_en = models.TextField(blank=True)
    submitted_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True

    @property
    def pending(self) -> bool:
        return self.state == Posting.State.PENDING

    @property
    def applied(self) -> bool:
        return self.state == Posting.State.APPLIED

    @property
    def refusal(self) -> dict[str, str]:
        """The ledger's reason in both languages."""
        return {"ko": self.refusal_ko, "en": self.refusal_en}


class Held(Posting):
    """Value set aside by a pending transfer until it is decided what becomes of it.

    `key`, `state` and `transfer_id` are those of the setting aside; `outcome` is how it ended, and
    `outcome_transfer_id` the transfer that ended it. What nobody ends in time lapses by itself.
    """

    class Outcome(models.TextChoices):
        OPEN = "open", _("진행 중")
        DONE = "done", _("완료")
        GIVEN_UP = "given-up", _("취소됨")
        LAPSED = "lapsed", _("기한 지남")

    expires_at = models.DateTimeField()
    outcome = models.CharField(max_length=10, choices=Outcome.choices, default=Outcome.OPEN)
    outcome_key = models.CharField(max_length=120, blank=True)
    outcome_transfer_id = models.UUIDField(null=True, blank=True)
    outcome_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True

    @property
    def open(self) -> bool:
        """Whether the value is set aside and nothing has become of it yet."""
        return self.applied and self.outcome == Held.Outcome.OPEN
