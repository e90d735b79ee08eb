"""Forms of the currency office; the rules behind them are the rooms'."""

from uuid import uuid4

from django import forms
from django.utils.translation import gettext_lazy as _

from onsil.citizen.policy_list import Defaults

_DATE = forms.DateInput(attrs={"type": "date"})


class UploadForm(forms.Form):
    """A list of recipients, and what holds for every row that does not say otherwise."""

    form_id = forms.UUIDField(widget=forms.HiddenInput, initial=uuid4)
    title = forms.CharField(label=_("이름"), max_length=120)
    file = forms.FileField(
        label=_("대상자 파일"), help_text=_("CSV 또는 엑셀(xlsx). 첫 줄에 대상자, 금액 열"),
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.tsv,.txt,.xlsx"}),
    )  # fmt: skip
    fund = forms.CharField(
        label=_("재원 코드"), max_length=39, required=False, help_text=_("예: relief-2026")
    )
    last_day = forms.DateField(label=_("사용기한(마지막 날)"), widget=_DATE, required=False)
    merchant_rule = forms.ChoiceField(label=_("사용처"), required=False)

    def __init__(self, *args: object, rules: list[tuple[str, object]], **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # pyright: ignore[reportArgumentType]
        self.fields["merchant_rule"].choices = rules

    def defaults(self) -> Defaults:
        """What holds for rows without a cell of their own. Call it on a valid form."""
        data = self.cleaned_data
        return Defaults(data["fund"].strip(), data["last_day"], data["merchant_rule"])


class BudgetForm(forms.Form):
    """Won to bring to a fund's budget."""

    form_id = forms.UUIDField(widget=forms.HiddenInput, initial=uuid4)
    fund = forms.CharField(label=_("재원 코드"), max_length=39)
    won = forms.IntegerField(label=_("금액(원)"), min_value=1, max_value=10**13)

    def __init__(self, *args: object, **kwargs: object) -> None:
        # It stands beside the upload's form, whose fields bear the same names.
        super().__init__(*args, auto_id="budget_%s", **kwargs)  # pyright: ignore


class DecisionForm(forms.Form):
    """Letting a list go, or returning it with a reason."""

    decision = forms.ChoiceField(choices=[("approve", ""), ("return", "")])
    reason = forms.CharField(max_length=300, required=False)


class DayForm(forms.Form):
    """The day whose rules are looked at."""

    on = forms.DateField(label=_("이날의 규칙"), widget=_DATE)
