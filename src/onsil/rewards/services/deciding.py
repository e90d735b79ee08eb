"""Deciding awards: every person's evidence in every closed window, within caps and budget.

One transaction holds the programme's lock from the first look to the last row, so two deciders
never see the same room twice; counters and budgets carry CHECKs besides. The order in which a
scarce budget is given out is fixed: earlier windows first, in a window the earlier evidence, then
the person's id.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from onsil import proof
from onsil.core.canonical import digest, plain
from onsil.core.clock import Clock, SystemClock
from onsil.core.database import Connection, cursor
from onsil.core.ids import new_id
from onsil.core.periods import Period, local_day, midnight
from onsil.core.refusal import Refusal
from onsil.footprint.claims import use_many
from onsil.rewards import reasons, refusals
from onsil.rewards.budgeting import allot
from onsil.rewards.caps import verdict
from onsil.rewards.entries import award_entry
from onsil.rewards.kinds import rule_kind
from onsil.rewards.models import (
    Award,
    AwardPosting,
    Budget,
    CapCounter,
    Decision,
    DecisionEvidence,
    Enrolment,
    Evidence,
    Programme,
    ProgrammeVersion,
)
from onsil.rewards.services.versions import stored_terms, version_on, versions_of
from onsil.rewards.terms import (
    CapRoom,
    Entitlement,
    EvidenceItem,
    Pot,
    ProgrammeTerms,
    Verdict,
    Window,
)
from onsil.rewards.windows import cap_window, window_at
from onsil.tenancy import transaction
from onsil.tenancy.cities import city as city_profile

_DAYS = {"day": 1, "iso-week": 7, "month": 31, "half-year": 184, "year": 366}
_CHUNK = 5000


@dataclass
class DecideReport:
    """What one run decided: the decisions made, the points they pay, and windows still open."""

    decisions: list[Decision] = field(default_factory=list)
    points: int = 0
    waiting: int = 0


@dataclass
class _Case:
    """One person's window: its evidence, oldest first, and what was decided for it before."""

    person: UUID
    window: Window
    version: ProgrammeVersion
    terms: ProgrammeTerms
    evidence: list[Evidence]
    group: str = ""
    previous: Decision | None = None
    already: int = 0

    @property
    def order(self) -> tuple[datetime, datetime, UUID]:
        return self.window.period.start, self.evidence[0].occurred_at, self.person

    @property
    def digest(self) -> str:
        return evidence_digest(self.evidence)


def evidence_digest(evidence: list[Evidence]) -> str:
    """One hash over a window's evidence, whatever order it came in."""
    return digest(sorted(item.digest for item in evidence))


def decide(
    city: str,
    programme: str,
    period: Period,
    *,
    clock: Clock | None = None,
    actor: str = "system",
) -> DecideReport | Refusal:
    """Decide the windows that start in `period` and are over, for everybody with evidence there.

    Safe to repeat and to race: what was decided stays, late evidence pays the difference, and what
    a budget or the ledger refused is tried again once there is money.
    """
    now = (clock or SystemClock()).now()
    with transaction(city) as tx:
        row = Programme.objects.select_for_update().filter(city=city, code=programme).first()
        if row is None:
            return refusals.unknown_programme(programme)
        zone = city_profile(city).zone
        report = DecideReport()
        cases = _cases(row, period, zone, now, report)
        if not cases:
            return report
        _look_back(row, cases)
        run = _Run(tx, city, row, zone, now, actor)
        run.lock(cases)
        for case in cases:
            run.consider(case)
        run.write()
        run.use_claims(clock or SystemClock())
        proof.append_many(tx, city, "award", run.entries())
        report.decisions = run.decisions
        report.points = sum(decision.points for decision in run.decisions)
        return report


