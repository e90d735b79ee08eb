"""What people type. The rules themselves are in the services; forms only read."""

from typing import Any
from uuid import uuid4

from django import forms
from django.utils.translation import gettext_lazy as _

from onsil.citizen.approval import Application
from onsil.citizen.models import Merchant
from onsil.citizen.residence import Question

_MOST = 10**12


class AmountField(forms.IntegerField):
    """A whole amount; grouping commas, spaces and a trailing unit are forgiven."""

    widget = forms.TextInput

    def __init__(self, **kwargs: Any) -> None:
        attributes = {
            "inputmode": "numeric",
            "autocomplete": "off",
            "class": "amount__input",
            "placeholder": "0",
        }
        kwargs.setdefault("min_value", 1)
        kwargs.setdefault("max_value", _MOST)
        kwargs.setdefault("widget", forms.TextInput(attrs=attributes))
        super().__init__(**kwargs)

    def to_python(self, value: Any) -> int | None:
        if isinstance(value, str):
            value = value.translate(str.maketrans("", "", ", 원점P"))
        return super().to_python(value)


class AmountForm(forms.Form):
    """What is to be paid, in won."""

    amount = AmountField(label=_("금액(원)"))


class ConvertForm(forms.Form):
    """Points to be turned into local currency; `form_id` makes a second click the same act."""

    points = AmountField(label=_("전환할 포인트"))
    form_id = forms.UUIDField(widget=forms.HiddenInput, initial=uuid4)


class CodeForm(forms.Form):
    """What the camera read, or the eight characters typed instead."""

    code = forms.CharField(
        label=_("결제 코드"), max_length=400, strip=True,
        widget=forms.TextInput(attrs={
            "autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false",
            "placeholder": "ABCD 2345",
        }),
    )  # fmt: skip


class MerchantForm(forms.Form):
    """A shop's application."""

    name = forms.CharField(label=_("가맹점 이름"), max_length=80)
    business_number = forms.CharField(
        label=_("사업자등록번호"), max_length=14, help_text=_("숫자 10자리"),
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )  # fmt: skip
    kind = forms.ChoiceField(label=_("업종"), choices=Merchant.Kind.choices)
    address = forms.CharField(label=_("가게 주소"), max_length=200)
    yearly_sales_krw = AmountField(label=_("지난해 매출(원)"), min_value=0)

    def application(self) -> Application:
        return Application(**self.cleaned_data)


class ResidenceForm(forms.Form):
    """The questions of the city's residence check."""

    def __init__(self, questions: tuple[Question, ...], language: str, *args: Any) -> None:
        super().__init__(*args)
        english = language.startswith("en")
        for question in questions:
            attributes = {"autocomplete": question.autocomplete}
            if question.capitals:
                attributes |= {"autocapitalize": "characters", "spellcheck": "false"}
            self.fields[question.name] = forms.CharField(
                label=question.label_en if english else question.label_ko,
                help_text=question.hint_en if english else question.hint_ko,
                max_length=200, widget=forms.TextInput(attrs=attributes),
            )  # fmt: skip


class EnrolForm(forms.Form):
    """Joining a programme: the group whose terms apply, where there are several."""

    def __init__(self, groups: list[tuple[str, str]], *args: Any) -> None:
        super().__init__(*args)
        if len(groups) > 1:
            self.fields["group"] = forms.ChoiceField(
                label=_("해당하는 구분"), choices=groups, widget=forms.RadioSelect
            )
