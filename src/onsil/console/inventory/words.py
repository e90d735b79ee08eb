"""Words of the inventory that programs spell as codes."""

from django.utils.translation import gettext_lazy as _

CAUSES = {
    "activity": _("활동량 변화"),
    "factor": _("배출계수 변화"),
    "gwp": _("GWP 변화"),
    "boundary": _("경계·구조 변화"),
    "method": _("방법 변화"),
    "error": _("오류 정정"),
}
NOTATION = {
    "NO": _("발생하지 않음"),
    "NE": _("산정하지 않음"),
    "IE": _("다른 항목에 포함"),
    "C": _("비밀"),
}
QUALITY = {"H": _("높음"), "M": _("보통"), "L": _("낮음")}
MATURITY = {
    "confirmed": _("원문에서 확인"),
    "secondary": _("다른 자료에서 옮김"),
    "press": _("보도에서 옮김"),
    "recalled": _("출처 미확인"),
    "unconfirmed": _("확인해야 함"),
}
APPROACHES = {
    "operational-control": _("운영 통제"),
    "financial-control": _("재무 통제"),
    "equity-share": _("지분율"),
}
UNIT_STATES = {
    "held": _("보유"), "retired": _("사용 완료"), "exported": _("반출"),
    "pending-export": _("반출 중"), "converted": _("상쇄배출권으로 전환"),
    "cancelled": _("취소됨"), "expired": _("만료"),
}  # fmt: skip
DECLARATIONS = {
    "Unknown": _("밝히지 않음"), "Not Required": _("필요 없음"), "Committed": _("약속함"),
}  # fmt: skip
ADJUSTMENTS = {
    "Unknown": _("알려지지 않음"), "Not Started": _("시작 안 함"), "Pending": _("진행 중"),
    "Completed": _("마침"),
}  # fmt: skip
