"""People and what they may do, shops, and what was asked of the ledger on their behalf."""

from uuid import uuid4

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models
from django.utils.translation import gettext_lazy as _

from onsil.core.ids import new_id


class UserManager(BaseUserManager["User"]):
    """Makes users who are known by their e-mail address."""

    def create_user(self, email: str, password: str | None = None, **fields: object) -> "User":
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: object) -> "User":
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)


class User(AbstractBaseUser, PermissionsMixin):
    """Somebody who can sign in. What they are in a city says `Membership`."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    email = models.EmailField(unique=True)
    name = models.CharField(max_length=80, blank=True)
    language = models.CharField(
        max_length=5, default="ko", choices=[("ko", "한국어"), ("en", "English")]
    )
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = UserManager()
    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: list[str] = []

    def __str__(self) -> str:
        return self.name or self.email

    def roles(self, city: str) -> frozenset[str]:
        """What this user is in a city; empty for a stranger."""
        return frozenset(self.memberships.filter(city=city).values_list("role", flat=True))


class Role(models.TextChoices):
    """What a person can be in a city."""

    CITIZEN = "citizen", _("시민")
    MERCHANT = "merchant", _("가맹점")
    OFFICIAL = "official", _("담당 공무원")
    APPROVER = "approver", _("승인 공무원")
    VERIFIER = "verifier", _("검증인")
    BUYER = "buyer", _("구매 기업")
    OPERATOR = "operator", _("운영자")


class Membership(models.Model):
    """One role of one user in one city; `organisation` is the merchant or company spoken for."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    city = models.CharField(max_length=40)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=20, choices=Role.choices)
    organisation = models.UUIDField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["city", "user", "role", "organisation"],
                name="one_membership_a_role",
                nulls_distinct=False,
            )
        ]


class ResidenceCode(models.Model):
    """A code the city gave out to prove residence with; only its digest is kept."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    city = models.CharField(max_length=40)
    digest = models.CharField(max_length=64)
    district = models.CharField(max_length=80, blank=True)
    uses_left = models.PositiveIntegerField(default=1)
    issued_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["city", "digest"], name="residence_code_once")
        ]


class Residency(models.Model):
    """That somebody lives in a city: found out when and how, never the papers themselves."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    city = models.CharField(max_length=40)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="residencies")
    method = models.CharField(max_length=40)
    district = models.CharField(max_length=80, blank=True)
    verified_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["city", "user"], name="one_residency_a_city")
        ]


class Attempt(models.Model):
    """A wrong guess at a code, kept until it no longer counts against the guesser."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    city = models.CharField(max_length=40)
    scope = models.CharField(max_length=40)
    subject = models.CharField(max_length=80)
    at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["city", "scope", "subject", "at"], name="attempts_of_a_guesser")
        ]


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
    """What one shop is owed for the day, and the two postings that turn it into a pay-out."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    city = models.CharField(max_length=40)
    settlement = models.ForeignKey(Settlement, on_delete=models.PROTECT, related_name="lines")
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, related_name="+")
    payments = models.PositiveIntegerField()
    gross = models.BigIntegerField()
    cancellations = models.PositiveIntegerField()
    cancelled = models.BigIntegerField()
    net = models.BigIntegerField()
    payout_key = models.CharField(max_length=120, blank=True)
    payout_transfer_id = models.UUIDField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["city", "settlement", "merchant"], name="one_line_a_shop_and_day"
            ),
            models.CheckConstraint(
                condition=models.Q(net=models.F("gross") - models.F("cancelled")),
                name="settlement_line_adds_up",
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
    settlement = models.ForeignKey(
        Settlement, on_delete=models.PROTECT, null=True, related_name="sales"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["city", "key"], name="one_payment_a_key"),
            models.CheckConstraint(condition=models.Q(amount__gt=0), name="payment_above_zero"),
        ]
        indexes = [
            models.Index(fields=["city", "merchant", "submitted_at"], name="sales_of_a_shop"),
            models.Index(
                fields=["city", "state"], condition=models.Q(state="pending"), name="open_payments"
            ),
        ]


class Cancellation(Posting):
    """A shop's taking back of one payment; the citizen's lots return as they were."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    city = models.CharField(max_length=40)
    payment = models.OneToOneField(Payment, on_delete=models.PROTECT, related_name="cancellation")
    asked_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")


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
