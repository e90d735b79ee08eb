"""What a verifier enters."""

from django import forms
from django.utils.translation import gettext_lazy as _

from onsil.console.evidence.models import Finding
from onsil.console.evidence.sampling import SIZE_MAX


class FilterForm(forms.Form):
    """Which runs are listed."""

    methodology = forms.ChoiceField(label=_("방법론"), required=False)
    status = forms.ChoiceField(
        label=_("상태"), required=False,
        choices=[("", _("모두")), ("quantified", _("산정됨")),
                 ("not-yet-measurable", _("아직 산정 불가"))],
    )  # fmt: skip
    meter = forms.CharField(label=_("계량기"), required=False, max_length=200)
    claimed = forms.ChoiceField(
        label=_("등록"), required=False,
        choices=[("", _("모두")), ("yes", _("등록됨")), ("no", _("등록 안 됨"))],
    )  # fmt: skip

    def __init__(self, *args: object, methodologies: list[str], **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # pyright: ignore[reportArgumentType]
        field = self.fields["methodology"]
        field.choices = [("", _("모두")), *((name, name) for name in methodologies)]  # pyright: ignore


class SampleForm(forms.Form):
    """A seed that others can repeat, and how many readings to draw."""

    seed = forms.CharField(
        label=_("씨앗"), max_length=80, help_text=_("같은 씨앗이면 누구나 같은 표본을 뽑습니다.")
    )
    size = forms.IntegerField(label=_("개수"), min_value=1, max_value=SIZE_MAX, initial=20)


class FindingForm(forms.Form):
    """A doubt about a run."""

    severity = forms.ChoiceField(label=_("무게"), choices=Finding.Severity.choices)
    title = forms.CharField(label=_("제목"), max_length=120)
    text = forms.CharField(
        label=_("내용"), max_length=4000, widget=forms.Textarea(attrs={"rows": 4})
    )


class RemarkForm(forms.Form):
    """An answer or a closing word."""

    text = forms.CharField(
        label=_("내용"), max_length=4000, widget=forms.Textarea(attrs={"rows": 3})
    )
