"""The rules in force on a day, where each comes from, how it has changed, and what it does."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import get_language

from onsil.citizen import services as citizen
from onsil.console.currency import words
from onsil.console.currency.forms import DayForm
from onsil.console.frame import STAFF, Request, needs, page
from onsil.core.periods import local_day
from onsil.ledger.rules import RuleBook, RuleSet
from onsil.tenancy.cities import CityProfile


@needs(*STAFF)
def in_force(request: Request) -> HttpResponse:
    """The rules of today, or of the day `?on=`; a day without rules shows the nearest that has."""
    book = citizen.rulebook.book_of(request.city)
    today = local_day(timezone.now(), request.city.zone)
    form = DayForm(request.GET if "on" in request.GET else None, initial={"on": today})
    day = form.cleaned_data["on"] if form.is_bound and form.is_valid() else today
    shown = max(day, book.begins)
    found = book.rule_set_on(shown)
    language = get_language() or "ko"
    return page(
        request, "console/currency/rules.html", section="currency", tab="rules", day=shown,
        today=today, form=form, early=day < book.begins, begins=book.begins,
        topics=_topics(book, found, today, language, places_of(request.city)),
        unconfirmed=len(found.unconfirmed), examples=words.examples(found, language),
        example_krw=words.EXAMPLE_KRW, changes=[d for d in reversed(book.changes()) if d != shown],
    )  # fmt: skip


def places_of(city: CityProfile) -> Mapping[str, str]:
    """The city's districts in Roman letters."""
    return city.data.get("boundary", {}).get("romanised", {})


def _topics(
    book: RuleBook, found: RuleSet, today: date, language: str, places: Mapping[str, str]
) -> list[dict[str, Any]]:
    return [
        {
            "key": topic, "title": title, "version": found.sources[topic],
            "facts": words.facts(found.sources[topic], language, places),
            "history": [
                {"version": v, "facts": words.facts(v, language, places), "coming": v.since > today}
                for v in reversed(book.history(topic)) if v is not found.sources[topic]
            ],
        }
        for topic, title in words.titles().items()
    ]  # fmt: skip
