"""What a person may read: what was decided and why, what is waiting, and what there is to earn."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from onsil.core.clock import Clock, SystemClock
from onsil.core.periods import local_day
from onsil.core.refusal import Refusal
from onsil.rewards import refusals
from onsil.rewards.models import (
    Award,
    AwardPosting,
    Budget,
    CapCounter,
    Decision,
    Enrolment,
    Evidence,
    Programme,
)
from onsil.rewards.services.versions import stored_terms, version_on, versions_of
from onsil.rewards.terms import CapRoom, ProgrammeTerms, Text
from onsil.rewards.windows import cap_window, window_at
from onsil.tenancy import transaction
from onsil.tenancy.cities import city as city_profile


@dataclass(frozen=True)
class EvidenceView:
    """A piece of evidence; `counted` says whether the rule used it."""

    id: UUID
    kind: str
    quantity: Decimal
    occurred_at: datetime
    level: str
    source: str
    reference: str
    claim_id: UUID | None
    facts: Mapping[str, Any]
    counted: bool
    simulated: bool


@dataclass(frozen=True)
class DecisionView:
    """A decision in the reader's terms. `state` is where the payment stands: none, decided,
    submitted, applied or refused."""

    id: UUID
    programme: str
    name: Text
    window: str
    window_name: Text
    outcome: str
    points: int
    entitled: int
    already: int
    reason_code: str
    reason: Text
    facts: Mapping[str, Any]
    decided_at: datetime
    award_id: UUID | None
    state: str
    transfer_id: UUID | None
    evidence: tuple[EvidenceView, ...]
    simulated: bool

    @property
    def claim_ids(self) -> tuple[UUID, ...]:
        return tuple(sorted({e.claim_id for e in self.evidence if e.claim_id}))


@dataclass(frozen=True)
class WaitingView:
    """Evidence of a window that is not decided yet, and the day it will be."""

    programme: str
    name: Text
    window_name: Text
    pieces: int
    decided_from: date


@dataclass(frozen=True)
class Offer:
    """A programme a person can earn from: joined or not, what the caps and the budget still allow.

    `budget_left` is None where no budget is set for the year.
    """

    terms: ProgrammeTerms
    enrolled: bool
    group: str
    rooms: tuple[CapRoom, ...]
    budget_left: int | None

    @property
    def open(self) -> bool:
        return bool(self.budget_left)


@dataclass(frozen=True)
class AwardView:
    """An award with its place in the ledger."""

    id: UUID
    programme: str
    name: Text
    person: UUID
    points: int
    krw: int
    window: str
    funding: tuple[Mapping[str, Any], ...]
    awarded_at: datetime
    expires_at: datetime
    claim_id: UUID | None
    state: str
    transfer_id: UUID | None


@dataclass(frozen=True)
class AwardTrace:
    """The way back from an award: the decision, the programme's version, the evidence."""

    award: AwardView
    decision: DecisionView
    version_digest: str
    terms: ProgrammeTerms


def decisions_of(
    city: str, person: UUID, limit: int = 50, before: datetime | None = None
) -> list[DecisionView]:
    """A person's decisions, newest first."""
    with transaction(city):
        rows = Decision.objects.filter(city=city, person=person)
        if before is not None:
            rows = rows.filter(decided_at__lt=before)
        rows = _with_all(rows).order_by("-decided_at", "-window_start", "-sequence")
        return [_decision_view(row) for row in rows[:limit]]


def waiting_of(city: str, person: UUID, *, clock: Clock | None = None) -> list[WaitingView]:
    """A person's evidence in windows that no decision has looked at yet."""
    zone = city_profile(city).zone
    with transaction(city):
        rows = Evidence.objects.filter(city=city, person=person, decisionevidence=None)
        waiting: dict[tuple[str, str], WaitingView] = {}
        for evidence in rows.select_related("programme").order_by("occurred_at"):
            day = local_day(evidence.occurred_at, zone)
            version = version_on(versions_of(evidence.programme), day)
            if version is None:
                continue
            terms = stored_terms(version)
            window = window_at(terms.cut, evidence.occurred_at, zone)
            ready = window.period.end + timedelta(days=terms.grace_days)
            decided_from = local_day(evidence.recorded_at if terms.at_once else ready, zone)
            known = waiting.get((terms.code, window.key))
            waiting[terms.code, window.key] = WaitingView(
                terms.code,
                terms.name,
                window.name,
                (known.pieces if known else 0) + 1,
                decided_from,
            )
    return list(waiting.values())


