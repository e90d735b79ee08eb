"""People and what they may do."""

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models

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

    CITIZEN = "citizen", "시민"
    MERCHANT = "merchant", "가맹점"
    OFFICIAL = "official", "담당 공무원"
    APPROVER = "approver", "승인 공무원"
    VERIFIER = "verifier", "검증인"
    BUYER = "buyer", "구매 기업"
    OPERATOR = "operator", "운영자"


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
