"""What officials enter at the registry desk; `key` makes sending a form twice harmless."""

from uuid import uuid4

from django import forms
from django.utils.translation import gettext_lazy as _

from onsil.footprint import credits

_CAUSES = {
    "dead-trees": _("고사"), "felling": _("벌채"), "fire": _("화재"), "other": _("그 밖"),
}  # fmt: skip
_UNITS = (("tCO2e", "tCO2e"), ("m3", "m³"))


def _day(label, **more) -> forms.DateField:
    return forms.DateField(label=label, widget=forms.DateInput({"type": "date"}), **more)


class KeyedForm(forms.Form):
    """A form that acts once."""

    key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid4)


class BatchForm(KeyedForm):
    batch = forms.UUIDField(label=_("묶음 번호"))
    units = forms.IntegerField(label=_("수량"), min_value=1)


class HoldingForm(BatchForm):
    account = forms.CharField(label=_("보유 계정"), max_length=120)


class ReversalForm(KeyedForm):
    project = forms.UUIDField(label=_("사업 번호"))
    cause = forms.ChoiceField(label=_("원인"), choices=list(_CAUSES.items()))
    tonnes = forms.DecimalField(label=_("손실량(t)"), max_digits=20, decimal_places=9)
    happened_on = _day(_("일어난 날"))
    evidence = forms.CharField(label=_("근거"), max_length=300)


class BufferForm(BatchForm):
    reason = forms.CharField(label=_("사유"), max_length=300)


class ExportForm(HoldingForm):
    registry = forms.CharField(label=_("상대 등록부"), max_length=120)
    recipient = forms.CharField(label=_("그곳의 받는 계정"), max_length=120)


class ImportForm(KeyedForm):
    registry = forms.CharField(label=_("상대 등록부"), max_length=120)
    serials = forms.CharField(
        label=_("그곳의 일련번호"), max_length=300, help_text=_("받은 그대로 적습니다.")
    )
    units = forms.IntegerField(label=_("수량"), min_value=1)
    unit = forms.ChoiceField(label=_("단위"), choices=_UNITS)
    vintage = forms.IntegerField(label=_("발생 연도"), min_value=1990)
    project = forms.CharField(label=_("그곳의 사업 이름"), max_length=200)
    reference = forms.CharField(label=_("그곳의 사업 번호"), max_length=120, required=False)
    standard = forms.CharField(label=_("표준"), max_length=120, required=False)
    account = forms.CharField(label=_("받을 계정"), max_length=120)
    evidence = forms.CharField(label=_("근거"), max_length=300)


class LabelForm(KeyedForm):
    label = forms.ChoiceField(
        label=_("라벨"), choices=lambda: [(one, one) for one in credits.labels_known()]
    )
    batch = forms.UUIDField(
        label=_("묶음 번호"), required=False, help_text=_("방법론의 판에 줄 때는 비워 둡니다.")
    )
    methodology = forms.CharField(label=_("방법론"), max_length=80, required=False)
    version = forms.CharField(label=_("판"), max_length=20, required=False)
    starts = _day(_("시작"))
    ends = _day(_("끝(그날부터 없음)"), required=False)
    reference = forms.CharField(label=_("근거"), max_length=300)


class AdjustmentForm(KeyedForm):
    batch = forms.UUIDField(label=_("묶음 번호"))
    declaration = forms.ChoiceField(
        label=_("상응조정 선언"), choices=[(one, one) for one in credits.DECLARATIONS]
    )
    status = forms.ChoiceField(
        label=_("상응조정 상태"), choices=[(one, one) for one in credits.ADJUSTMENTS]
    )
    country = forms.RegexField(r"^[A-Z]{2}$", label=_("유치국(두 글자)"), required=False)
    letter = forms.CharField(label=_("승인서 번호"), max_length=120, required=False)
    letter_on = _day(_("승인서 날짜"), required=False)


class PlanForm(KeyedForm):
    project = forms.UUIDField(label=_("사업 번호"))
    vintage = forms.IntegerField(label=_("발생 연도"), min_value=1990)
    units = forms.IntegerField(label=_("수량"), min_value=1)
    basis = forms.CharField(label=_("근거"), max_length=300)


def _planned_holder() -> forms.CharField:
    return forms.CharField(
        label=_("계획분 보유 계정"), max_length=120, required=False,
        help_text=_("비우면 사업이 가진 계획분입니다."),
    )  # fmt: skip


class FulfilForm(KeyedForm):
    planned = forms.UUIDField(label=_("계획 번호"))
    batch = forms.UUIDField(label=_("묶음 번호"))
    account = _planned_holder()
    units = forms.IntegerField(label=_("수량"), min_value=1)


class HandOnForm(KeyedForm):
    planned = forms.UUIDField(label=_("계획 번호"))
    account = forms.CharField(label=_("계획분 보유 계정"), max_length=120)
    destination = forms.CharField(label=_("받을 계정"), max_length=120)
    units = forms.IntegerField(label=_("수량"), min_value=1)


class DropForm(KeyedForm):
    planned = forms.UUIDField(label=_("계획 번호"))
    account = _planned_holder()
    units = forms.IntegerField(label=_("수량"), min_value=1)
    reason = forms.CharField(label=_("사유"), max_length=300)


class RecoveryForm(HoldingForm):
    project = forms.UUIDField(label=_("손실이 난 사업 번호"))


class CancelForm(HoldingForm):
    reason = forms.CharField(label=_("사유"), max_length=300)


class TransferForm(HoldingForm):
    destination = forms.CharField(label=_("받을 계정"), max_length=120)
    memo = forms.CharField(label=_("적요"), max_length=200, required=False)


class HolderForm(KeyedForm):
    account = forms.CharField(label=_("보유 계정"), max_length=120)
    name = forms.CharField(
        label=_("공개할 이름"), max_length=120, required=False,
        help_text=_("동의한 이름만 적습니다. 비우면 다시 감춥니다."),
    )  # fmt: skip


class ElsewhereForm(KeyedForm):
    registry = forms.CharField(label=_("상대 등록부"), max_length=120)
    serials = forms.CharField(label=_("그곳의 일련번호"), max_length=300)
    units = forms.IntegerField(label=_("수량"), min_value=1)
    beneficiary = forms.CharField(label=_("누구를 위해"), max_length=200)
    retired_on = _day(_("쓰인 날"))
    evidence = forms.CharField(label=_("근거"), max_length=300)
    export = forms.UUIDField(label=_("우리의 내보내기 번호"), required=False)


class SplitForm(KeyedForm):
    block = forms.UUIDField(label=_("구간 번호"))
    units = forms.IntegerField(label=_("앞쪽에 둘 수량"), min_value=1)
