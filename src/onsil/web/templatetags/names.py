"""Codes of the footprint room as people say them: quantities, kinds of values, meters, accounts."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django import template
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from onsil import footprint
from onsil.citizen.models import Membership
from onsil.core.quantities import unit_sign
from onsil.core.refusal import Refusal
from onsil.footprint import credits
from onsil.footprint.methodologies import Methodology, tables_of
from onsil.tenancy import transaction
from onsil.web.templatetags._figures import exact

register = template.Library()

# What a run's line counts.
QUANTITIES = {
    "electricity-saved": gettext_lazy("전력 절감량"),
    "electricity-shifted": gettext_lazy("전력 이동량"),
    "gas-saved": gettext_lazy("가스 절감량"),
    "heat-saved": gettext_lazy("열 절감량"),
    "solar-generation": gettext_lazy("태양광 발전량"),
    "water-reused": gettext_lazy("물 재이용량"),
    "plastic-recycled": gettext_lazy("플라스틱 재활용량"),
    "waste-diverted": gettext_lazy("매립을 피한 폐기물"),
    "waste-incinerated": gettext_lazy("소각을 피한 폐기물"),
    "landfill-decay": gettext_lazy("매립지에서 썩는 폐기물"),
    "citizen-action": gettext_lazy("시민 행동"),
    "passenger-km": gettext_lazy("승객 이동 거리"),
    "vehicle-km": gettext_lazy("차량 주행 거리"),
    "tree-year": gettext_lazy("나무·해"),
    "stand-year": gettext_lazy("숲 면적·해"),
}
# What a column or parameter takes, and what a series must measure.
KINDS = {
    "decimal": gettext_lazy("수"),
    "integer": gettext_lazy("정수"),
    "text": gettext_lazy("글"),
    "date": gettext_lazy("날짜"),
    "boolean": gettext_lazy("예·아니요"),
    "choice": gettext_lazy("하나 고름"),
    "energy": gettext_lazy("에너지"),
    "energy or power": gettext_lazy("에너지 또는 전력"),
    "temperature": gettext_lazy("온도"),
    "volume": gettext_lazy("부피"),
}
# What a proposal at the registry desk states.
TERMS = {
    "batch": gettext_lazy("묶음"),
    "account": gettext_lazy("보유 계정"),
    "units": gettext_lazy("수량"),
    "unit": gettext_lazy("단위"),
    "registry": gettext_lazy("상대 등록부"),
    "recipient": gettext_lazy("그곳의 받는 계정"),
    "serials": gettext_lazy("그곳의 일련번호"),
    "vintage": gettext_lazy("발생 연도"),
    "project": gettext_lazy("사업"),
    "reference": gettext_lazy("그곳의 사업 번호"),
    "standard": gettext_lazy("표준"),
    "cause": gettext_lazy("원인"),
    "tonnes": gettext_lazy("손실량"),
    "happened_on": gettext_lazy("일어난 날"),
    "evidence": gettext_lazy("증빙"),
    "reason": gettext_lazy("사유"),
}
CAUSES = {
    "dead-trees": gettext_lazy("고사"),
    "felling": gettext_lazy("벌채"),
    "fire": gettext_lazy("화재"),
    "other": gettext_lazy("그 밖"),
}
# How an uncertainty is spread, and how far a published value was followed to its source.
DISTRIBUTIONS = {
    "normal": gettext_lazy("정규분포"),
    "uniform": gettext_lazy("균등분포"),
    "triangular": gettext_lazy("삼각분포"),
    "lognormal": gettext_lazy("로그정규분포"),
}
MATURITIES = {
    "confirmed": gettext_lazy("원문에서 확인"),
    "secondary": gettext_lazy("다른 자료에서 옮김"),
    "press": gettext_lazy("보도에서 옮김"),
    "recalled": gettext_lazy("출처 미확인"),
    "unconfirmed": gettext_lazy("확인해야 함"),
}
_PLACES = {
    "buffer": gettext_lazy("버퍼"),
    "retired": gettext_lazy("사용 완료"),
    "cancelled": gettext_lazy("취소"),
    "issuer:credit": gettext_lazy("발행"),
}


@register.filter
def quantity_word(code: str) -> str:
    """What was counted, in words."""
    return str(QUANTITIES.get(code, code))


@register.filter
def value_kind(code: str) -> str:
    """What is to be entered or measured, in words."""
    return str(KINDS.get(code, code))


@register.filter
def value_word(value: object) -> object:
    """A default as people read it: yes and no instead of True and False."""
    if isinstance(value, bool):
        return _("예") if value else _("아니요")
    return value


@register.filter
def term_word(code: str) -> str:
    """A proposal's field in words."""
    return str(TERMS.get(code, code))