def _cases(
    programme: Programme, period: Period, zone: ZoneInfo, now: datetime, report: DecideReport
) -> list[_Case]:
    """The windows with something to decide: evidence no decision has looked at, or money that was
    wanting before. Windows that are not over yet are counted and left out."""
    ruled = _Ruled(programme, zone)
    until = period.end + ruled.longest
    everything = Evidence.objects.filter(
        programme=programme, occurred_at__gte=period.start, occurred_at__lt=until
    )
    wanted: set[tuple[UUID, str]] = set()
    open_windows: set[tuple[UUID, str]] = set()
    for person, occurred_at in everything.filter(decisionevidence=None).values_list(
        "person", "occurred_at"
    ):
        _, terms, window = ruled.at(occurred_at)
        if not period.start <= window.period.start < period.end:
            continue
        over = terms.at_once or window.period.end + timedelta(days=terms.grace_days) <= now
        (wanted if over else open_windows).add((person, window.key))
    starved = Decision.objects.filter(
        programme=programme,
        window_start__gte=period.start,
        window_start__lt=period.end,
        reason_code__in=reasons.WANTING_MONEY,
    )
    wanted.update(starved.values_list("person", "window"))
    report.waiting = len(open_windows)
    cases: dict[tuple[UUID, str], _Case] = {}
    people = sorted({person for person, _ in wanted})
    for start in range(0, len(people), _CHUNK):
        rows = everything.filter(person__in=people[start : start + _CHUNK])
        for evidence in rows.order_by("occurred_at", "id"):
            version, terms, window = ruled.at(evidence.occurred_at)
            key = (evidence.person, window.key)
            if key in wanted:
                case = cases.setdefault(key, _Case(key[0], window, version, terms, []))
                case.evidence.append(evidence)
    return sorted(cases.values(), key=lambda case: case.order)


class _Ruled:
    """Which version of a programme, and which window, an instant falls under."""

    def __init__(self, programme: Programme, zone: ZoneInfo) -> None:
        self.versions, self.zone = versions_of(programme), zone
        cuts = [_DAYS[stored_terms(version).cut] for version in self.versions]
        self.longest = timedelta(days=max(cuts, default=0))

    def at(self, instant: datetime) -> tuple[ProgrammeVersion, ProgrammeTerms, Window]:
        version = version_on(self.versions, local_day(instant, self.zone))
        assert version is not None, "evidence was taken for a programme not in force"
        terms = stored_terms(version)
        return version, terms, window_at(terms.cut, instant, self.zone)


def _look_back(programme: Programme, cases: list[_Case]) -> None:
    """Fill in each case's group, last decision and points already awarded.

    A window decided once keeps the version of the programme it was decided under.
    """
    by_key = {(case.person, case.window.key): case for case in cases}
    windows = {case.window.key for case in cases}
    people = sorted({case.person for case in cases})
    for start in range(0, len(people), _CHUNK):
        some = people[start : start + _CHUNK]
        decisions = Decision.objects.filter(
            programme=programme, window__in=windows, person__in=some
        ).select_related("version__programme", "award__posting")
        for decision in decisions.order_by("sequence"):
            case = by_key.get((decision.person, decision.window))
            if case is None:
                continue
            case.previous, case.version = decision, decision.version
            case.terms, case.group = stored_terms(decision.version), decision.group
            award = getattr(decision, "award", None)
            if award is not None and award.posting.state != "refused":
                case.already += award.points
        enrolments: dict[UUID, list[Enrolment]] = defaultdict(list)
        for enrolment in Enrolment.objects.filter(programme=programme, person__in=some):
            enrolments[enrolment.person].append(enrolment)
        for case in cases:
            if not case.group and case.person in enrolments:
                case.group = _group_at(enrolments[case.person], case.evidence[0].occurred_at)


def _group_at(enrolments: list[Enrolment], instant: datetime) -> str:
    for enrolment in enrolments:
        if enrolment.since <= instant and (enrolment.until is None or instant < enrolment.until):
            return enrolment.group
    raise AssertionError("evidence was taken from somebody not enrolled")


