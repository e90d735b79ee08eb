"""The officials' menu: entries grouped by task, for the roles of the person before it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext_lazy

from onsil.citizen.models import Role

STAFF = (Role.OFFICIAL, Role.APPROVER, Role.OPERATOR)
READERS = (*STAFF, Role.VERIFIER)
COOKIE = "console_menu"
_FEW = 9  # so many entries stand open as they are


@dataclass(frozen=True)
class Entry:
    """A line of the menu, for people of any of `roles`."""

    key: str
    url: str
    sign: str
    word: Any
    roles: tuple[str, ...] = STAFF


@dataclass(frozen=True)
class Group:
    """Lines that belong to one task."""

    key: str
    word: Any
    entries: tuple[Entry, ...]


GROUPS = (
    Group("today", gettext_lazy("오늘 할 일"), (
        Entry("dashboard", "console", "chart", gettext_lazy("현황판")),
    )),
    Group("data", gettext_lazy("자료와 기기"), (
        Entry("sites", "console-sites", "meter", gettext_lazy("현장과 계량기")),
        Entry("devices", "devices", "sensor", gettext_lazy("기기")),
        Entry("explore", "console-explore", "search", gettext_lazy("데이터 탐색기")),
        Entry("data-sets", "console-data-sets", "hub", gettext_lazy("데이터 세트")),
        Entry("verification", "console-verification", "check", gettext_lazy("데이터 검사")),
    )),
    Group("carbon", gettext_lazy("탄소 산정"), (
        Entry("targets", "targets", "flag", gettext_lazy("이행 계획과 점검"), READERS),
        Entry("inventory", "inventory", "city", gettext_lazy("온실가스 인벤토리"), READERS),
        Entry("factors", "factors", "list", gettext_lazy("배출계수"), READERS),
        Entry("methodologies", "methodologies", "quantify", gettext_lazy("방법론"), READERS),
        Entry("evidence", "evidence", "evidence", gettext_lazy("증거실"), READERS),
    )),
    Group("credits", gettext_lazy("감축과 크레딧"), (
        Entry("projects", "console-projects", "credit", gettext_lazy("감축 사업과 크레딧"),
              READERS),
        Entry("claims", "claims", "claim", gettext_lazy("배타 등록"), READERS),
        Entry("registry-desk", "registry-desk", "seal", gettext_lazy("크레딧 등록부"), READERS),
        Entry("market", "market", "sell", gettext_lazy("크레딧 거래"), (*STAFF, Role.BUYER)),
    )),
    Group("money", gettext_lazy("보상과 지역화폐"), (
        Entry("programmes", "console-programmes", "reward", gettext_lazy("보상 사업과 예산")),
        Entry("shops", "console-shops", "shop", gettext_lazy("가맹점과 정산")),
        Entry("currency", "currency", "fund", gettext_lazy("지역화폐")),
        Entry("refunds", "console-refunds", "refund", gettext_lazy("환불")),
        Entry("books", "books", "wallet", gettext_lazy("장부와 마감"), READERS),
    )),
    Group("settings", gettext_lazy("사람과 기록"), (
        Entry("people", "console-people", "people", gettext_lazy("사람과 역할")),
        Entry("audit", "console-audit", "clock", gettext_lazy("감사 기록")),
    )),
)  # fmt: skip
ENTRIES = {entry.key: entry for group in GROUPS for entry in group.entries}


def remembered(cookie: str) -> frozenset[str]:
    """The groups that a person left open; what is no group's key counts for nothing."""
    return frozenset(cookie.split(".")) & {group.key for group in GROUPS}


def menu(
    roles: Collection[str], section: str, left_open: Collection[str], counts: Mapping[str, int]
) -> list[dict[str, Any]]:
    """Groups with what these roles may open, the present page's group unfolded.

    A group of one entry has no heading of its own; a short menu stands unfolded.
    """
    made = [_group(group, roles, section, counts) for group in GROUPS]
    made = [group for group in made if group["entries"]]
    short = sum(len(group["entries"]) for group in made) <= _FEW
    for group in made:
        group["open"] = short or group["here"] or group["key"] in left_open
    return made


def _group(
    group: Group, roles: Collection[str], section: str, counts: Mapping[str, int]
) -> dict[str, Any]:
    lines = [
        {
            "key": entry.key, "href": href, "sign": entry.sign, "word": entry.word,
            "count": counts.get(entry.key, 0),
        }
        for entry in group.entries
        if set(entry.roles).intersection(roles) and (href := _address(entry.url))
    ]  # fmt: skip
    return {
        "key": group.key, "word": group.word, "entries": lines,
        "count": sum(line["count"] for line in lines),
        "here": any(line["key"] == section for line in lines),
    }  # fmt: skip


def _address(url: str) -> str:
    try:
        return reverse(url)
    except NoReverseMatch:  # a room that this installation does not carry
        return ""
