"""Forms of the officials' screens; the rules behind them are the rooms'."""

from datetime import date

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator, validate_slug
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from onsil import footprint
from onsil.footprint.projects import INTERNAL, routes

_DATE = forms.DateInput(attrs={"type": "date"})
_AGAIN = _("화면을 새로 고친 뒤 다시 해 주세요. 아무것도 바뀌지 않았습니다.")
_DECISION = _(
    "승인, 반려, 이용 중지, 다시 열기 가운데 하나를 골라 주세요. 아무것도 바뀌지 않았습니다."
)
# Beyond these no plan reaches, and at the ends of the calendar a local midnight has no UTC.
_YEARS = _("2000년부터 2199년까지의 날짜를 적어 주세요.")
_BOUNDS = (
    MinValueValidator(date(2000, 1, 1), _YEARS), MaxValueValidator(date(2199, 12, 31), _YEARS),
)  # fmt: skip


def errors_of(form: forms.Form) -> list[str]:
    """A line for every field that is wrong, the field's name before it where it has one."""
    lines = []
    for name, errors in form.errors.items():
        label = form.fields[name].label if name in form.fields else ""
        lines.append(f"{label}: {' '.join(map(str, errors))}".removeprefix(": "))
    return lines


class ProjectForm(forms.Form):
    """A project to register."""

    code = forms.CharField(label=_("사업 번호"), max_length=40, validators=[validate_slug])
    name_ko = forms.CharField(label=_("이름(한국어)"), max_length=120)
    name_en = forms.CharField(label=_("이름(영어)"), max_length=120)
    programme = forms.CharField(
        label=_("감축 제도"), max_length=40, initial="kr-offset", validators=[validate_slug],
        help_text=_("이 제도에 등록된 감축량만 사업에 쓸 수 있습니다."),
    )  # fmt: skip
    methodology = forms.ChoiceField(label=_("방법론"))
    route = forms.ChoiceField(
        label=_("절차"), required=False,
        help_text=_("외부 제도의 사업은 그 제도의 절차를 고릅니다. 등록한 뒤에는 바뀌지 않습니다."),
    )  # fmt: skip
    starts = forms.DateField(label=_("인정 시작일"), widget=_DATE, validators=_BOUNDS)
    ends = forms.DateField(label=_("인정 종료일"), widget=_DATE, validators=_BOUNDS)
    buffer_percent = forms.DecimalField(
        label=_("유보 비율(%)"), min_value=0, max_value=50, initial=0, decimal_places=2
    )

    unit = forms.ChoiceField(
        label=_("크레딧 단위"), choices=(("tCO2e", "tCO2e"), ("m3", "m³")), required=False,
        help_text=_("물 편익은 m³로 발행합니다. 많아지면 한 단위에 m³가 더 듭니다."),
    )  # fmt: skip

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # pyright: ignore[reportArgumentType]
        english = (get_language() or "ko").startswith("en")
        titles = {m.ID: m.TITLE_EN if english else m.TITLE_KO for m in footprint.methodologies()}
        self.fields["methodology"].choices = list(titles.items())
        ways = sorted(routes().values(), key=lambda one: one.id != INTERNAL)
        self.fields["route"].choices = [(one.id, one.en if english else one.ko) for one in ways]

    def spec(self) -> footprint.ProjectSpec:
        """The terms as the footprint room takes them. Call it on a valid form."""
        data = dict(self.cleaned_data)
        percent = data.pop("buffer_percent")
        data.pop("route")
        data["unit"] = data["unit"] or "tCO2e"
        return footprint.ProjectSpec(**data, buffer_bp=int(percent * 100))


class PeriodForm(forms.Form):
    """A monitoring period in whole local days."""

    first = forms.DateField(label=_("첫날"), widget=_DATE, validators=_BOUNDS)
    last = forms.DateField(label=_("마지막 날"), widget=_DATE, validators=_BOUNDS)

    def clean(self) -> dict[str, object]:
        data = super().clean() or {}
        first, last = data.get("first"), data.get("last")
        if first and last and last < first:
            raise forms.ValidationError(_("마지막 날이 첫날보다 앞섭니다."))
        return data


class OfferForm(forms.Form):
    """Tonnes to offer, the price of one, and how many offers of the batch the page showed."""

    tonnes = forms.IntegerField(label=_("톤"), min_value=1)
    unit_price_krw = forms.IntegerField(label=_("톤당 가격(원)"), min_value=1, max_value=10**9)
    offers = forms.IntegerField(
        label="", min_value=0, widget=forms.HiddenInput,
        error_messages={"required": _AGAIN, "invalid": _AGAIN},
    )  # fmt: skip


class FundForm(forms.Form):
    """Money of the incentive fund to put into a programme's budget."""

    amount = forms.IntegerField(label=_("금액(원)"), min_value=1, max_value=10**12)
    key = forms.UUIDField(
        label="", widget=forms.HiddenInput,
        error_messages={"required": _AGAIN, "invalid": _AGAIN},
    )  # fmt: skip


class ShopDecisionForm(forms.Form):
    """What is decided about a shop; whoever is turned down or stopped is told why."""

    decision = forms.ChoiceField(
        label="", choices=[(one, one) for one in ("approve", "refuse", "close", "reopen")],
        error_messages={"required": _DECISION, "invalid_choice": _DECISION},
    )  # fmt: skip
    reason = forms.CharField(label=_("이유"), max_length=300, required=False)

    def clean(self) -> dict[str, object]:
        data = super().clean() or {}
        turned_down = data.get("decision") in ("refuse", "close")
        if turned_down and "reason" in data and not data["reason"]:
            raise forms.ValidationError(_("이유를 적어 주세요. 신청한 사람이 읽게 됩니다."))
        return data
