"""What the room keeps: programmes by version, who joined, evidence, decisions, awards, budgets.

Evidence, decisions and awards are journals: the application may add to them and read them, never
change a row (see the second migration). What changes lies beside them: postings, counters, budgets.
"""

from functools import partial

from django.db import models
from django.db.models import F, Q
from django.utils.translation import pgettext_lazy

from onsil.core.ids import new_id

# In a context of their own, these words leave other rooms' translations of the same alone.
_ = partial(pgettext_lazy, "rewards")


class CityRow(models.Model):
    """A row of one city, known by a time-ordered id."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    city = models.CharField(max_length=40)

    class Meta:
        abstract = True


class Programme(CityRow):
    """A programme by its code. Its row is the lock under which its decisions are made."""

    code = models.SlugField(max_length=40)

    class Meta:
        verbose_name = _("보상 프로그램")
        verbose_name_plural = _("보상 프로그램")
        constraints = [
            models.UniqueConstraint(fields=["city", "code"], name="one_programme_a_code")
        ]

    def __str__(self) -> str:
        return self.code


class ProgrammeVersion(CityRow):
    """One content of a programme file, named by its digest; retired when its file changed."""

    programme = models.ForeignKey(Programme, on_delete=models.PROTECT, related_name="versions")
    digest = models.CharField(max_length=64)
    effective_from = models.DateField()
    effective_until = models.DateField(null=True, blank=True)
    document = models.TextField(help_text=_("프로그램 파일(TOML) 원문"))
    loaded_at = models.DateTimeField()
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("프로그램 판")
        verbose_name_plural = _("프로그램 판")
        constraints = [
            models.UniqueConstraint(
                fields=["city", "programme", "digest"], name="one_version_a_digest"
            )
        ]

    def __str__(self) -> str:
        return f"{self.programme.code} {self.digest[:12]}"


class Enrolment(CityRow):
    """A person's taking part, in one group, from an instant on, until another."""

    programme = models.ForeignKey(Programme, on_delete=models.PROTECT, related_name="enrolments")
    person = models.UUIDField()
    group = models.CharField(max_length=40)
    subject = models.CharField(max_length=200, blank=True)
    since = models.DateTimeField()
    until = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("참여")
        verbose_name_plural = _("참여")
        indexes = [models.Index(fields=["city", "programme", "person", "since"])]
        constraints = [
            models.UniqueConstraint(
                fields=["city", "programme", "person"],
                condition=Q(until=None),
                name="one_open_enrolment",
            ),
            models.CheckConstraint(
                condition=Q(until=None) | Q(until__gt=F("since")), name="enrolment_ends_later"
            ),
        ]


class Evidence(CityRow):
    """What a person did, as somebody vouches for it. `key` makes recording it twice harmless."""

    programme = models.ForeignKey(Programme, on_delete=models.PROTECT, related_name="evidence")
    person = models.UUIDField()
    key = models.CharField(max_length=200)
    kind = models.CharField(max_length=40)
    quantity = models.DecimalField(max_digits=24, decimal_places=9)
    occurred_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    level = models.CharField(max_length=12)
    source = models.CharField(max_length=80)
    reference = models.CharField(max_length=200, blank=True)
    claim_id = models.UUIDField(null=True, blank=True)
    facts = models.JSONField(default=dict)
    digest = models.CharField(max_length=64)
    simulated = models.BooleanField(default=False)

    class Meta:
        verbose_name = _("증빙")
        verbose_name_plural = _("증빙")
        indexes = [
            models.Index(fields=["city", "programme", "occurred_at"]),
            models.Index(fields=["city", "person", "-occurred_at"]),
            models.Index(fields=["city", "claim_id"]),
        ]
        constraints = [
            models.UniqueConstraint(fields=["city", "key"], name="evidence_once_a_key"),
            models.UniqueConstraint(
                fields=["city", "source", "reference", "kind"],
                condition=~Q(reference=""),
                name="evidence_once_a_reference",
            ),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="evidence_is_positive"),
        ]


class Decision(CityRow):
    """What was decided for one person's window, and why, in both languages.

    `entitled` is what the rule gave, `already` what had been awarded before, `points` what this
    decision pays. Later evidence makes another decision with the next `sequence`.
    """

    programme = models.ForeignKey(Programme, on_delete=models.PROTECT, related_name="decisions")
    version = models.ForeignKey(ProgrammeVersion, on_delete=models.PROTECT)
    person = models.UUIDField()
    group = models.CharField(max_length=40)
    window = models.CharField(max_length=20)
    window_start = models.DateTimeField()
    window_end = models.DateTimeField()
    year = models.PositiveSmallIntegerField()
    sequence = models.PositiveSmallIntegerField()
    entitled = models.PositiveIntegerField()
    already = models.PositiveIntegerField()
    points = models.PositiveIntegerField()
    outcome = models.CharField(
        max_length=8,
        choices=[("paid", _("지급")), ("partly", _("일부 지급")), ("unpaid", _("미지급"))],
    )
    reason_code = models.CharField(max_length=40)
    reason_ko = models.TextField()
    reason_en = models.TextField()
    facts = models.JSONField(default=dict)
    evidence_digest = models.CharField(max_length=64)
    simulated = models.BooleanField(default=False)
    decided_at = models.DateTimeField()
    decided_by = models.CharField(max_length=80)
    evidence = models.ManyToManyField(
        Evidence, through="DecisionEvidence", related_name="decisions"
    )

    class Meta:
        verbose_name = _("심사 결과")
        verbose_name_plural = _("심사 결과")
        indexes = [
            models.Index(fields=["city", "person", "-decided_at"]),
            models.Index(fields=["city", "programme", "window_start"]),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["city", "programme", "person", "window", "sequence"],
                name="one_decision_a_step",
            ),
            models.CheckConstraint(
                condition=Q(entitled__gte=F("already") + F("points")) | Q(points=0),
                name="no_more_than_entitled",
            ),
            models.CheckConstraint(
                condition=Q(outcome="unpaid", points=0)
                | Q(outcome__in=["paid", "partly"], points__gt=0),
                name="outcome_says_the_points",
            ),
        ]


