"""Forms of the factor library; the rules behind them are the room's."""

from django import forms
from django.utils.translation import gettext_lazy as _


class UploadForm(forms.Form):
    """A file of factors or coefficients."""

    file = forms.FileField(
        label=_("계수 파일"), help_text=_("TOML, CSV, XLSX. 1 MB까지"),
        widget=forms.ClearableFileInput(attrs={"accept": ".toml,.csv,.xlsx"}),
    )  # fmt: skip
    everywhere = forms.BooleanField(label=_("이 설치의 모든 도시에"), required=False)


class AnswerForm(forms.Form):
    """How the flagged places were looked at."""

    text = forms.CharField(
        label=_("표시된 곳을 어떻게 보았나요"), required=False, max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )  # fmt: skip


class ReasonForm(forms.Form):
    """Why an import is sent back."""

    text = forms.CharField(
        label=_("되돌리는 까닭"), max_length=1000, widget=forms.Textarea(attrs={"rows": 3})
    )
