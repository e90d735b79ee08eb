"""What people enter in a project's workspace. The rules behind each are the footprint room's."""

from datetime import date
from decimal import Decimal

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.translation import gettext_lazy as _

_YEARS = _("2000년부터 2199년까지의 날짜를 적어 주세요.")
_BOUNDS = (
    MinValueValidator(date(2000, 1, 1), _YEARS), MaxValueValidator(date(2199, 12, 31), _YEARS),
)  # fmt: skip
_HIDDEN = forms.HiddenInput
FINDING_KINDS = (
    ("CAR", _("시정 조치 요구(CAR)")), ("CL", _("설명 요구(CL)")),
    ("FAR", _("다음 검증에서 확인(FAR)")),
)  # fmt: skip
SEVERITIES = (
    ("material", _("중대")), ("minor", _("경미")), ("observation", _("의견")),
)  # fmt: skip
OUTCOMES = (
    ("positive", _("적정")), ("qualified", _("한정")), ("adverse", _("부적정")),
    ("disclaimed", _("의견 거절")),
)  # fmt: skip
ASSURANCES = (("reasonable", _("합리적 보증")), ("limited", _("제한적 보증")))
STRUCTURES = (("single", _("단독")), ("bundle", _("묶음")), ("programme", _("프로그램형")))
TESTS = (
    ("legal-surplus", _("법적 추가성")), ("investment", _("경제적 추가성")),
    ("common-practice", _("관행 분석")),
)  # fmt: skip


def _day(label: object, *, required: bool = True) -> forms.DateField:
    widget = forms.DateInput(attrs={"type": "date"})
    return forms.DateField(label=label, widget=widget, validators=_BOUNDS, required=required)


def _text(label: object, rows: int = 3, *, required: bool = True, **more) -> forms.CharField:
    widget = forms.Textarea(attrs={"rows": rows})
    return forms.CharField(label=label, max_length=4000, widget=widget, required=required, **more)


def _line(label: object, length: int = 200, *, required: bool = True, **more) -> forms.CharField:
    return forms.CharField(label=label, max_length=length, required=required, **more)


def _tonnes(label: object, **more) -> forms.DecimalField:
    return forms.DecimalField(
        label=label, min_value=more.pop("min_value", 0), max_digits=18, decimal_places=6, **more
    )


class StepForm(forms.Form):
    """A step of the route; `seen` is how many steps the page showed."""

    transition = forms.SlugField(widget=_HIDDEN)
    seen = forms.IntegerField(widget=_HIDDEN, min_value=0)
    monitoring = forms.UUIDField(widget=_HIDDEN, required=False)
    note = _line(_("메모"), 500, required=False)


class DocumentForm(forms.Form):
    """A file with what it is."""

    kind = forms.ChoiceField(label=_("문서 종류"))
    title = _line(_("제목"))
    language = forms.ChoiceField(label=_("언어"), choices=[("ko", _("한국어")), ("en", _("영어"))])
    monitoring = forms.ChoiceField(label=_("어디에 속하나요"), required=False)
    file = forms.FileField(label=_("파일"), help_text=_("20 MiB까지"))


class FindingForm(forms.Form):
    kind = forms.ChoiceField(label=_("종류"), choices=FINDING_KINDS)
    severity = forms.ChoiceField(label=_("무게"), choices=SEVERITIES)
    monitoring = forms.ChoiceField(label=_("어디에 속하나요"), required=False)
    title = _line(_("제목"))
    text = _text(_("내용"), 4)


class RemarkForm(forms.Form):
    finding = forms.UUIDField(widget=_HIDDEN)
    act = forms.ChoiceField(
        widget=_HIDDEN, choices=[(one, one) for one in ("answered", "reopened", "closed")]
    )
    text = _text(_("내용"))


