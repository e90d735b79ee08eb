"""The yearly review (이행점검) as a workbook, one line a measure."""

from io import BytesIO
from typing import Any

from django.http import HttpResponse
from django.utils.translation import gettext as _
from openpyxl import Workbook
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter

from onsil.console.export import cell
from onsil.console.targets.board import Line
from onsil.footprint import targets
from onsil.tenancy.cities import CityProfile

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_WIDTHS = (10, 34, 20, 20, 10, 14, 14, 14, 14, 12, 12, 12, 46)


def review_workbook(
    city: CityProfile,
    plan: targets.Plan,
    year: int,
    lines: list[Line],
    review: targets.Review | None,
    gap: targets.Gap | None,
) -> HttpResponse:
    """The review as it stands now, with its state and, once handed in, its fingerprint."""
    book = Workbook()
    sheet: Any = book.active
    sheet.title = str(year)
    state = _("시작하지 않음") if review is None else review.status
    sheet.append([f"{city.name()} {plan.name_ko} – {year}"])
    sheet.append([_("상태"), state, "SHA-256", (review.sha256 if review else None) or "–"])
    covered = targets.coverage([one.progress for one in lines])
    percent = "–" if covered.covered_pct is None else f"{covered.covered_pct}%"
    sheet.append([_("점검 비율"), percent, _("과제 수"), covered.in_force])
    sheet.append([
        _("허용 배출량 tCO₂e"), gap and gap.allowed_t, _("인벤토리 tCO₂e"), gap and gap.emitted_t,
        _("목표와의 차이 tCO₂e"), gap and gap.over_t,
    ])  # fmt: skip
    sheet.append([
        _("과제 번호"), _("과제"), _("맡은 부서"), _("지표"), _("단위"), _("목표 물량"),
        _("확인된 물량"),
        _("목표 tCO₂e"), _("확인된 tCO₂e"), _("달성률(%)"), _("실측 여부"), _("점검 결과"),
        _("사유와 앞으로의 조치"),
    ])  # fmt: skip
    for one in lines:
        sheet.append([cell(value) for value in _row(one)])
    sheet["A1"].font = Font(bold=True, size=14)
    for head in sheet[5]:
        head.font = Font(bold=True)
    for number, width in enumerate(_WIDTHS, 1):
        sheet.column_dimensions[get_column_letter(number)].width = width
    for row in sheet.iter_rows(min_row=6, min_col=13, max_col=13):
        row[0].alignment = Alignment(wrap_text=True, vertical="top")
    sheet.freeze_panes = "C6"
    kept = BytesIO()
    book.save(kept)
    response = HttpResponse(kept.getvalue(), content_type=XLSX)
    name = f"{city.code}-{plan.code}-review-{year}.xlsx"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _row(one: Line) -> tuple[Any, ...]:
    found = one.progress
    target = found.target
    measured = None if not found.evidence else _("실측") if found.measured else _("문서 포함")
    return (
        found.measure.code, one.name, one.owner, one.indicator, found.measure.terms.unit,
        target.quantity if target else None, found.quantity, target.co2e_t if target else None,
        found.co2e_t, found.share_pct, measured, one.verdict,
        found.line.comment if found.line else None,
    )  # fmt: skip
