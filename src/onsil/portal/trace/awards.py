"""From an award back: why it was decided, on which evidence, and the claim behind that."""

from decimal import Decimal
from uuid import UUID

from onsil.core.periods import Period
from onsil.portal.terms import Figure, Proof, ProofState, Step, StepKind, Words
from onsil.portal.trace.carbon import visit_claim
from onsil.portal.trace.figures import points
from onsil.portal.trace.walk import Walk
from onsil.rewards.entries import award_leaf
from onsil.rewards.models import Award, Decision, Evidence
from onsil.rewards.services import programmes
from onsil.rewards.services.versions import stored_terms
from onsil.rewards.windows import window_at
from onsil.tenancy.cities import city as city_profile

_COVERED = Proof(
    ProofState.COVERED,
    note=Words(
        "이 증빙의 지문이 위 보상의 봉인된 내용에 들어 있습니다.",
        "This evidence's digest lies in the sealed entry of the award above.",
    ),
)
_ACTS = {
    "bus-ride": Words("버스를 탄 기록", "A bus ride on record"),
    "electricity-saving": Words("전기 절감 확인", "Electricity saving confirmed"),
    "gas-saving": Words("가스 절감 확인", "Gas saving confirmed"),
    "heat-saving": Words("난방 절감 확인", "Heat saving confirmed"),
}
# Where a piece of evidence came from, and how sure it is, in words.
_SOURCES = {
    "simulated-transit-card": Words("모의 교통카드", "simulated transit card"),
    "transit-card": Words("교통카드", "transit card"),
}
_LEVELS = {
    "meter": Words("계량기로 확인", "Confirmed by a meter"),
    "server": Words("다른 기관의 서버 기록으로 확인", "Confirmed by another organisation's server"),
    "device": Words("시가 둔 기기로 확인", "Confirmed by a device of the city"),
    "sensor": Words("휴대전화 감지기의 기록", "Sensed by the person's phone"),
    "statement": Words("본인의 신고", "The person's own statement"),
}
_OUTCOMES = {
    "paid": Words("규칙대로 지급", "Paid by the rule"),
    "partly": Words("한도나 예산 안에서 일부 지급", "Paid in part, within caps or budget"),
    "unpaid": Words("지급하지 않음", "Not paid"),
}


def _outcome(decision: Decision) -> Words | None:
    return _OUTCOMES.get(decision.outcome)


def _window_words(decision: Decision) -> Words:
    terms = stored_terms(decision.version)
    zone = city_profile(decision.city).zone
    name = window_at(terms.cut, decision.window_start, zone).name
    return Words(name.ko, name.en)


def visit_award(walk: Walk, award_id: UUID, *, onward: bool = True) -> str | None:
    """Add an award and, with `onward`, the evidence it rests on; None for an unknown one."""
    key = f"award-{award_id}"
    if walk.has(key):
        return key
    award = (
        Award.objects.select_related("decision__version", "programme")
        .filter(city=walk.city, id=award_id)
        .first()
    )
    if award is None:
        return None
    walk.owners.add(str(award.person))
    decision = award.decision
    name = programme_name(walk.city, award.programme.code)
    ko, en = points(award.points)
    walk.add(
        Step(
            key=key,
            kind=StepKind.AWARD,
            id=str(award_id),
            at=award.awarded_at,
            station="reward",
            title=name,
            words=Words(
                f"{name.ko}에서 {ko}을 받았습니다. {decision.reason_ko}",
                f"{en} from {name.en}. {decision.reason_en}",
            ),
            figures=(
                Figure(Words("포인트", "Points"), award.points, "P"),
                Figure(Words("예산", "Budget"), award.krw, "KRW"),
                Figure(Words("기간", "Window"), decision.window, said=_window_words(decision)),
                Figure(Words("결정 사유", "Reason"), decision.reason_code, said=_outcome(decision)),
            ),
            digest=decision.evidence_digest,
            simulated=decision.simulated,
            proof=walk.proof("award", award_id, award_leaf(walk.conn, walk.city, award_id)),
        )
    )
    if onward:
        window = Period(decision.window_start, decision.window_end)
        for looked_at in decision.looked_at.select_related("evidence").filter(counted=True):
            _visit_evidence(walk, key, looked_at.evidence, window)
    return key


def programme_name(city: str, code: str) -> Words:
    """A reward programme's name as its newest file gives it; the code when it has none now."""
    for terms in programmes(city):
        if terms.code == code:
            return Words(terms.name.ko, terms.name.en)
    return Words(code, code)


def _visit_evidence(walk: Walk, award: str, evidence: Evidence, window: Period) -> None:
    key = f"evidence-{evidence.pk}"
    if not walk.has(key):
        walk.add(_evidence_step(key, evidence))
        if evidence.claim_id is not None:
            claim = visit_claim(walk, evidence.claim_id, window)
            if claim is not None:
                walk.link(key, claim)
    walk.link(award, key)


def _evidence_step(key: str, evidence: Evidence) -> Step:
    quantity = Decimal(evidence.quantity).normalize()
    unit = "KRW" if evidence.kind == "bus-ride" else "kWh"
    title = _ACTS.get(evidence.kind, Words(evidence.kind, evidence.kind))
    source = _SOURCES.get(evidence.source, Words(evidence.source, evidence.source))
    level = _LEVELS.get(evidence.level)
    if evidence.kind == "bus-ride":
        words = Words(
            f"버스 요금 {quantity:,f}원을 낸 기록입니다. 출처: {source.ko}",
            f"A fare of {quantity:,f} won was paid. Source: {source.en}",
        )
    else:
        words = Words(
            f"{quantity:,f} kWh를 덜 쓴 것이 계량기로 확인되었습니다.",
            f"{quantity:,f} kWh less, confirmed by the meter.",
        )
    if evidence.simulated:
        words = Words(f"{words.ko} (모의 자료)", f"{words.en} (simulated data)")
    return Step(
        key=key,
        kind=StepKind.EVIDENCE,
        id=str(evidence.pk),
        at=evidence.occurred_at,
        station="measure" if evidence.claim_id is None else "claim",
        title=title,
        words=words,
        figures=(
            Figure(Words("양", "Quantity"), quantity, unit),
            Figure(Words("확인 수준", "Level of evidence"), evidence.level, said=level),
        ),
        digest=evidence.digest,
        proof=_COVERED,
        simulated=evidence.simulated,
    )
