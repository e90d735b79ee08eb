"""How often somebody may guess wrongly at a code before having to wait."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from onsil.citizen import refusals
from onsil.citizen.models import Attempt
from onsil.core.refusal import Refusal
from onsil.tenancy import current_city, transaction


@dataclass(frozen=True)
class Limit:
    """So many wrong guesses within a window; then nothing is looked up until the oldest is out."""

    scope: str
    wrong: int
    window: timedelta


RESIDENCE_BY_PERSON = Limit("residence-person", 5, timedelta(minutes=10))
RESIDENCE_BY_ADDRESS = Limit("residence-address", 30, timedelta(hours=1))
TYPED_CODE = Limit("typed-code", 8, timedelta(minutes=10))


def blocked(limit: Limit, subject: str, now: datetime) -> Refusal | None:
    """`too-many-attempts` with the time to wait, or None.

    To be asked inside the transaction that also notes the attempt: parallel guesses of one subject
    then queue up behind each other.
    """
    city = current_city()
    with transaction() as tx:
        tx.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))",
            (f"{city}:{limit.scope}:{subject}",),
        )
        recent = list(
            Attempt.objects.filter(
                city=city, scope=limit.scope, subject=subject, at__gt=now - limit.window
            )
            .order_by("-at")
            .values_list("at", flat=True)[: limit.wrong]
        )
    if len(recent) < limit.wrong:
        return None
    return refusals.too_many_attempts(recent[-1] + limit.window - now)


def note(limit: Limit, subject: str, now: datetime) -> None:
    """Remember a wrong guess, and forget those of the subject that no longer count."""
    city = current_city()
    mine = Attempt.objects.filter(city=city, scope=limit.scope, subject=subject)
    mine.filter(at__lte=now - limit.window).delete()
    Attempt.objects.create(city=city, scope=limit.scope, subject=subject, at=now)


def forget(limit: Limit, subject: str) -> None:
    """A right answer clears the slate."""
    Attempt.objects.filter(city=current_city(), scope=limit.scope, subject=subject).delete()
