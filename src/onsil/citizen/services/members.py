"""How citizens find one another: by a member's code, or by a telephone number seen to be theirs."""

from dataclasses import dataclass

from django.db import IntegrityError

from onsil import proof
from onsil.citizen import contact, refusals, throttle
from onsil.citizen.keys import derived_key
from onsil.citizen.models import Member, Role, User
from onsil.citizen.services.postings import SYSTEM
from onsil.core.clock import Clock
from onsil.core.refusal import Refusal
from onsil.tenancy import current_city, transaction

_TRIES = 5


@dataclass(frozen=True)
class Found:
    """Somebody a gift may go to: the name is told in part only."""

    user: User
    name: str
    code: str


def member(user: User) -> Member:
    """A citizen's own entry, made when it is first asked for."""
    city = current_city()
    for _ in range(_TRIES):
        try:
            with transaction():
                made, _new = Member.objects.get_or_create(
                    city=city, user=user, defaults={"code": contact.new_code()}
                )
            return made
        except IntegrityError:  # the code is somebody else's: draw another
            continue
    raise RuntimeError("no free member code was found")


def find(text: str, *, asked_by: User, clock: Clock = SYSTEM) -> Found | Refusal:
    """The citizen whose code or telephone number somebody typed.

    Guessing is slowed down: eight wrong ones in ten minutes. Refusals: `member-unknown` (also for
    numbers nobody has confirmed, so that nothing is learnt), `too-many-attempts`.
    """
    city, now, guesser = current_city(), clock.now(), f"member:{asked_by.pk}"
    with transaction():
        if (wait := throttle.blocked(throttle.TYPED_CODE, guesser, now)) is not None:
            return wait
        found = _look_up(city, text)
        if found is None or Role.CITIZEN not in found.user.roles(city):
            throttle.note(throttle.TYPED_CODE, guesser, now)
            return refusals.member_unknown()
    name = found.user.name
    return Found(
        found.user, contact.masked(name) if name else f"{found.code[:2]}******", found.code
    )


def unknown() -> Refusal:
    """What is told of somebody who is no member here."""
    return refusals.member_unknown()


def confirm_phone(
    user: User, number: str, *, actor: str, clock: Clock = SYSTEM
) -> Member | Refusal:
    """Note a telephone number that somebody at a counter has seen to be the citizen's.

    A number belongs to one citizen: whoever had it before loses it. Refusals: `phone-malformed`.
    """
    city, plain = current_city(), contact.phone_number(number)
    if plain is None:
        return refusals.phone_malformed()
    digest = contact.phone_digest(city, plain, derived_key("onsil.citizen.phone"))
    mine = member(user)
    with transaction() as tx:
        before = Member.objects.filter(city=city, phone_digest=digest).exclude(pk=mine.pk)
        before.update(phone_digest="", phone_end="", phone_confirmed_by="", phone_confirmed_at=None)
        mine.phone_digest, mine.phone_end = digest, plain[-4:]
        mine.phone_confirmed_by, mine.phone_confirmed_at = actor, clock.now()
        mine.save()
        proof.audit(
            tx, city, actor, "member.phone-confirmed", "user", str(user.pk), None,
            {"ends_with": mine.phone_end},
        )  # fmt: skip
    return mine


def _look_up(city: str, text: str) -> Member | None:
    entries = Member.objects.filter(city=city).select_related("user")
    if (number := contact.phone_number(text)) is not None:
        digest = contact.phone_digest(city, number, derived_key("onsil.citizen.phone"))
        return entries.filter(phone_digest=digest).first()
    if (code := contact.member_code(text)) is not None:
        return entries.filter(code=code).first()
    return None