@register.filter
def distribution_word(code: str) -> str:
    """The shape of an uncertainty in words."""
    return str(DISTRIBUTIONS.get(code, code))


@register.filter
def maturity_word(code: str) -> str:
    """How far a published value was followed to its source, in words."""
    return str(MATURITIES.get(code, code))


@register.filter
def meter_name(meter: str) -> str:
    """The telling end of a meter's address; a record's own number stays as it is."""
    return meter.rsplit(":", 1)[-1].replace("#", " · ") if meter.startswith("urn:") else meter


@register.filter
def methodology_inputs(made: Methodology) -> str:
    """The series and tables that a methodology reads, by their names."""
    english = (get_language() or "ko").startswith("en")
    named = (*made.ROLES, *tables_of(made))
    return ", ".join(one.en if english else one.ko for one in named)


@register.filter
def role_word(role: str, methodology: str) -> str:
    """A series' role by the name that its methodology gives it."""
    made = footprint.methodology(methodology)
    if isinstance(made, Refusal):
        return role
    english = (get_language() or "ko").startswith("en")
    words = {one.name: one.en if english else one.ko for one in made.ROLES}
    return words.get(role, role)


class _Accounts:
    """Who stands behind the accounts of a city, looked up once a page."""

    def __init__(self, city: str) -> None:
        with transaction(city) as conn:
            self.shown = credits.public_names(conn, city)
            self.projects = {
                f"project:{one.id}": one.code for one in footprint.projects(conn, city)
            }
        found = Membership.objects.filter(city=city, organisation__isnull=False)
        self.companies = {
            f"company:{one.organisation}": one.user.name for one in found.select_related("user")
        }

    def name(self, code: str) -> str:
        if code in _PLACES:
            return str(_PLACES[code])
        if code in self.projects:
            return _("사업 %(code)s") % {"code": self.projects[code]}
        return self.shown.get(code) or self.companies.get(code) or code


def _accounts(context: template.Context) -> _Accounts:
    kept = context.render_context
    if "accounts" not in kept:
        kept["accounts"] = _Accounts(context["city"].code)
    return kept["accounts"]


@register.simple_tag(takes_context=True)
def account_name(context: template.Context, code: str) -> str:
    """An account as people know it: a project by its code, a company by its name."""
    return _accounts(context).name(code) if code else "–"


@register.simple_tag(takes_context=True)
def term_value(context: template.Context, terms: Mapping[str, Any], name: str) -> str:
    """What a proposal states under a name: serials, names and units instead of numbers of rows."""
    text = str(terms[name])
    if name == "cause":
        return str(CAUSES.get(text, text))
    if name == "account":
        return _accounts(context).name(text)
    if name == "project":
        return _accounts(context).projects.get(f"project:{text}", text)
    if name == "batch":
        found = _batch(context, terms)
        return found.serials if found else text
    if name == "units":
        return f"{exact(text)} {unit_sign(_unit(context, terms))}"
    if name == "tonnes":
        return f"{exact(text)} tCO₂e"
    return text or "–"


def _batch(context: template.Context, terms: Mapping[str, Any]) -> footprint.CreditBatch | None:
    if "batch" not in terms:
        return None
    city = context["city"].code
    with transaction(city) as conn:
        return credits.any_batch(conn, city, UUID(str(terms["batch"])))


def _unit(context: template.Context, terms: Mapping[str, Any]) -> str:
    found = _batch(context, terms)
    unit = found.unit if found else str(terms.get("unit", "tCO2e"))
    return "tCO₂e" if unit == "tCO2e" else unit