def offers(city: str, person: UUID | None = None, *, clock: Clock | None = None) -> list[Offer]:
    """The programmes in force now, with what they still allow this person."""
    now = (clock or SystemClock()).now()
    zone = city_profile(city).zone
    day = local_day(now, zone)
    found: list[Offer] = []
    with transaction(city):
        for programme in Programme.objects.filter(city=city).order_by("code"):
            current = [v for v in versions_of(programme) if v.retired_at is None]
            version = version_on(current, day)
            if version is None:
                continue
            terms = stored_terms(version)
            window = window_at(terms.cut, now, zone)
            enrolment = None
            if person is not None:
                rows = Enrolment.objects.filter(programme=programme, person=person, until=None)
                enrolment = rows.first()
            rooms: tuple[CapRoom, ...] = ()
            if enrolment is not None and enrolment.group in terms.groups:
                rooms = _rooms(programme, terms, enrolment, city, now)
            budgets = list(Budget.objects.filter(programme=programme, year=window.year))
            found.append(
                Offer(
                    terms,
                    enrolment is not None,
                    enrolment.group if enrolment else "",
                    rooms,
                    sum(budget.left_krw for budget in budgets) if budgets else None,
                )
            )
    return found


def _rooms(
    programme: Programme, terms: ProgrammeTerms, enrolment: Enrolment, city: str, now: datetime
) -> tuple[CapRoom, ...]:
    zone = city_profile(city).zone
    window = window_at(terms.cut, now, zone)
    rooms = []
    for cap in terms.caps:
        larger = cap_window(cap.cut, window, zone)
        counter = CapCounter.objects.filter(
            programme=programme, person=enrolment.person, cut=cap.cut, window=larger.key
        ).first()
        rooms.append(CapRoom(larger, cap.points[enrolment.group], counter.used if counter else 0))
    return tuple(rooms)


def trace_award(city: str, award_id: UUID) -> AwardTrace | Refusal:
    """Everything an award rests on."""
    with transaction(city):
        decision = _with_all(Decision.objects.filter(city=city, award__id=award_id)).first()
        if decision is None:
            return refusals.unknown_award(award_id)
        terms = stored_terms(decision.version)
        return AwardTrace(
            _award_view(decision.award), _decision_view(decision), decision.version.digest, terms
        )


def awards_of_claim(city: str, claim_id: UUID) -> list[AwardView]:
    """Every award that rests on a claim, oldest first."""
    with transaction(city):
        rows = Award.objects.filter(
            city=city,
            decision__looked_at__counted=True,
            decision__looked_at__evidence__claim_id=claim_id,
        )
        chosen = rows.select_related("decision__version__programme", "posting").distinct()
        return [_award_view(award) for award in chosen.order_by("awarded_at", "id")]


def award_of_transfer(city: str, transfer_id: UUID) -> UUID | None:
    """The award that a ledger transfer paid."""
    with transaction(city):
        found = AwardPosting.objects.filter(city=city, transfer_id=transfer_id).first()
        return found.award_id if found else None  # pyright: ignore[reportAttributeAccessIssue]


def _with_all(rows: Any) -> Any:
    return rows.select_related(
        "programme", "version__programme", "award__posting", "award__programme"
    ).prefetch_related("looked_at__evidence")


def _decision_view(decision: Decision) -> DecisionView:
    terms = stored_terms(decision.version)
    zone = city_profile(decision.city).zone
    award = getattr(decision, "award", None)
    links = sorted(decision.looked_at.all(), key=lambda link: link.evidence.occurred_at)
    return DecisionView(
        id=decision.id,
        programme=terms.code,
        name=terms.name,
        window=decision.window,
        window_name=window_at(terms.cut, decision.window_start, zone).name,
        outcome=decision.outcome,
        points=decision.points,
        entitled=decision.entitled,
        already=decision.already,
        reason_code=decision.reason_code,
        reason=Text(decision.reason_ko, decision.reason_en),
        facts=decision.facts,
        decided_at=decision.decided_at,
        award_id=award.id if award else None,
        state=award.posting.state if award else "none",
        transfer_id=award.posting.transfer_id if award else None,
        evidence=tuple(_evidence_view(link.evidence, link.counted) for link in links),
        simulated=decision.simulated,
    )


def _evidence_view(evidence: Evidence, counted: bool) -> EvidenceView:
    return EvidenceView(
        evidence.id,
        evidence.kind,
        evidence.quantity,
        evidence.occurred_at,
        evidence.level,
        evidence.source,
        evidence.reference,
        evidence.claim_id,
        evidence.facts,
        counted,
        evidence.simulated,
    )


def _award_view(award: Award) -> AwardView:
    terms = stored_terms(award.decision.version)
    return AwardView(
        id=award.id,
        programme=terms.code,
        name=terms.name,
        person=award.person,
        points=award.points,
        krw=award.krw,
        window=award.decision.window,
        funding=tuple(award.funding),
        awarded_at=award.awarded_at,
        expires_at=award.expires_at,
        claim_id=award.claim_id,
        state=award.posting.state,
        transfer_id=award.posting.transfer_id,
    )
