"""Who takes part in which programme, in which group, from when to when."""

from datetime import datetime
from uuid import UUID

from django.db.models import Q

from onsil.core.clock import Clock, SystemClock
from onsil.core.periods import local_day
from onsil.core.refusal import Refusal
from onsil.proof import audit
from onsil.rewards import refusals
from onsil.rewards.models import Enrolment, Programme
from onsil.rewards.services.versions import stored_terms, version_on, versions_of
from onsil.rewards.terms import Group, ProgrammeTerms
from onsil.tenancy import transaction
from onsil.tenancy.cities import city as city_profile


def enrol(
    city: str,
    person: UUID,
    programme: str,
    group: str | None = None,
    *,
    age: int | None = None,
    since: datetime | None = None,
    subject: str = "",
    actor: str = "",
    clock: Clock | None = None,
) -> Enrolment | Refusal:
    """Let a person take part from `since` (now) on, in a group named or found from the age.

    The same again changes nothing; another group or subject ends the present enrolment and starts
    a new one. `subject` names the household's site where a programme pays for a meter.
    """
    now = (clock or SystemClock()).now()
    start = since or now
    with transaction(city) as tx:
        row = Programme.objects.select_for_update().filter(city=city, code=programme).first()
        if row is None:
            return refusals.unknown_programme(programme)
        day = local_day(start, city_profile(city).zone)
        version = version_on(versions_of(row), day)
        if version is None:
            return refusals.not_in_force(None, programme, day)
        chosen = _group(stored_terms(version), group, age)
        if isinstance(chosen, Refusal):
            return chosen
        present = Enrolment.objects.filter(programme=row, person=person, until=None).first()
        if present is not None:
            if (present.group, present.subject) == (chosen.code, subject):
                return present
            start = max(start, now) if start <= present.since else start
            present.until = start
            present.save(update_fields=["until"])
        made = Enrolment.objects.create(
            city=city, programme=row, person=person, group=chosen.code, subject=subject, since=start
        )
        after = {"group": made.group, "subject": subject, "since": start}
        before = {"group": present.group, "subject": present.subject} if present else None
        audit(tx, city, actor or str(person), "enrol", "enrolment", str(made.id), before, after)
        return made


def leave(
    city: str, person: UUID, programme: str, *, actor: str = "", clock: Clock | None = None
) -> Enrolment | Refusal:
    """End a person's taking part now. What was done before still counts."""
    now = (clock or SystemClock()).now()
    with transaction(city) as tx:
        row = Programme.objects.select_for_update().filter(city=city, code=programme).first()
        if row is None:
            return refusals.unknown_programme(programme)
        present = Enrolment.objects.filter(programme=row, person=person, until=None).first()
        if present is None or present.since >= now:
            version = versions_of(row)[0]
            return refusals.not_enrolled(stored_terms(version), now)
        present.until = now
        present.save(update_fields=["until"])
        after = {"until": now}
        audit(tx, city, actor or str(person), "leave", "enrolment", str(present.id), None, after)
        return present


def enrolments_of(city: str, person: UUID) -> list[Enrolment]:
    """A person's present enrolments, by programme code."""
    with transaction(city):
        rows = Enrolment.objects.filter(city=city, person=person, until=None)
        return list(rows.select_related("programme").order_by("programme__code"))


def enrolment_at(programme: Programme, person: UUID, instant: datetime) -> Enrolment | None:
    """The enrolment in force at an instant."""
    return (
        Enrolment.objects.filter(programme=programme, person=person, since__lte=instant)
        .filter(Q(until=None) | Q(until__gt=instant))
        .first()
    )


def _group(terms: ProgrammeTerms, group: str | None, age: int | None) -> Group | Refusal:
    if group is not None:
        found = terms.groups.get(group)
        if found is None:
            return refusals.unknown_group(terms, group)
        return found if age is None or found.admits(age) else refusals.not_eligible(terms, age)
    if age is None:
        only = list(terms.groups.values())
        return only[0] if len(only) == 1 else refusals.group_needed(terms)
    return terms.group_of_age(age) or refusals.not_eligible(terms, age)
