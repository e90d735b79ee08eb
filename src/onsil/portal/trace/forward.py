"""From a reading on: the runs that used it, claims, awards and credits, and what they bought."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import UUID

from onsil import footprint, hub
from onsil.core.periods import Period
from onsil.portal.terms import Figure, Step, StepKind, Words
from onsil.portal.trace.awards import visit_award
from onsil.portal.trace.books import Books, Share, is_issued, shares_of
from onsil.portal.trace.carbon import visit_batch, visit_claim, visit_retirement, visit_run
from onsil.portal.trace.figures import grouped
from onsil.portal.trace.readings import ORIGINS, day_chart, is_home, site_of
from onsil.portal.trace.value import add_transfer, given_for, unit_of
from onsil.portal.trace.walk import Walk
from onsil.rewards.models import AwardPosting, DecisionEvidence


def visit_reading(walk: Walk, series: hub.Series, instant: datetime) -> str:
    """Add the reading itself: its value, and the day it belongs to."""
    site = site_of(walk.city, series.entity, series.attribute)
    if is_home(site):
        assert site is not None
        walk.owners.add(str(site.person))
    span = Period(instant, instant + timedelta(seconds=series.interval_s))
    found = hub.points(walk.conn, walk.city, series.id, span)
    ko, en = "이 시각에는 값이 없습니다.", "Nothing was measured at this instant."
    if len(found):
        value = f"{grouped(found.values[0])} {series.unit}"
        local = found.times[0].astimezone(walk.zone)
        ko = f"{local:%Y-%m-%d %H:%M}에 {value}로 재었습니다."
        en = f"{value} was measured at {local:%Y-%m-%d %H:%M}."
    hidden = walk.public and is_home(site)
    return walk.add(
        Step(
            key="reading",
            kind=StepKind.READINGS,
            id=f"{series.entity}#{series.attribute}",
            at=instant,
            station="measure",
            title=Words("이 측정값", "This reading"),
            words=Words(ko, en),
            figures=(
                Figure(Words("출처", "Source"), series.source, said=ORIGINS.get(series.source)),
            ),
            simulated=series.source == "simulated",
            chart=None if hidden else day_chart(walk, series, span, span),
        )
    )


def follow_reading(walk: Walk, books: Books, series: hub.Series, instant: datetime) -> str:
    """The reading and everything that was made of it; the reading's key."""
    subject = visit_reading(walk, series, instant)
    uses = footprint.forward(walk.conn, walk.city, series.entity, series.attribute, instant)
    for use in uses:
        run = visit_run(walk, use.run.id, onward=False)
        if run is None:
            continue
        walk.link(run, subject)
        for claim in use.claims:
            _follow_claim(walk, books, run, claim)
    return subject


def _follow_claim(walk: Walk, books: Books, run: str, claim: footprint.Claim) -> None:
    key = visit_claim(walk, claim.id, onward=False)
    assert key is not None
    walk.link(key, run, claim.co2e_t, "tCO2e")
    for award_id in () if walk.public else _awards_of(walk.city, claim.id):
        award = visit_award(walk, award_id, onward=False)
        if award is not None:
            walk.link(award, key)
            _follow_award(walk, books, award, award_id)
    for batch in footprint.batches_of_claim(walk.conn, walk.city, claim.id):
        _follow_batch(walk, books, key, claim, batch)


def _awards_of(city: str, claim_id: UUID) -> list[UUID]:
    """Awards for which evidence of this claim counted, oldest first."""
    rows = DecisionEvidence.objects.filter(
        city=city, evidence__claim_id=claim_id, counted=True, decision__award__isnull=False
    )
    return sorted(set(rows.values_list("decision__award__id", flat=True)))


def _follow_batch(
    walk: Walk, books: Books, claim_key: str, claim: footprint.Claim, batch: footprint.CreditBatch
) -> None:
    key = visit_batch(walk, batch.id, onward=False)
    assert key is not None
    walk.link(key, claim_key, claim.co2e_t, "tCO2e")
    for sale in footprint.sales(walk.conn, walk.city, batch_id=batch.id):
        transfer = books.transfer(sale.transfer_id)
        if transfer is not None:
            walk.link(add_transfer(walk, transfer), key, sale.tonnes, "tCO2e")
    for retirement in footprint.retirements(walk.conn, walk.city):
        if retirement.batch_id == batch.id:
            step = visit_retirement(walk, retirement.id, onward=False)
            assert step is not None
            walk.link(step, key, retirement.tonnes, "tCO2e")


def _follow_award(walk: Walk, books: Books, award: str, award_id: UUID) -> None:
    posting = AwardPosting.objects.filter(city=walk.city, award_id=award_id).first()
    transfer = books.transfer(posting.transfer_id) if posting and posting.transfer_id else None
    if transfer is None:
        return
    key = add_transfer(walk, transfer)
    for share in shares_of(transfer):
        if is_issued(share) and share.piece.terms.origin_kind == "award":
            walk.link(key, award, share.amount, "P")
            _follow(walk, books, key, share)


def _follow(walk: Walk, books: Books, made_by: str, share: Share) -> None:
    """Every transfer that took what a share brought, and what it made of it."""
    if share.made is None:
        return
    for taking in books.took(share.made):
        key = add_transfer(walk, taking.transfer)
        walk.link(key, made_by, taking.amount, unit_of(share.made.asset)[1])
        if not walk.may_pass(taking.leg.destination):
            continue
        if taking.made is not None:
            _follow(walk, books, key, taking)
        for onward in _carried(taking):
            _follow(walk, books, key, onward)


def _carried(taking: Share) -> Iterator[Share]:
    """Where value that was given up lies in what was issued to its owner for it."""
    if taking.made is not None:
        return
    for issued in shares_of(taking.transfer):
        if not is_issued(issued) or issued.leg.destination != taking.leg.source:
            continue
        sources, total, before = given_for(issued), issued.piece.amount, 0
        whole = sum(source.piece.amount for source in sources)
        for source in sources:
            low = before * total // whole
            before += source.piece.amount
            high = before * total // whole
            if source.leg is taking.leg and source.piece == taking.piece:
                width, amount = high - low, source.piece.amount
                start, end = taking.start * width // amount, taking.end * width // amount
                if start < end:
                    yield Share(issued.transfer, issued.leg, issued.piece, low + start, low + end)