class EngagementForm(forms.Form):
    """The name and the accreditation are typed from the body's own papers."""

    monitoring = forms.ChoiceField(label=_("무엇을 맡기나요"), required=False)
    organisation = _line(_("기관 이름"))
    accreditation = _line(_("인정 번호"), help_text=_("인정서를 보고 적습니다."))
    scopes = _line(_("인정 분야"))
    accredited_until = _day(_("인정 만료일"))
    starts_on = _day(_("시작일"))
    ends_on = _day(_("종료일"))
    members = forms.MultipleChoiceField(label=_("담당 검증인"), required=False)
    independence = _text(_("독립성 확인"), 2, help_text=_("사업자와 이해관계가 없음을 적습니다."))


class VisitForm(forms.Form):
    engagement = forms.UUIDField(widget=_HIDDEN)
    visited_on = _day(_("확인한 날"))
    note = _text(_("무엇을 보았나요"))


class SampleForm(forms.Form):
    engagement = forms.UUIDField(widget=_HIDDEN)
    run_id = forms.UUIDField(label=_("산정 번호"))
    seed = _line(_("씨앗"), 80)
    population = forms.IntegerField(label=_("모집단"), min_value=1)
    size = forms.IntegerField(label=_("표본"), min_value=1)
    deviations = forms.IntegerField(label=_("어긋난 것"), min_value=0)
    misstatement_t = _tonnes(_("오류(tCO2e)"), min_value=None, initial=Decimal(0))


class OpinionForm(forms.Form):
    engagement = forms.UUIDField(widget=_HIDDEN)
    outcome = forms.ChoiceField(label=_("의견"), choices=OUTCOMES)
    assurance = forms.ChoiceField(label=_("보증 수준"), choices=ASSURANCES)
    reported_t = _tonnes(_("보고한 양(tCO2e)"))
    misstatement_t = _tonnes(_("오류 합계(tCO2e)"), initial=Decimal(0))
    threshold_pct = forms.DecimalField(
        label=_("중요성 기준(%)"), min_value=1, max_value=100, initial=5, max_digits=5,
        decimal_places=2,
    )  # fmt: skip
    text = _text(_("근거"))


class DesignForm(forms.Form):
    structure = forms.ChoiceField(label=_("사업 형태"), choices=STRUCTURES)
    developer = _line(_("사업자"))
    boundary = _text(_("사업 경계"), 2, required=False)
    register_name = _line(_("외부 등록부"), required=False, help_text=_("등록한 뒤에만 적습니다."))
    register_number = _line(_("외부 등록번호"), required=False)
    methodology_number = _line(
        _("공식 방법론 번호"), required=False, help_text=_("등록부에서 보고 적습니다.")
    )


class SiteForm(forms.Form):
    code = forms.RegexField(r"^[A-Za-z0-9-]{1,40}$", label=_("사업장 코드"))
    name_ko = _line(_("이름(한국어)"), 120)
    name_en = _line(_("이름(영어)"), 120)
    entity = _line(_("데이터 허브의 개체"), required=False)
    capacity = forms.DecimalField(label=_("용량"), min_value=0, required=False)
    capacity_unit = _line(_("용량 단위"), 20, required=False)
    longitude = forms.DecimalField(label=_("경도"), min_value=-180, max_value=180, required=False)
    latitude = forms.DecimalField(label=_("위도"), min_value=-90, max_value=90, required=False)
    expected_t_per_year = _tonnes(_("예상 감축량(tCO2e/년)"))
    joined_on = _day(_("참여일"))

    def clean(self) -> dict[str, object]:
        data = super().clean() or {}
        if bool(data.get("capacity")) != bool(data.get("capacity_unit")):
            raise forms.ValidationError(_("용량과 단위를 함께 적어 주세요."))
        if (data.get("longitude") is None) != (data.get("latitude") is None):
            raise forms.ValidationError(_("경도와 위도를 함께 적어 주세요."))
        return data


class LeaveForm(forms.Form):
    site = forms.UUIDField(widget=_HIDDEN)
    left_on = _day(_("빠지는 날"))
    reason = _line(_("까닭"))


