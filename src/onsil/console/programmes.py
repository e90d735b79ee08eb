"""Reward programmes as officials read them: the rules in words, money, awards."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Count, Sum
from django.utils.translation import gettext as _

from onsil.console.burndown import BudgetCard, card
from onsil.rewards import services as rewards
from onsil.rewards.models import Award, Enrolment

_CUTS = {
    "day": ("하루", "a day"), "week": ("한 주", "a week"), "iso-week": ("한 주", "a week"),
    "four-weeks": ("4주", "four weeks"), "month": ("한 달", "a month"),
    "half-year": ("반년", "half a year"), "year": ("한 해", "a year"),
}  # fmt: skip


@dataclass(frozen=True)
class ProgrammeView:
    """A programme in force with its caps in words, its people and its budgets."""

    terms: Any
    name: str
    explanation: str
    rules: tuple[tuple[str, str], ...]
    enrolled: int
    awarded: int
    points: int
    budgets: tuple[BudgetCard, ...]


def programme_views(city: str, language: str, today: date) -> list[ProgrammeView]:
    """Every programme in force, its budgets as of `today`."""
    status = rewards.budget_status(city)
    enrolled = dict(
        Enrolment.objects.filter(city=city, until=None)
        .values_list("programme__code").annotate(n=Count("person", distinct=True))
    )  # fmt: skip
    sums = {
        row["programme__code"]: row
        for row in Award.objects.filter(city=city)
        .values("programme__code").annotate(n=Count("id"), points=Sum("points"))
    }  # fmt: skip
    views = []
    for terms in rewards.programmes(city):
        row = sums.get(terms.code, {"n": 0, "points": 0})
        views.append(
            ProgrammeView(
                terms, terms.name.text(language), terms.explanation.text(language),
                rules(terms, language), enrolled.get(terms.code, 0), row["n"], row["points"] or 0,
                tuple(card(b, language, today) for b in status if b.programme == terms.code),
            )
        )  # fmt: skip
    return views


def rules(terms: Any, language: str) -> tuple[tuple[str, str], ...]:
    """The programme's terms as pairs of a word and a sentence."""
    english = language.startswith("en")
    groups = ", ".join(_group(g, english) for g in terms.groups.values())
    lines = [
        (_("누가"), groups or _("시민 누구나")),
        (_("증거"), ", ".join(_evidence(k) for k in terms.evidence_kinds)),
    ]
    for cap in terms.caps:
        cut = _CUTS.get(cap.cut, (cap.cut, cap.cut))[english]
        limits = ", ".join(
            f"{terms.groups[g].name.text(language) if g in terms.groups else g} {n:,}"
            for g, n in cap.points.items()
        )
        lines.append((_("%(cut)s 한도") % {"cut": cut}, limits + ("" if english else "점")))
    if terms.season:
        lines.append((_("기간"), "{}.{} – {}.{}".format(*terms.season.first, *terms.season.last)))
    lines.append((_("소멸"), _("적립한 해의 끝에서 %(n)d년 뒤") % {"n": terms.expiry_years}))
    lines.append((_("근거"), terms.source))
    return tuple(lines)


def _evidence(kind: str) -> str:
    words = {
        "bus-ride": _("버스 승차"), "electricity-saving": _("검증된 전기 절감"),
        "gas-saving": _("검증된 가스 절감"), "heat-saving": _("검증된 열 절감"),
        "water-saving": _("검증된 물 절감"),
    }  # fmt: skip
    return words.get(kind, kind)


def _group(group: Any, english: bool) -> str:
    name = group.name.en if english else group.name.ko
    if group.max_age is not None:
        ages = f"{group.min_age}–{group.max_age}"
    else:
        ages = f"{group.min_age}+" if english else f"{group.min_age}세 이상"
    return f"{name} ({ages})" if group.min_age or group.max_age is not None else name