class _Run:
    """One transaction's decisions: the locked counters and budgets, and the rows to write."""

    def __init__(
        self,
        tx: Connection,
        city: str,
        programme: Programme,
        zone: ZoneInfo,
        now: datetime,
        actor: str,
    ) -> None:
        self.tx, self.city, self.programme, self.zone = tx, city, programme, zone
        self.now, self.actor = now, actor
        conversion = city_profile(city).data.get("conversion", {})
        self.krw_per_point = int(conversion.get("krw_per_point", 1))
        self.counters: dict[tuple[UUID, str, str], CapCounter] = {}
        self.budgets: dict[int, list[Budget]] = defaultdict(list)
        self.decisions: list[Decision] = []
        self.looked_at: list[DecisionEvidence] = []
        self.awards: list[Award] = []
        self.claims: list[tuple[UUID, str, str]] = []

    def lock(self, cases: list[_Case]) -> None:
        """Lock budgets, then counters, each in one fixed order; missing counters are made."""
        budgets = Budget.objects.select_for_update().filter(programme=self.programme)
        for budget in budgets.order_by("year", "position", "source"):
            self.budgets[budget.year].append(budget)
        wanted: dict[tuple[UUID, str, str], int] = {}
        for case in cases:
            for cap in case.terms.caps:
                window = cap_window(cap.cut, case.window, self.zone)
                key = (case.person, cap.cut, window.key)
                wanted[key] = max(wanted.get(key, 0), cap.points[case.group])
        made = [
            CapCounter(
                city=self.city,
                programme=self.programme,
                person=person,
                cut=cut,
                window=window,
                cap=limit,
            )
            for (person, cut, window), limit in sorted(wanted.items())
        ]
        CapCounter.objects.bulk_create(made, ignore_conflicts=True, batch_size=_CHUNK)
        people = sorted({case.person for case in cases})
        windows = {window for _, _, window in wanted}
        for start in range(0, len(people), _CHUNK):
            rows = CapCounter.objects.select_for_update().filter(
                programme=self.programme,
                person__in=people[start : start + _CHUNK],
                window__in=windows,
            )
            for counter in rows.order_by("person", "cut", "window"):
                key = (counter.person, counter.cut, counter.window)
                if key in wanted:
                    counter.cap = max(wanted[key], counter.used)
                    self.counters[key] = counter
        assert len(self.counters) == len(wanted), "every cap has its counter"

    def consider(self, case: _Case) -> None:
        """Decide one case; nothing is written for one that brings nothing new."""
        items = [_item(evidence) for evidence in case.evidence]
        kind = rule_kind(case.terms.kind)
        entitlement = kind.entitle(case.terms, case.group, case.window, items, self.zone)
        pots = self.budgets.get(case.window.year)
        left = sum(budget.left_krw for budget in pots) if pots else None
        found = verdict(
            case.terms,
            case.window,
            entitlement,
            already=case.already,
            rooms=self._rooms(case),
            budget_points=None if left is None else left // self.krw_per_point,
        )
        if found.points == 0 and _said_before(case):
            return
        decision = self._decision(case, entitlement, found)
        self.decisions.append(decision)
        counted = set(entitlement.counted)
        self.looked_at += [
            DecisionEvidence(
                city=self.city,
                decision=decision,
                evidence=evidence,
                counted=evidence.id in counted,
            )
            for evidence in case.evidence
        ]
        if found.points:
            self._award(case, decision, found.points, counted)

    def _rooms(self, case: _Case) -> list[CapRoom]:
        rooms = []
        for cap in case.terms.caps:
            window = cap_window(cap.cut, case.window, self.zone)
            counter = self.counters[case.person, cap.cut, window.key]
            rooms.append(CapRoom(window, cap.points[case.group], counter.used))
        return rooms

    def _decision(self, case: _Case, entitlement: Entitlement, found: Verdict) -> Decision:
        return Decision(
            city=self.city,
            programme=self.programme,
            version=case.version,
            person=case.person,
            group=case.group,
            window=case.window.key,
            window_start=case.window.period.start,
            window_end=case.window.period.end,
            year=case.window.year,
            sequence=case.previous.sequence + 1 if case.previous else 1,
            entitled=entitlement.points,
            already=case.already,
            points=found.points,
            outcome=found.outcome,
            reason_code=found.reason.code,
            reason_ko=found.reason.ko,
            reason_en=found.reason.en,
            facts=plain(dict(found.reason.facts)),
            evidence_digest=case.digest,
            simulated=any(evidence.simulated for evidence in case.evidence),
            decided_at=self.now,
            decided_by=self.actor,
        )

    def _award(self, case: _Case, decision: Decision, points: int, counted: set[UUID]) -> None:
        """Take the points from counters and budget, and make the award that pays them."""
        for cap in case.terms.caps:
            window = cap_window(cap.cut, case.window, self.zone)
            self.counters[case.person, cap.cut, window.key].used += points
        krw = points * self.krw_per_point
        pots = self.budgets[case.window.year]
        shares = allot(krw, [Pot(budget.source, budget.left_krw) for budget in pots])
        by_source = {share.source: share.krw for share in shares}
        for budget in pots:
            budget.used_krw += by_source.get(budget.source, 0)
        claims = {e.claim_id for e in case.evidence if e.id in counted and e.claim_id}
        last_day = local_day(case.window.period.end - timedelta(microseconds=1), self.zone)
        award_id = new_id()
        self.claims += [(claim_id, "award", str(award_id)) for claim_id in sorted(claims)]
        self.awards.append(
            Award(
                id=award_id,
                city=self.city,
                decision=decision,
                programme=self.programme,
                person=case.person,
                points=points,
                krw=krw,
                year=case.window.year,
                funding=[{"source": share.source, "krw": share.krw} for share in shares],
                earned_on=last_day,
                expires_at=_expiry(self.now, case.terms.expiry_years, self.zone),
                merchant_rule=case.terms.merchant_rule,
                claim_id=min(claims) if claims else None,
                awarded_at=self.now,
            )
        )

    def write(self) -> None:
        Decision.objects.bulk_create(self.decisions, batch_size=_CHUNK)
        DecisionEvidence.objects.bulk_create(self.looked_at, batch_size=_CHUNK)
        Award.objects.bulk_create(self.awards, batch_size=_CHUNK)
        postings = [
            AwardPosting(city=self.city, award=award, changed_at=self.now) for award in self.awards
        ]
        AwardPosting.objects.bulk_create(postings, batch_size=_CHUNK)
        self._write_counters()
        budgets = [budget for pots in self.budgets.values() for budget in pots]
        Budget.objects.bulk_update(budgets, ["used_krw"])

    def use_claims(self, clock: Clock) -> None:
        """Say at every claim which award was given for it: none of them can be released now."""
        refusal = use_many(self.tx, self.city, self.claims, clock)
        assert refusal is None, refusal

    def _write_counters(self) -> None:
        """All counters in one statement: a case for each row would take the planner seconds."""
        counters = list(self.counters.values())
        with cursor(self.tx) as run:
            run.execute(
                """UPDATE rewards_capcounter c SET used = new.used, cap = new.cap
                     FROM unnest(%s::uuid[], %s::int[], %s::int[]) AS new(id, used, cap)
                    WHERE c.id = new.id AND c.city = %s""",
                (
                    [counter.id for counter in counters],
                    [counter.used for counter in counters],
                    [counter.cap for counter in counters],
                    self.city,
                ),
            )
            assert run.rowcount == len(counters), "every locked counter is written"

    def entries(self) -> list[tuple[UUID, dict[str, object]]]:
        """The awards as leaves of the transparency log."""
        evidence: dict[UUID, list[str]] = defaultdict(list)
        for link in self.looked_at:
            evidence[link.decision_id].append(link.evidence.digest)  # pyright: ignore
        return [
            (award.id, award_entry(award, award.decision, evidence[award.decision.id]))
            for award in self.awards
        ]


def _said_before(case: _Case) -> bool:
    """Whether a decision that pays nothing would only repeat the last one."""
    return case.previous is not None and case.previous.evidence_digest == case.digest


def _item(evidence: Evidence) -> EvidenceItem:
    return EvidenceItem(
        evidence.id,
        evidence.kind,
        evidence.quantity,
        evidence.occurred_at,
        evidence.level,
        evidence.facts,
        evidence.claim_id,
    )


def _expiry(now: datetime, years: int, zone: ZoneInfo) -> datetime:
    """The end of the local year in which points are awarded, or that many years later."""
    return midnight(date(local_day(now, zone).year + years + 1, 1, 1), zone)
