"""What the plan's desk enters."""

from decimal import Decimal
from typing import Any

from django import forms
from django.core.validators import validate_slug
from django.utils.translation import gettext_lazy as _

from onsil.footprint import methodologies, targets

_FIRST, _LAST = 1990, 2100
GREENS = (
    ("building", _("그린빌딩")), ("water", _("그린워터")), ("forest", _("그린포레스트")),
    ("reuse", _("그린리유즈")), ("citizen", _("그린시티즌")), ("footprint", _("그린풋프린트")),
    ("hub", _("그린허브")),
)  # fmt: skip
VERDICTS = (
    ("done", _("완료")), ("on-track", _("정상 추진")), ("behind", _("지연")),
    ("not-started", _("미착수")), ("stopped", _("중단")),
)  # fmt: skip
KINDS = (("run", _("산정")), ("claim", _("배타 등록")), ("document", _("문서")))
GOALS = (
    ("reduction-pct", _("기준연도 대비 감축률(%)")),
    ("emission-t", _("배출 허용량(tCO₂e)")),
    ("reduction-t", _("과제가 줄일 양(tCO₂e)")),
)


def _year(label: Any) -> forms.IntegerField:
    return forms.IntegerField(label=label, min_value=_FIRST, max_value=_LAST)


class GoalForm(forms.Form):
    """A goal of a year with where it was read."""

    year = _year(_("연도"))
    kind = forms.ChoiceField(label=_("무엇"), choices=GOALS)
    value = forms.DecimalField(label=_("값"), min_value=0, max_digits=20, decimal_places=6)
    source = forms.CharField(label=_("출처"), max_length=300)
    confirmed = forms.BooleanField(label=_("원문으로 확인함"), required=False)

    def goal(self) -> targets.Goal:
        """The goal as stated. Call it on a valid form."""
        return targets.Goal(**self.cleaned_data)


class MeasureForm(forms.Form):
    """A measure's terms; a change needs its reason."""

    code = forms.CharField(label=_("과제 번호"), max_length=40, validators=[validate_slug])
    green = forms.ChoiceField(label=_("그린"), choices=GREENS)
    name_ko = forms.CharField(label=_("이름(한국어)"), max_length=120)
    name_en = forms.CharField(label=_("이름(영어)"), max_length=120)
    owner_ko = forms.CharField(label=_("맡은 부서(한국어)"), max_length=80)
    owner_en = forms.CharField(label=_("맡은 부서(영어)"), max_length=80)
    indicator_ko = forms.CharField(label=_("지표(한국어)"), max_length=80)
    indicator_en = forms.CharField(label=_("지표(영어)"), max_length=80)
    unit = forms.CharField(label=_("단위"), max_length=20)
    first_year = _year(_("첫해"))
    last_year = _year(_("마지막 해"))
    methodology = forms.ChoiceField(label=_("방법론"), required=False)
    source = forms.CharField(label=_("출처"), max_length=300)
    reason = forms.CharField(label=_("바꾸는 사유"), max_length=300, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = sorted({one.ID for one in methodologies()})
        self.fields["methodology"].choices = [  # pyright: ignore[reportAttributeAccessIssue]
            ("", _("정하지 않음")), *((one, one) for one in known)
        ]  # fmt: skip

    def terms(self) -> targets.MeasureTerms:
        """The terms as stated. Call it on a valid form."""
        left_out = ("code", "reason")
        return targets.MeasureTerms(
            **{k: v for k, v in self.cleaned_data.items() if k not in left_out}
        )


class TargetForm(forms.Form):
    """What a measure shall reach in a year; what is left empty is not stated."""

    year = _year(_("연도"))
    quantity = forms.DecimalField(
        label=_("물량"), required=False, min_value=0, max_digits=20, decimal_places=6
    )
    co2e_t = forms.DecimalField(
        label=_("감축량(tCO₂e)"), required=False, min_value=0, max_digits=20, decimal_places=6
    )
    budget_krw = forms.IntegerField(
        label=_("예산(원)"), required=False, min_value=0, max_value=10**15
    )
    reason = forms.CharField(label=_("바꾸는 사유"), max_length=300, required=False)

    def target(self) -> targets.YearTarget:
        """The target as stated. Call it on a valid form."""
        data = self.cleaned_data
        return targets.YearTarget(
            data["year"], data["quantity"], data["co2e_t"], data["budget_krw"]
        )


class EvidenceForm(forms.Form):
    """A run or claim by its number, or a paper with its name and what it says."""

    year = _year(_("연도"))
    kind = forms.ChoiceField(label=_("근거의 종류"), choices=KINDS)
    subject = forms.CharField(label=_("산정·등록 번호 또는 문서 번호"), max_length=120)
    note = forms.CharField(label=_("문서 이름"), max_length=300, required=False)
    quantity = forms.DecimalField(
        label=_("문서가 말하는 물량"), required=False, min_value=0, max_digits=20, decimal_places=6
    )
    co2e_t = forms.DecimalField(
        label=_("문서가 말하는 감축량(tCO₂e)"), required=False, min_value=0, max_digits=20,
        decimal_places=6,
    )  # fmt: skip


class ReasonForm(forms.Form):
    reason = forms.CharField(label=_("사유"), max_length=300)


class VerdictForm(forms.Form):
    """The year's verdict on one measure."""

    measure = forms.UUIDField(widget=forms.HiddenInput)
    verdict = forms.ChoiceField(label=_("점검 결과"), choices=VERDICTS)
    comment = forms.CharField(label=_("사유와 앞으로의 조치"), max_length=1000, required=False)


class WhatIfForm(forms.Form):
    """How many units of each lever, from when to when they come, and how the rest grows."""

    first = _year(_("시작하는 해"))
    last = _year(_("다 갖추는 해"))
    growth_pct = forms.DecimalField(
        label=_("과제 밖 배출의 연간 증가율(%)"), min_value=-20, max_value=20, decimal_places=2
    )

    def __init__(self, *args: Any, levers: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for code, label in levers:
            self.fields[f"units_{code}"] = forms.DecimalField(
                label=label, min_value=0, max_value=Decimal(10**9), decimal_places=3,
                required=False,
            )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        first, last = data.get("first"), data.get("last")
        if first and last and not first <= last <= first + 40:
            raise forms.ValidationError(_("시작하는 해부터 40년 안에 끝나야 합니다."))
        return data