class MemberCreditingForm(forms.Form):
    site = forms.UUIDField(widget=_HIDDEN)
    starts = _day(_("인정 시작일"))
    ends = _day(_("인정 종료일"))
    reason = _line(_("까닭"))


class MemberDutyForm(forms.Form):
    site = forms.UUIDField(widget=_HIDDEN)
    law = _line(_("법령과 조문"))
    text = _text(_("의무의 내용"), 2)
    in_force_on = _day(_("시행일"))


class UnitForm(forms.Form):
    code = forms.RegexField(r"^[A-Za-z0-9-]{1,40}$", label=_("단위 코드"))
    name_ko = _line(_("이름(한국어)"), 120)
    name_en = _line(_("이름(영어)"), 120)
    started_on = _day(_("시작일"))
    area_ha = forms.DecimalField(label=_("면적(ha)"), min_value=0, required=False)
    parameters = _text(_("매개변수"), required=False, help_text=_("한 줄에 하나씩 ‘이름 = 값’"))

    def clean_parameters(self) -> dict[str, str]:
        found = {}
        for line in self.cleaned_data["parameters"].splitlines():
            name, mark, value = line.partition("=")
            if line.strip() and not mark:
                raise forms.ValidationError(_("한 줄에 하나씩 ‘이름 = 값’으로 적어 주세요."))
            if line.strip():
                found[name.strip()] = value.strip()
        return found


class DeviceForm(forms.Form):
    role = _line(_("쓰임"), 60, help_text=_("방법론의 이름: 예) generation"))
    meter = _line(_("계량기(개체#속성)"))
    since = _day(_("쓰기 시작한 날"))


class CalibrationForm(forms.Form):
    device = forms.UUIDField(widget=_HIDDEN)
    first = _day(_("교정일"))
    until = _day(_("만료일(그날은 빼고)"))
    certificate = _line(_("성적서 번호"), 120)


class PlanForm(forms.Form):
    """A plan's parameters as lines of seven fields."""

    effective_on = _day(_("시행일"))
    parameters = _text(
        _("모니터링 항목"), 6,
        help_text=_("한 줄에 하나씩: 기호 | 이름 | 영어 이름 | 단위 | 출처 | 주기 | 품질관리"),
    )  # fmt: skip
    quality = _text(_("품질보증·관리"), 2, required=False)
    responsible = _line(_("책임자"))
    reason = _line(_("바꾸는 까닭"), required=False)

    def clean_parameters(self) -> tuple[dict[str, str], ...]:
        names = ("id", "ko", "en", "unit", "source", "frequency", "quality")
        made = []
        for line in self.cleaned_data["parameters"].splitlines():
            fields = [field.strip() for field in line.split("|")]
            if line.strip() and (len(fields) != len(names) or not all(fields)):
                raise forms.ValidationError(_("한 줄에 일곱 칸을 ‘|’로 나누어 적어 주세요."))
            if line.strip():
                made.append(dict(zip(names, fields, strict=True)))
        return tuple(made)


class EvidenceForm(forms.Form):
    test = forms.ChoiceField(label=_("무엇을"), choices=TESTS)
    shown = forms.BooleanField(label=_("추가성이 확인됨"), required=False)
    text = _text(_("근거"))
    assessed_on = _day(_("확인한 날"))
    valid_until = _day(_("언제까지 유효한가"), required=False)


class DutyForm(forms.Form):
    law = _line(_("법령과 조문"))
    text = _text(_("의무의 내용"), 2)
    in_force_on = _day(_("시행일"))
    every = forms.BooleanField(label=_("이 방법론의 모든 사업에"), required=False)


class WithdrawForm(forms.Form):
    duty = forms.UUIDField(widget=_HIDDEN)
    reason = _line(_("거두는 까닭"))


class MoveForm(forms.Form):
    reason = _line(_("까닭"))
