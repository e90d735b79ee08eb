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


class ChargeForm(forms.Form):
    """How much to charge; `form_id` makes a second click the same order."""

    amount = AmountField(label=_("충전할 금액(원)"))
    form_id = forms.UUIDField(widget=forms.HiddenInput)


class GiftForm(forms.Form):
    """To whom, how much, and a few words."""

    to = forms.CharField(
        label=_("받는 분의 회원번호나 전화번호"), max_length=40, strip=True,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters",
                                      "spellcheck": "false"}),
    )  # fmt: skip
    amount = AmountField(label=_("보낼 금액(원)"))
    words = forms.CharField(
        label=_("전할 말(선택)"), max_length=80, required=False, strip=True,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )  # fmt: skip
    form_id = forms.UUIDField(widget=forms.HiddenInput)


class RefundForm(forms.Form):
    """Which charges, as (charge, won) pairs as they were shown, and the account to pay to."""

    lines = forms.MultipleChoiceField(label=_("환불받을 충전"))
    bank = forms.CharField(
        label=_("은행"), max_length=40, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    number = forms.CharField(
        label=_("계좌번호"), max_length=30,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )  # fmt: skip
    holder = forms.CharField(
        label=_("예금주"), max_length=80, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    form_id = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, data: Any = None) -> None:
        super().__init__(data)
        given = data.getlist("lines") if data is not None else ()
        self.fields["lines"].choices = [(one, one) for one in given]  # pyright: ignore

    def clean_lines(self) -> list[tuple[str, int]]:
        pairs = [text.partition(":") for text in self.cleaned_data["lines"]]
        if not all(amount.isascii() and amount.isdigit() for _charge, _colon, amount in pairs):
            raise forms.ValidationError(_("환불받을 충전을 다시 골라 주세요."))
        return [(charge, int(amount)) for charge, _colon, amount in pairs]


class CancelForm(forms.Form):
    """How much of a payment to give back."""

    amount = AmountField(label=_("취소할 금액(원)"))
    form_id = forms.UUIDField(widget=forms.HiddenInput)


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
