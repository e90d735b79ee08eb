"""What a verifier found, and what was said about it until it was closed."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from onsil.core.ids import new_id


class Finding(models.Model):
    """A doubt about one quantification run. What was said lies in its `remarks`, in order."""

    class Severity(models.TextChoices):
        """ISO 14064-3 tells a material misstatement from a correction and from an observation."""

        MATERIAL = "material", _("중대한 오류")
        CORRECTION = "correction", _("시정 요청")
        OBSERVATION = "observation", _("의견")

    class State(models.TextChoices):
        OPEN = "open", _("답변을 기다림")
        ANSWERED = "answered", _("답변됨")
        CLOSED = "closed", _("종결")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    city = models.CharField(max_length=40)
    run = models.UUIDField()
    severity = models.CharField(max_length=20, choices=Severity.choices)
    state = models.CharField(max_length=20, choices=State.choices, default=State.OPEN)
    title = models.CharField(max_length=120)
    opened_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="findings_opened"
    )
    opened_at = models.DateTimeField()

    class Meta:
        ordering = ["-opened_at"]
        indexes = [models.Index(fields=["city", "run"], name="evidence_finding_of_run")]

    def __str__(self) -> str:
        return self.title


class Remark(models.Model):
    """One thing said about a finding: raised, answered or closed, by whom and when."""

    class Act(models.TextChoices):
        RAISED = "raised", _("제기")
        ANSWERED = "answered", _("답변")
        CLOSED = "closed", _("종결")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    city = models.CharField(max_length=40)
    finding = models.ForeignKey(Finding, on_delete=models.PROTECT, related_name="remarks")
    act = models.CharField(max_length=20, choices=Act.choices)
    text = models.TextField(max_length=4000)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT)
    at = models.DateTimeField()

    class Meta:
        ordering = ["at", "id"]
