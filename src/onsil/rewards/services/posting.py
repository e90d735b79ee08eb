"""From awards to the ledger: handed over once, and the ledger's answers taken back.

An award and the request for its transfer are tied by the transfer's key (`award:<id>`), so that a
crash at any point leaves work that the next run finishes, and no run pays twice.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import F, Max

from onsil.core.clock import Clock, SystemClock
from onsil.core.database import Connection, cursor
from onsil.ledger import AccountSpec, Answer, Leg, LotTerms, TransferRequest, open_accounts, submit
from onsil.ledger import answers as ledger_answers
from onsil.rewards import reasons
from onsil.rewards.models import Award, AwardPosting, Budget, CapCounter, Decision, Programme
from onsil.rewards.services.budgets import budget_account
from onsil.rewards.services.versions import stored_terms
from onsil.rewards.windows import cap_window, window_at
from onsil.tenancy import transaction
from onsil.tenancy.cities import city as city_profile

BATCH = 4000


@dataclass
class PostReport:
    """Awards handed to the ledger in this run, what it answered, and how many it still holds."""

    submitted: int = 0
    applied: int = 0
    refused: int = 0
    pending: int = 0


def post_awards(city: str, *, clock: Clock | None = None) -> PostReport:
    """Hand every decided award to the ledger, then take in the answers that are there.

    Call it again after the posting writer has run; the second run only reads answers. An award
    that the ledger refused gives its points back to the caps and the budget, with the reason kept.
    """
    now = (clock or SystemClock()).now()
    report = PostReport()
    while (handed := _hand_over(city, now)) > 0:
        report.submitted += handed
    _take_answers(city, now, report)
    return report


def transfer_key(award: Award) -> str:
    return f"award:{award.id}"


def _hand_over(city: str, now: datetime) -> int:
    """Submit one batch of decided awards and mark them, in one transaction; how many."""
    with transaction(city) as tx:
        postings = list(
            AwardPosting.objects.select_for_update(skip_locked=True, of=("self",))
            .filter(city=city, state="decided")
            .select_related("award__programme", "award__decision")
            .order_by("award_id")[:BATCH]
        )
        if not postings:
            return 0
        awards = [posting.award for posting in postings]
        open_accounts(tx, city, _accounts(awards))
        submit(tx, city, [_request(award) for award in awards])
        AwardPosting.objects.filter(pk__in=[posting.pk for posting in postings]).update(
            state="submitted", changed_at=now
        )
        return len(postings)


def _accounts(awards: list[Award]) -> list[AccountSpec]:
    specs = {
        AccountSpec(
            f"citizen:{award.person}", f"point:{award.programme.code}", kind="citizen", lots=True
        )
        for award in awards
    }
    return sorted(specs, key=lambda spec: (spec.code, spec.asset))


def _request(award: Award) -> TransferRequest:
    """Points to the person, won from the budget to the reserve: a leg each for every source."""
    code = award.programme.code
    legs: list[Leg] = []
    points_left, krw_left = award.points, award.krw
    for share in award.funding:
        # The sources' shares of the points follow their won; the last one takes what is left.
        points = (
            points_left if share["krw"] == krw_left else award.points * share["krw"] // award.krw
        )
        points_left, krw_left = points_left - points, krw_left - share["krw"]
        terms = LotTerms(
            fund=share["source"],
            expires_at=award.expires_at,
            merchant_rule=award.merchant_rule,
            refundable=False,
            origin_kind="award",
            origin_id=str(award.id),
        )
        if points:
            person = f"citizen:{award.person}"
            legs.append(Leg("issuer:point", person, f"point:{code}", points, lot=terms))
        here = budget_account(code, award.year)
        legs.append(Leg(here, "reserve:points", "KRW", share["krw"]))
    return TransferRequest(
        key=transfer_key(award),
        kind="award",
        legs=tuple(legs),
        effective_at=award.awarded_at,
        memo=f"{code} {award.decision.window}",
        origin_kind="award",
        origin_id=str(award.id),
    )


def _take_answers(city: str, now: datetime, report: PostReport) -> None:
    after = None
    while True:
        with transaction(city) as tx:
            waiting = AwardPosting.objects.filter(city=city, state="submitted")
            if after is not None:
                waiting = waiting.filter(award_id__gt=after)
            ids = list(waiting.order_by("award_id").values_list("award_id", flat=True)[:BATCH])
            if not ids:
                return
            after = ids[-1]
            _settle(tx, city, ids, now, report)


def _settle(tx: Connection, city: str, ids: list[UUID], now: datetime, report: PostReport) -> None:
    postings = list(
        AwardPosting.objects.select_for_update(of=("self",))
        .filter(award_id__in=ids, state="submitted")
        .select_related("award__programme")
        .order_by("award_id")
    )
    found = ledger_answers(tx, city, [transfer_key(posting.award) for posting in postings])
    applied: list[tuple[UUID, UUID]] = []
    for posting in postings:
        answer = found.get(transfer_key(posting.award))
        if answer is None or answer.state == "pending":
            report.pending += 1
        elif answer.transfer_id is not None:
            applied.append((posting.id, answer.transfer_id))
        else:
            _give_back(city, posting, answer, now)
            report.refused += 1
    report.applied += len(applied)
    with cursor(tx) as run:
        run.execute(
            """UPDATE rewards_awardposting p
                  SET state = 'applied', transfer_id = new.transfer_id, changed_at = %s
                 FROM unnest(%s::uuid[], %s::uuid[]) AS new(id, transfer_id)
                WHERE p.id = new.id AND p.city = %s""",
            (now, [one for one, _ in applied], [transfer for _, transfer in applied], city),
        )
        assert run.rowcount == len(applied), "every answered posting is written"


def _give_back(city: str, posting: AwardPosting, answer: Answer, now: datetime) -> None:
    """Undo an award's use of caps and budget, and say so in a decision of its own."""
    refusal = answer.refusal
    assert refusal is not None
    posting.state = "refused"
    posting.refusal_code, posting.refusal_ko = refusal.code, refusal.ko
    posting.refusal_en, posting.changed_at = refusal.en, now
    posting.save()
    award = posting.award
    Programme.objects.select_for_update().get(pk=award.programme_id)
    decision = Decision.objects.select_related("version__programme").get(pk=award.decision_id)
    terms = stored_terms(decision.version)
    zone = city_profile(city).zone
    window = window_at(terms.cut, decision.window_start, zone)
    for cap in terms.caps:
        CapCounter.objects.filter(
            programme=award.programme,
            person=award.person,
            cut=cap.cut,
            window=cap_window(cap.cut, window, zone).key,
        ).update(used=F("used") - award.points)
    for share in award.funding:
        Budget.objects.filter(
            programme=award.programme, year=award.year, source=share["source"]
        ).update(used_krw=F("used_krw") - share["krw"])
    reason = reasons.ledger_refused(refusal.code, refusal.ko, refusal.en)
    latest = Decision.objects.filter(
        programme=award.programme, person=award.person, window=decision.window
    ).aggregate(Max("sequence"))["sequence__max"]
    Decision.objects.create(
        city=city,
        programme=award.programme,
        version=decision.version,
        person=award.person,
        group=decision.group,
        window=decision.window,
        window_start=decision.window_start,
        window_end=decision.window_end,
        year=decision.year,
        sequence=latest + 1,
        entitled=decision.entitled,
        already=decision.already,
        points=0,
        outcome="unpaid",
        reason_code=reason.code,
        reason_ko=reason.ko,
        reason_en=reason.en,
        facts=dict(reason.facts),
        evidence_digest=decision.evidence_digest,
        simulated=decision.simulated,
        decided_at=now,
        decided_by="ledger",
    )
