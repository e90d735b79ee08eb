"""What accountants enter."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from onsil.ledger.reconciliation import PROBLEMS

_DAY = forms.DateInput(attrs={"type": "date"})


class FileForm(forms.Form):
    """A bank's or card network's file. `covers`: for a day on which nothing happened."""

    account = forms.ChoiceField(label=_("계좌"))
    form = forms.ChoiceField(label=_("파일 형식"))
    file = forms.FileField(label=_("파일"), max_length=200)
    first = forms.DateField(label=_("조회 기간 처음"), required=False, widget=_DAY)
    last = forms.DateField(label=_("조회 기간 끝"), required=False, widget=_DAY)

    def __init__(self, *args: Any, accounts: list[tuple[str, str]], forms_: list[tuple[str, str]],
                 **kwargs: Any) -> None:  # fmt: skip
        super().__init__(*args, **kwargs)
        self.fields["account"].choices = accounts  # pyright: ignore
        self.fields["form"].choices = forms_  # pyright: ignore

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        first, last = data.get("first"), data.get("last")
        if bool(first) != bool(last):
            raise forms.ValidationError(_("조회 기간은 처음과 끝을 함께 적어 주세요."))
        if first and last and not first <= last:
            raise forms.ValidationError(_("조회 기간의 끝이 처음보다 앞섭니다."))
        if first and last and (last - first).days > 366:
            raise forms.ValidationError(_("조회 기간은 한 해까지입니다."))
        return data


class ExceptionFilter(forms.Form):
    """Which exceptions are shown."""

    account = forms.ChoiceField(label=_("계좌"), required=False)
    problem = forms.ChoiceField(label=_("무엇이 문제인가"), required=False)
    side = forms.ChoiceField(
        label=_("어느 쪽"), required=False,
        choices=[("", _("모두")), ("bank", _("은행")), ("book", _("장부"))],
    )  # fmt: skip
    older = forms.IntegerField(label=_("며칠 넘은 것"), required=False, min_value=0, max_value=3650)

    def __init__(self, *args: Any, accounts: list[tuple[str, str]], words: dict[str, Any],
                 **kwargs: Any) -> None:  # fmt: skip
        super().__init__(*args, **kwargs)
        self.fields["account"].choices = [("", _("모두")), *accounts]  # pyright: ignore
        self.fields["problem"].choices = [  # pyright: ignore
            ("", _("모두")), *((p, words[p]) for p in PROBLEMS)
        ]  # fmt: skip


class ActForm(forms.Form):
    """What is to be done with the chosen lines, and why."""

    act = forms.ChoiceField(choices=[("match", "match"), ("correct", "correct")])
    lines = forms.TypedMultipleChoiceField(choices=[], required=False)
    correction = forms.CharField(required=False, max_length=40)
    reason = forms.CharField(required=False, max_length=300)


class StatementForm(forms.Form):
    """An account, an asset and a period; the last day is part of it."""

    account = forms.CharField(label=_("계정"), max_length=120)
    asset = forms.CharField(label=_("자산"), max_length=120, initial="KRW")
    first = forms.DateField(label=_("처음 날"), widget=_DAY)
    last = forms.DateField(label=_("마지막 날"), widget=_DAY)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("first") and data.get("last") and data["last"] < data["first"]:
            raise forms.ValidationError(_("마지막 날이 처음 날보다 앞섭니다."))
        return data
