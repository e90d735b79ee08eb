"""What a company enters to buy and to use up credits."""

from uuid import uuid4

from django import forms
from django.utils.translation import gettext_lazy as _


class TonnesForm(forms.Form):
    """How many tonnes of one offer."""

    tonnes = forms.IntegerField(label=_("톤"), min_value=1, max_value=1_000_000)


class PurchaseForm(TonnesForm):
    """A purchase that was shown and is now confirmed; `key` makes sending it twice harmless."""

    unit_price_krw = forms.IntegerField(min_value=1, widget=forms.HiddenInput)
    key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid4)


class RetirementForm(forms.Form):
    """Credits to be used up, for whom and why."""

    tonnes = forms.IntegerField(
        label=_("사용할 톤"), min_value=1, max_value=1_000_000,
        help_text=_("온전한 톤만 쓸 수 있습니다."),
    )  # fmt: skip
    beneficiary = forms.CharField(
        label=_("누구를 위한 것인가요"), max_length=120,
        help_text=_("공개 증서에 그대로 적힙니다."),
    )  # fmt: skip
    reason = forms.CharField(
        label=_("사유"), max_length=200, help_text=_("예: 2025년 사업장 배출량 상쇄")
    )
    sure = forms.BooleanField(label=_("되돌릴 수 없음을 알고 있습니다."))
    key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid4)
