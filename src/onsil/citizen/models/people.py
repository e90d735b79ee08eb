"""People, what they may do in a city, how residence was proved, and how others find them."""

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


class Member(models.Model):
    """How a citizen is found by others in a city: a code of their own, and a telephone number.

    Of the number only a keyed digest and the last four digits are kept; it counts once somebody at
    a counter has seen to it that it is theirs.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    city = models.CharField(max_length=40)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    code = models.CharField(max_length=8)
    phone_digest = models.CharField(max_length=64, blank=True)
    phone_end = models.CharField(max_length=4, blank=True)
    phone_confirmed_by = models.CharField(max_length=120, blank=True)
    phone_confirmed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["city", "user"], name="one_member_a_city"),
            models.UniqueConstraint(fields=["city", "code"], name="one_member_a_code"),
            models.UniqueConstraint(
                fields=["city", "phone_digest"],
                condition=~models.Q(phone_digest=""),
                name="one_member_a_phone",
            ),
        ]
