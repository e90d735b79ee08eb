"""Evidence: what a person did, recorded once, with who vouches for it."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.transaction import atomic

from onsil import footprint
from onsil.core.canonical import digest, plain
from onsil.core.clock import Clock, SystemClock
from onsil.core.database import Connection
from onsil.core.periods import local_day
from onsil.core.refusal import Refusal
from onsil.footprint.claims import use
from onsil.rewards import refusals
from onsil.rewards.models import Evidence, Programme
from onsil.rewards.services.enrolments import enrolment_at
from onsil.rewards.services.versions import stored_terms, version_on, versions_of
from onsil.rewards.terms import ProgrammeTerms
from onsil.tenancy import transaction
from onsil.tenancy.cities import city as city_profile

CLOCK_TOLERANCE = timedelta(minutes=5)
_SCALE = Decimal("1e-9")  # the column keeps nine decimals


def record_evidence(
    city: str,
    programme: str,
    person: UUID,
    kind: str,
    quantity: Decimal | int,
    occurred_at: datetime,
    source: str,
    reference: str,
    key: str,
    *,
    level: str = "server",
    facts: Mapping[str, Any] | None = None,
    claim_id: UUID | None = None,
    simulated: bool = False,
    clock: Clock | None = None,
) -> Evidence | Refusal:
    """Record one piece of evidence, in its kind's own unit, under an idempotency key.

    Quantities are kept to nine decimals.

    The same key with the same content gives the stored row; with other content it is refused.
    `source` and `reference` name the outside record (a tap, a claim), which serves once only.
    A claim that it rests on is in use from then on, and can no longer be released.
    """
    now = (clock or SystemClock()).now()
    with transaction(city) as tx:
        row = Programme.objects.filter(city=city, code=programme).first()
        if row is None:
            return refusals.unknown_programme(programme)
        if not isinstance(quantity, Decimal | int) or isinstance(quantity, bool):
            return refusals.bad_quantity(quantity)
        amount = Decimal(quantity)
        if not amount.is_finite() or not 0 < amount < 10**15:
            return refusals.bad_quantity(quantity)
        amount = amount.quantize(_SCALE)
        if not amount:
            return refusals.bad_quantity(quantity)
        evidence = Evidence(
            city=city,
            programme=row,
            person=person,
            key=key,
            kind=kind,
            quantity=amount,
            occurred_at=occurred_at,
            recorded_at=now,
            level=level,
            source=source,
            reference=reference,
            claim_id=claim_id,
            facts=plain(dict(facts or {})),
            simulated=simulated,
        )
        evidence.digest = content_digest(evidence)
        known = Evidence.objects.filter(city=city, key=key).first()
        if known is not None:
            return known if known.digest == evidence.digest else refusals.key_reused(key)
        refusal = _unacceptable(tx, city, row, evidence, now)
        return refusal if refusal is not None else _kept(tx, evidence, clock or SystemClock())


def content_digest(evidence: Evidence) -> str:
    """The hash of what the evidence says, over its live fields."""
    return digest(
        {
            "person": evidence.person,
            "kind": evidence.kind,
            "quantity": Decimal(evidence.quantity),
            "occurred_at": evidence.occurred_at,
            "level": evidence.level,
            "source": evidence.source,
            "reference": evidence.reference,
            "claim": evidence.claim_id,
            "facts": evidence.facts,
            "simulated": evidence.simulated,
        }
    )


def _unacceptable(
    tx: Connection, city: str, programme: Programme, evidence: Evidence, now: datetime
) -> Refusal | None:
    """Why the programme does not take this evidence; None when it does."""
    occurred_at = evidence.occurred_at
    if occurred_at > now + CLOCK_TOLERANCE:
        return refusals.from_the_future(occurred_at, now)
    day = local_day(occurred_at, city_profile(city).zone)
    versions = versions_of(programme)
    version = version_on([v for v in versions if v.retired_at is None], day)
    if version is None:
        latest = stored_terms(versions[0]) if versions else None
        return refusals.not_in_force(latest, programme.code, day)
    terms = stored_terms(version)
    if evidence.kind not in terms.evidence_kinds:
        return refusals.wrong_kind(terms, evidence.kind)
    if not terms.accepts_level(evidence.level):
        return refusals.level_too_low(terms, evidence.level)
    if terms.season is not None and day not in terms.season:
        return refusals.out_of_season(terms, day)
    if now - occurred_at > timedelta(days=terms.accept_days):
        return refusals.too_late(terms, occurred_at)
    if enrolment_at(programme, evidence.person, occurred_at) is None:
        return refusals.not_enrolled(terms, occurred_at)
    return _claim_missing(tx, city, terms, evidence.claim_id)


def _claim_missing(
    tx: Connection, city: str, terms: ProgrammeTerms, claim_id: UUID | None
) -> Refusal | None:
    """Claim before value: a reduction pays only once it was claimed, for this programme."""
    if claim_id is None:
        return refusals.claim_needed(terms) if terms.needs_claim else None
    claim = footprint.claim_of(tx, city, claim_id)
    if claim is None or claim.programme != terms.code or claim.released_at is not None:
        return refusals.claim_unknown(claim_id, terms.code)
    return None


class _NotThis(Exception):
    """Another row stands under the key: what this one used of a claim is taken back."""

    def __init__(self, answer: Evidence | Refusal) -> None:
        self.answer = answer


def _kept(tx: Connection, evidence: Evidence, clock: Clock) -> Evidence | Refusal:
    """Store the evidence together with its use of a claim: both or neither."""
    if evidence.claim_id is None:
        return _store(evidence)
    try:
        with atomic():
            refusal = use(
                tx, evidence.city, evidence.claim_id, "evidence", str(evidence.id), clock
            )  # fmt: skip
            stored = refusal if refusal is not None else _store(evidence)
            if isinstance(stored, Refusal) or stored.id != evidence.id:
                raise _NotThis(stored)
            return stored
    except _NotThis as other:
        return other.answer


def _store(evidence: Evidence) -> Evidence | Refusal:
    """Insert; a key or a record used meanwhile by another transaction is told apart."""
    Evidence.objects.bulk_create([evidence], ignore_conflicts=True)
    stored = Evidence.objects.filter(city=evidence.city, key=evidence.key).first()
    if stored is None:
        return refusals.reference_used(evidence.source, evidence.reference)
    return stored if stored.digest == evidence.digest else refusals.key_reused(evidence.key)
