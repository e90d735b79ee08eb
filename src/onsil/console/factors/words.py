"""What the library's codes are called on the screens."""

from typing import Any

from django.utils.translation import gettext_lazy as _

COMMODITIES: dict[str, Any] = {
    "electricity": _("전력"), "city-gas": _("도시가스"), "natural-gas": _("천연가스"),
    "district-heat": _("지역난방 열"), "gasoline": _("휘발유"), "diesel": _("경유"),
    "lpg": _("LPG"), "residual-fuel-oil": _("중유"), "tap-water": _("수돗물"),
    "car": _("승용차"),
}  # fmt: skip
BOUNDARIES: dict[str, Any] = {
    "consumption": _("소비단"), "generation": _("발전단"), "combustion": _("연소"),
    "energy-industries": _("발전·에너지 산업"), "road": _("도로 수송"), "supply": _("공급"),
    "tailpipe": _("주행 중"),
}  # fmt: skip
# maturity: (sign, word)
MATURITIES: dict[str, tuple[str, Any]] = {
    "confirmed": ("good", _("원문 확인")), "secondary": ("info", _("옮긴 자료")),
    "press": ("watch", _("보도 인용")), "recalled": ("watch", _("출처 미확인")),
    "unconfirmed": ("bad", _("미확인")),
}  # fmt: skip
VERDICTS: dict[str, tuple[str, Any]] = {
    "match": ("good", _("일치")),
    "match-if-rounded-constant": ("info", _("반올림 상수면 일치")),
    "publisher-error": ("bad", _("발행처 오류")),
}
SEVERITIES: dict[str, tuple[str, Any]] = {
    "block": ("bad", _("쓸 수 없음")), "flag": ("watch", _("답이 필요함")),
    "note": ("info", _("참고")),
}  # fmt: skip
STATUSES: dict[str, tuple[str, Any]] = {
    "draft": ("info", _("올린 사람의 확인 전")), "checked": ("watch", _("다른 사람의 승인 대기")),
    "approved": ("good", _("쓰는 중")), "returned": ("bad", _("되돌림")),
}  # fmt: skip
FIELDS: dict[str, Any] = {
    "id": _("계수집"), "version": _("판"), "publisher": _("발행처"), "document": _("문서"),
    "edition": _("판본"), "article": _("조항"), "printed_table": _("표"), "page": _("쪽"),
    "url_name": _("온라인 자료"), "published": _("공표일"), "published_as": _("공표일에 대해"),
    "read": _("읽은 날"), "corrected": _("정정한 날"), "valid_from": _("적용 시작"),
    "valid_to": _("적용 끝"), "statistic_years": _("통계 연도"), "maturity": _("근거 등급"),
    "note": _("설명"), "programmes": _("쓸 수 있는 프로그램"),
}  # fmt: skip


def commodity(code: str) -> str:
    return str(COMMODITIES.get(code, code))


def boundary(code: str) -> str:
    return str(BOUNDARIES.get(code, code))