class DecisionEvidence(CityRow):
    """Which evidence a decision looked at, and whether it counted."""

    decision = models.ForeignKey(Decision, on_delete=models.PROTECT, related_name="looked_at")
    evidence = models.ForeignKey(Evidence, on_delete=models.PROTECT)
    counted = models.BooleanField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["city", "decision", "evidence"], name="evidence_once_a_decision"
            )
        ]


class Award(CityRow):
    """Points that a decision pays: the way from the evidence to the ledger.

    `funding` lists the won by budget source. What became of the transfer says `AwardPosting`.
    """

    decision = models.OneToOneField(Decision, on_delete=models.PROTECT, related_name="award")
    programme = models.ForeignKey(Programme, on_delete=models.PROTECT, related_name="awards")
    person = models.UUIDField()
    points = models.PositiveIntegerField()
    krw = models.PositiveBigIntegerField()
    year = models.PositiveSmallIntegerField()
    funding = models.JSONField()
    earned_on = models.DateField()
    expires_at = models.DateTimeField()
    merchant_rule = models.CharField(max_length=40)
    claim_id = models.UUIDField(null=True, blank=True)
    awarded_at = models.DateTimeField()

    class Meta:
        verbose_name = _("지급 결정")
        verbose_name_plural = _("지급 결정")
        indexes = [
            models.Index(fields=["city", "programme", "year", "earned_on"]),
            models.Index(fields=["city", "claim_id"]),
            models.Index(fields=["city", "person", "-awarded_at"]),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(points__gt=0, krw__gt=0), name="award_is_positive")
        ]


class AwardPosting(CityRow):
    """Where an award's transfer stands, as the ledger answered."""

    award = models.OneToOneField(Award, on_delete=models.PROTECT, related_name="posting")
    state = models.CharField(
        max_length=10,
        default="decided",
        choices=[
            ("decided", _("결정")),
            ("submitted", _("원장 대기")),
            ("applied", _("지급 완료")),
            ("refused", _("원장 거절")),
        ],
    )
    transfer_id = models.UUIDField(null=True, blank=True)
    refusal_code = models.CharField(max_length=60, blank=True)
    refusal_ko = models.TextField(blank=True)
    refusal_en = models.TextField(blank=True)
    changed_at = models.DateTimeField()

    class Meta:
        verbose_name = _("원장 반영")
        verbose_name_plural = _("원장 반영")
        indexes = [
            models.Index(
                fields=["city", "state"],
                condition=Q(state__in=["decided", "submitted"]),
                name="postings_under_way",
            )
        ]


class CapCounter(CityRow):
    """What one person has had in one window of one cap. The database refuses more than the cap."""

    programme = models.ForeignKey(Programme, on_delete=models.PROTECT)
    person = models.UUIDField()
    cut = models.CharField(max_length=12)
    window = models.CharField(max_length=20)
    used = models.PositiveIntegerField(default=0)
    cap = models.PositiveIntegerField()

    class Meta:
        verbose_name = _("한도 사용")
        verbose_name_plural = _("한도 사용")
        constraints = [
            models.UniqueConstraint(
                fields=["city", "programme", "person", "cut", "window"], name="one_counter_a_cap"
            ),
            models.CheckConstraint(condition=Q(used__lte=F("cap")), name="never_beyond_the_cap"),
        ]


class Budget(CityRow):
    """One source's money for one programme and year. The database refuses to overspend it."""

    programme = models.ForeignKey(Programme, on_delete=models.PROTECT, related_name="budgets")
    year = models.PositiveSmallIntegerField()
    source = models.CharField(max_length=40)
    position = models.PositiveSmallIntegerField(default=0)
    planned_krw = models.PositiveBigIntegerField(default=0)
    amount_krw = models.PositiveBigIntegerField(default=0)
    used_krw = models.PositiveBigIntegerField(default=0)
    confirmed = models.BooleanField(default=True)
    note = models.CharField(max_length=300, blank=True)

    class Meta:
        verbose_name = _("예산")
        verbose_name_plural = _("예산")
        constraints = [
            models.UniqueConstraint(
                fields=["city", "programme", "year", "source"], name="one_budget_a_source"
            ),
            models.CheckConstraint(
                condition=Q(used_krw__lte=F("amount_krw")), name="never_beyond_the_budget"
            ),
        ]

    @property
    def left_krw(self) -> int:
        return self.amount_krw - self.used_krw


class BudgetFunding(CityRow):
    """One sum put into a budget (or taken back, when negative), with its ledger transfer's key."""

    budget = models.ForeignKey(Budget, on_delete=models.PROTECT, related_name="fundings")
    key = models.CharField(max_length=200)
    krw = models.BigIntegerField()
    account = models.CharField(max_length=80)
    actor = models.CharField(max_length=80)
    transfer_id = models.UUIDField()
    funded_at = models.DateTimeField()

    class Meta:
        verbose_name = _("예산 편성")
        verbose_name_plural = _("예산 편성")
        constraints = [models.UniqueConstraint(fields=["city", "key"], name="one_funding_a_key")]
