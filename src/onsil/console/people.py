"""Staff and their roles: who acts for the city, given and taken away under audit."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from onsil import proof
from onsil.citizen import services as citizen
from onsil.citizen.models import Membership, Role, User
from onsil.core.refusal import Refusal
from onsil.tenancy import transaction

# Roles that officials hand out. Citizens prove their residence; shops apply.
GIVEN = (Role.OFFICIAL, Role.APPROVER, Role.VERIFIER, Role.BUYER, Role.OPERATOR)


@dataclass(frozen=True)
class Person:
    user: User
    roles: tuple[str, ...]


def staff(city: str) -> list[Person]:
    """Everybody with a role other than plain citizen, by name."""
    rows = (
        Membership.objects.filter(city=city).exclude(role=Role.CITIZEN).select_related("user")
    )  # fmt: skip
    roles: dict[UUID, set[str]] = {}
    users: dict[UUID, User] = {}
    for row in rows:
        users[row.user.pk] = row.user
        roles.setdefault(row.user.pk, set()).add(row.role)
    found = [Person(users[pk], tuple(sorted(roles[pk]))) for pk in users]
    return sorted(found, key=lambda p: str(p.user))


def counts(city: str) -> dict[str, int]:
    """How many people hold each role."""
    found: dict[str, int] = {role.value: 0 for role in Role}
    for role, user in set(
        Membership.objects.filter(city=city).values_list("role", "user_id").distinct()
    ):
        assert user
        found[role] += 1
    return found


def add(city: str, email: str, name: str, role: str, actor: User) -> Person | Refusal:
    """Give a role to the person of an e-mail address, who is made when unknown.

    Refusals: `role-not-given` for citizens and shops, `email-malformed`.
    """
    if role not in GIVEN:
        return _not_given()
    if "@" not in email or email.startswith("@") or email.endswith("@"):
        return Refusal(
            "email-malformed", "전자우편 주소의 꼴이 아닙니다. 다시 확인해 주세요.",
            "That is not an e-mail address. Please check it.",
        )  # fmt: skip
    with transaction(city):
        user = User.objects.filter(email=email.lower()).first()
        if user is None:
            user = User.objects.create_user(email, None, name=name)
        give(city, user, role, actor)
    return Person(user, tuple(sorted(user.roles(city))))


def give(city: str, user: User, role: str, actor: User) -> Refusal | None:
    """Let somebody act in a role; nothing happens when they already do."""
    if role not in GIVEN:
        return _not_given()
    before = user.roles(city)
    if role in before:
        return None
    with transaction(city) as conn:
        citizen.people.give_role(user, role)
        _audit(conn, city, actor, "role-given", user, before)
    return None


def take(city: str, user: User, role: str, actor: User) -> Refusal | None:
    """End a role. Refused for the last operator, so that the city is never without one."""
    if role not in GIVEN:
        return _not_given()
    with transaction(city) as conn:
        before = user.roles(city)
        if role == Role.OPERATOR and _operators(city) <= {user.pk}:
            return Refusal(
                "last-operator",
                "마지막 운영자의 역할은 뺄 수 없습니다. 먼저 다른 사람에게 운영자 역할을 주세요.",
                "The last operator's role cannot be taken away. Make somebody else operator first.",
            )
        Membership.objects.filter(city=city, user=user, role=role).delete()
        _audit(conn, city, actor, "role-taken", user, before)
    return None


def _operators(city: str) -> set[UUID]:
    rows = Membership.objects.select_for_update().filter(city=city, role=Role.OPERATOR)
    return {row.user_id for row in rows}


def _audit(conn, city: str, actor: User, action: str, user: User, before: frozenset[str]) -> None:
    proof.audit(
        conn, city, str(actor.pk), action, "person", str(user.pk),
        {"roles": sorted(before)}, {"roles": sorted(user.roles(city))},
    )  # fmt: skip


def _not_given() -> Refusal:
    return Refusal(
        "role-not-given",
        "이 역할은 여기서 주지 않습니다. 시민은 거주 확인으로, 가맹점은 신청으로 됩니다.",
        "This role is not handed out here: citizens prove residence, shops apply.",
    )


def entry_link(user: User) -> str:
    """A one-time address at which a new person sets a password; only for who has none."""
    assert not user.has_usable_password()
    key = default_token_generator.make_token(user)
    return reverse("account_reset_password_from_key", args=[user_pk_to_url_str(user), key])


_JOBS = {
    "job:settlement": _("날마다의 자동 정산"), "simulated-bank": _("모의 은행"),
    "charges": _("충전 확인"),
}  # fmt: skip


def names_of(actors: Iterable[str]) -> dict[str, str]:
    """Names of users and of known jobs among actors: user ids or words as `job:settlement`."""
    ids: dict[str, UUID] = {}
    wanted = set(actors)
    for actor in wanted:
        try:
            ids[actor] = UUID(actor.removeprefix("user:"))
        except ValueError:
            continue
    users = {u.pk: str(u) for u in User.objects.filter(pk__in=ids.values())}
    jobs = {actor: str(_JOBS[actor]) for actor in wanted if actor in _JOBS}
    return jobs | {actor: users[pk] for actor, pk in ids.items() if pk in users}


def actors_of(email: str) -> tuple[str, ...]:
    """What acts of an e-mail address's person are under; the text itself where nobody has it."""
    user = User.objects.filter(email=email.lower()).first()
    return (str(user.pk), f"user:{user.pk}") if user else (email,)
