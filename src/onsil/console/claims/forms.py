"""What is asked of the claims explorer, and what is entered there."""

from datetime import timedelta
from typing import Any

from django import forms
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from onsil.core.periods import Period, local_days
from onsil.footprint.claims import KINDS
from onsil.tenancy.cities import CityProfile


def kind_word(kind: str) -> str:
    """A kind of programme in the reader's language."""
    ko, en = KINDS[kind]
    return en if (get_language() or "ko").startswith("en") else ko


class SearchForm(forms.Form):
    """Which claims are shown."""

    meter = forms.CharField(label=_("계량기·기록"), required=False, max_length=200)
    programme = forms.CharField(label=_("프로그램"), required=False, max_length=60)
    kind = forms.ChoiceField(label=_("종류"), required=False)
    first = forms.DateField(
        label=_("첫날"), required=False, widget=forms.DateInput(attrs={"type": "date"})
    )
    last = forms.DateField(
        label=_("마지막 날"), required=False, widget=forms.DateInput(attrs={"type": "date"})
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [("", _("모두")), *((kind, kind_word(kind)) for kind in KINDS)]
        self.fields["kind"].choices = choices  # pyright: ignore[reportAttributeAccessIssue]

    def asked(self, city: CityProfile) -> dict[str, Any]:
        """The terms of a search; what cannot be read is left out."""
        data = self.cleaned_data if self.is_bound and self.is_valid() else {}
        first, last = data.get("first"), data.get("last")
        period: Period | None = None
        if first and last and first <= last:
            period = local_days(first, last + timedelta(days=1), city.zone)
        return {
            "meter": (data.get("meter") or "").strip(),
            "programme": (data.get("programme") or "").strip(),
            "kind": data.get("kind") or "",
            "period": period,
        }


class ReleaseForm(forms.Form):
    """Why a claim is given back."""

    reason = forms.CharField(
        label=_("사유"), max_length=500, widget=forms.Textarea(attrs={"rows": 2})
    )


class BoundaryForm(forms.Form):
    """What lies inside what."""

    part = forms.CharField(
        label=_("안쪽 (부분)"),
        max_length=300,
        help_text=_("예: 조명 그룹의 기록 번호, 또는 하위 계량기의 개체#속성"),
    )
    whole = forms.CharField(
        label=_("바깥쪽 (전체)"), max_length=300, help_text=_("예: 건물 전체 계량기의 개체#속성")
    )  # fmt: skip
