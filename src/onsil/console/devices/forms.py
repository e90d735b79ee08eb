"""Forms of the devices' screens; the rules behind them are the room's."""

from datetime import timedelta
from uuid import uuid4

from django import forms
from django.utils.translation import gettext_lazy as _

FILE_MAX_BYTES = 5 * 1024 * 1024


class UploadForm(forms.Form):
    """A list of devices to register."""

    file = forms.FileField(
        label=_("기기 목록"), help_text=_("CSV. 첫 줄에 열 이름"),
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.txt"}),
    )  # fmt: skip

    def clean_file(self) -> object:
        file = self.cleaned_data["file"]
        if file.size > FILE_MAX_BYTES:
            raise forms.ValidationError(_("5 MB보다 큰 파일입니다. 나누어 올려 주세요."))
        return file


class RotateForm(forms.Form):
    """A new token, and how long the old one still opens."""

    grace_hours = forms.TypedChoiceField(
        label=_("예전 토큰"), coerce=int,
        choices=[(0, _("바로 끝냄")), (1, _("1시간 더")), (24, _("하루 더")), (168, _("한 주 더"))],
    )  # fmt: skip
    valid_days = forms.IntegerField(
        label=_("새 토큰의 수명(일)"), required=False, min_value=1, max_value=3650,
        help_text=_("비우면 바꿀 때까지"),
    )  # fmt: skip

    @property
    def grace(self) -> timedelta:
        return timedelta(hours=self.cleaned_data["grace_hours"])

    @property
    def valid_for(self) -> timedelta | None:
        days = self.cleaned_data["valid_days"]
        return timedelta(days=days) if days else None


class CalibrationForm(forms.Form):
    """A calibration as its certificate says it."""

    series = forms.ChoiceField(label=_("항목"))
    scale = forms.DecimalField(label=_("배율"), initial=1, max_digits=14, decimal_places=8)
    shift = forms.DecimalField(label=_("더하는 값"), initial=0, max_digits=14, decimal_places=6)
    valid_from = forms.DateField(label=_("첫날"), widget=forms.DateInput(attrs={"type": "date"}))
    valid_until = forms.DateField(
        label=_("마지막 날"), required=False, widget=forms.DateInput(attrs={"type": "date"})
    )
    certificate = forms.CharField(label=_("성적서 번호"), max_length=120, required=False)

    def __init__(self, *args: object, series: list[tuple[str, str]], **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # pyright: ignore[reportArgumentType]
        self.fields["series"].choices = series  # pyright: ignore[reportAttributeAccessIssue]


class OrderForm(forms.Form):
    """A command to one actuator."""

    form_id = forms.UUIDField(widget=forms.HiddenInput, initial=uuid4)
    actuator = forms.ChoiceField(label=_("작동기"))
    value = forms.CharField(label=_("값"), max_length=200, help_text=_("켜기/끄기는 true, false"))
    minutes = forms.IntegerField(
        label=_("유효 시간(분)"), initial=10, min_value=1, max_value=1440,
        help_text=_("그 안에 답이 없으면 만료되고 안전 상태로 돌립니다"),
    )  # fmt: skip

    def __init__(self, *args: object, actuators: list[tuple[str, str]], **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # pyright: ignore[reportArgumentType]
        self.fields["actuator"].choices = actuators  # pyright: ignore[reportAttributeAccessIssue]
