"""The officials' menu: grouped by task, for one's roles alone, folded as the person left it."""

import re

import pytest
from city_hall import CITY, CityHall
from django.urls import reverse

from onsil.console import menu as console_menu
from onsil.console.waiting import counts

pytestmark = pytest.mark.django_db
ALL = [group.key for group in console_menu.GROUPS]


def groups(html: str) -> dict[str, bool]:
    """Each folding group of a page, and whether it stands open."""
    return {key: bool(opened) for key, opened in re.findall(r'data-menu="(\w+)"( open)?>', html)}


def test_every_entry_stands_once_and_leads_somewhere():
    keys = [entry.key for group in console_menu.GROUPS for entry in group.entries]
    assert len(keys) == len(set(keys)) == 22
    assert all(reverse(entry.url) for entry in console_menu.ENTRIES.values())


def test_the_present_pages_group_is_open_and_marked(hall: CityHall, as_user):
    html = as_user(hall.official).get(reverse("factors")).content.decode()
    assert groups(html) == {key: key == "carbon" for key in ALL if key != "today"}
    assert html.count('aria-current="page"') >= 1
    assert re.search(r'href="/console/factors/" aria-current="page"', html)


def test_groups_left_open_are_open_again_and_other_words_are_ignored(hall: CityHall, as_user):
    browser = as_user(hall.official)
    browser.cookies["console_menu"] = "money.settings.<script>.nothing"
    html = browser.get(reverse("factors")).content.decode()
    assert {key for key, opened in groups(html).items() if opened} == {
        "carbon", "money", "settings",
    }  # fmt: skip
    assert console_menu.remembered("") == frozenset()


def test_who_may_open_little_sees_little_and_all_of_it(hall: CityHall, as_user):
    html = as_user(hall.verifier).get(reverse("evidence")).content.decode()
    assert groups(html) == {"carbon": True, "credits": True}
    assert "/console/people/" not in html
    assert "/console/market/" not in html


def test_work_that_waits_is_counted_for_who_may_do_it(hall: CityHall, as_user):
    assert counts(CITY, ["approver"])["projects"] == 0
    hall.submitted(hall.official)
    assert counts(CITY, ["approver"])["projects"] == 1
    assert "projects" not in counts(CITY, ["official"])
    assert counts(CITY, ["verifier"]) == {}
    html = as_user(hall.approver).get(reverse("factors")).content.decode()
    assert re.search(r'감축과 크레딧</span><span class="badge badge--watch count">1<', html)
    assert 'class="badge badge--watch count"' not in (
        as_user(hall.operator).get(reverse("factors")).content.decode()
    )


def test_the_wall_has_no_menu(hall: CityHall, as_user):
    html = as_user(hall.official).get(reverse("console") + "?wall=1").content.decode()
    assert groups(html) == {}
