"""Units of the registry in words: where they are, what happened to them, which serials."""

from collections.abc import Iterable

from django import template
from django.utils.translation import gettext_lazy as _

from onsil.footprint import credits

register = template.Library()

# Where units are (footprint.credits), and what has happened to them.
UNIT_STATES = {
    "held": _("보유"),
    "buffer": _("버퍼"),
    "retired": _("사용 완료"),
    "cancelled": _("취소"),
    "expired": _("기한 지남"),
    "pending-export": _("내보내는 중"),
    "exported": _("다른 등록부로 나감"),
    "converted": _("배출권으로 전환"),
    "planned": _("계획"),
}
UNIT_EVENTS = {
    "opening": _("등록부 옮겨 적기"),
    "issuance": _("발행"),
    "import": _("들여옴"),
    "transfer": _("이전"),
    "sale": _("판매"),
    "retirement": _("사용 완료"),
    "cancellation": _("취소"),
    "expiry": _("기한 지남"),
    "split": _("나눔"),
    "merge": _("합침"),
    "buffer-release": _("버퍼 해제"),
    "buffer-cancellation": _("버퍼 취소"),
    "buffer-draw": _("손실을 버퍼로 메움"),
    "recovery": _("손실을 메움"),
    "reversal": _("손실"),
    "export": _("내보내기"),
    "export-started": _("내보내기 시작"),
    "exported": _("내보냄"),
    "export-returned": _("내보내기 취소"),
    "conversion": _("배출권으로 전환"),
    "retired-elsewhere": _("다른 등록부에서 사용"),
    "withheld": _("발행 보류"),
    "label": _("라벨"),
    "label-ended": _("라벨 끝"),
    "adjustment": _("상응조정"),
    "holder": _("보유자 공개"),
    "planned": _("계획"),
    "planned-fulfilled": _("계획 충족"),
    "planned-cancelled": _("계획 취소"),
    "planned-transferred": _("계획분 넘김"),
    "planned-delivery": _("계획분의 발행분 전달"),
    "buffer-contribution": _("공동 버퍼에 넣음"),
    "pool-draw": _("공동 버퍼로 손실을 메움"),
    "pool-replenishment": _("공동 버퍼를 채움"),
    "stepped": _("물 편익의 단계 적용"),
}


@register.filter
def unit_state(key: str) -> str:
    """Where units are, as people say it."""
    return str(UNIT_STATES.get(key, key))


@register.filter
def unit_event(key: str) -> str:
    """What happened to units, as people say it."""
    return str(UNIT_EVENTS.get(key, key))


@register.filter
def serial_spans(spans: Iterable[tuple[int, int]]) -> str:
    """Runs of serials as people read them."""
    return credits.spans_text(spans)
