"""What a company enters to buy and to use up credits."""

from typing import Any
from uuid import uuid4

from django import forms
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _

from onsil.footprint.market import RevenueShare


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


class OfferOrderForm(forms.Form):
    """An order at the listed price or below it; `key` makes sending it twice harmless."""

    tonnes = forms.IntegerField(label=_("톤"), min_value=1, max_value=1_000_000)
    unit_price_krw = forms.IntegerField(
        label=_("톤당 가격(원)"), min_value=1, max_value=10**9,
        help_text=_("등록 가격이면 바로 주문이 되고, 낮추면 제안이 됩니다."),
    )  # fmt: skip
    message = forms.CharField(label=_("담당자에게 남기는 말"), max_length=300, required=False)
    key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid4)


class RevenueForm(forms.Form):
    """How a sale's won are shared: the incentive fund's part, and one other account's."""

    project = forms.UUIDField(label=_("사업 번호(비우면 도시 전체)"), required=False)
    starts_on = forms.DateField(label=_("시행일"), widget=forms.DateInput(attrs={"type": "date"}))
    fund_percent = forms.DecimalField(
        label=_("시민 보상 기금의 몫(%)"), min_value=0, max_value=100, decimal_places=2
    )
    other_account = forms.CharField(
        label=_("나머지를 받는 계정"), max_length=60, required=False,
        validators=[RegexValidator(r"^(fund|revenue):[a-z0-9-]+$")],
        help_text=_("예: revenue:owner (기금이 모두 받으면 비웁니다)"),
    )  # fmt: skip
    reason = forms.CharField(label=_("사유와 근거 문서"), max_length=300)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        percent = data.get("fund_percent")
        if percent is not None and percent < 100 and not data.get("other_account"):
            raise forms.ValidationError(_("나머지를 누가 받는지 적어 주세요."))
        return data

    def shares(self) -> list[RevenueShare]:
        """The shares as stated. Call it on a valid form."""
        fund = int(self.cleaned_data["fund_percent"] * 100)
        both = [
            RevenueShare("fund:incentive", fund),
            RevenueShare(self.cleaned_data["other_account"], 10_000 - fund),
        ]
        return [one for one in both if one.bp]


class ForecastForm(forms.Form):
    """Tonnes a year, and for each market its part of them, its price and its years."""

    first_year = forms.IntegerField(label=_("첫해"), min_value=2000, max_value=2100)
    tonnes = forms.DecimalField(
        label=_("한 해의 감축량(톤)"), min_value=0, max_value=10**9, initial=12_540
    )
    growth_pct = forms.DecimalField(
        label=_("가격이 해마다 오르내리는 폭(%)"), min_value=0, max_value=50, initial=2
    )
    compliance_price = forms.DecimalField(
        label=_("규제시장 가격(원/톤)"), min_value=0, max_value=10**7, initial=19_746
    )
    compliance_years = forms.IntegerField(
        label=_("규제시장 기간(년)"), min_value=1, max_value=60, initial=21
    )
    compliance_from = forms.DecimalField(
        label=_("규제시장 몫의 시작(%)"), min_value=0, max_value=100, initial=0
    )
    compliance_to = forms.DecimalField(
        label=_("규제시장 몫의 끝(%)"), min_value=0, max_value=100, initial=60
    )
    voluntary_price = forms.DecimalField(
        label=_("자발적 시장 가격(원/톤)"), min_value=0, max_value=10**7, initial=4_519
    )
    voluntary_years = forms.IntegerField(
        label=_("자발적 시장 기간(년)"), min_value=1, max_value=60, initial=30
    )
    voluntary_from = forms.DecimalField(
        label=_("자발적 시장 몫의 시작(%)"), min_value=0, max_value=100, initial=60
    )
    voluntary_to = forms.DecimalField(
        label=_("자발적 시장 몫의 끝(%)"), min_value=0, max_value=100, initial=100
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        for name in ("compliance", "voluntary"):
            begins, ends = data.get(f"{name}_from"), data.get(f"{name}_to")
            if begins is not None and ends is not None and begins >= ends:
                raise forms.ValidationError(_("몫의 끝은 시작보다 커야 합니다."))
        return data
