"""What every screen of officials stands in: who may enter, the menu, the wall."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from onsil.citizen.models import Role, User
from onsil.tenancy.cities import CityProfile

View = Callable[..., HttpResponse]
STAFF = (Role.OFFICIAL, Role.APPROVER, Role.OPERATOR)


class Request(HttpRequest):
    """A request that passed a gate: `user` is signed in, `roles` are theirs in `city`."""

    user: User  # pyright: ignore[reportIncompatibleVariableOverride]
    city: CityProfile
    roles: frozenset[str]


@dataclass(frozen=True)
class Entry:
    """A line of the side menu, for people of any of `roles`."""

    key: str
    url: str
    sign: str
    word: Any
    roles: tuple[str, ...] = STAFF


_MENU = (
    Entry("dashboard", "console", "chart", gettext_lazy("현황판")),
    Entry("sites", "console-sites", "meter", gettext_lazy("현장과 계량기")),
    Entry("devices", "devices", "sensor", gettext_lazy("기기")),
    Entry("explore", "console-explore", "search", gettext_lazy("데이터 탐색기")),
    Entry("data-sets", "console-data-sets", "hub", gettext_lazy("데이터 세트")),
    Entry("verification", "console-verification", "check", gettext_lazy("데이터 검사")),
    Entry("programmes", "console-programmes", "reward", gettext_lazy("보상 사업과 예산")),
    Entry("targets", "targets", "chart", gettext_lazy("이행 계획과 점검"), (*STAFF, Role.VERIFIER)),
    Entry(
        "inventory", "inventory", "hub", gettext_lazy("온실가스 인벤토리"), (*STAFF, Role.VERIFIER)
    ),
    Entry("factors", "factors", "list", gettext_lazy("배출계수"), (*STAFF, Role.VERIFIER)),
    Entry(
        "methodologies",
        "methodologies",
        "quantify",
        gettext_lazy("방법론"),
        (*STAFF, Role.VERIFIER),
    ),
    Entry("claims", "claims", "claim", gettext_lazy("배타 등록"), (*STAFF, Role.VERIFIER)),
    Entry(
        "projects",
        "console-projects",
        "credit",
        gettext_lazy("감축 사업과 크레딧"),
        (*STAFF, Role.VERIFIER),
    ),
    Entry(
        "registry-desk",
        "registry-desk",
        "seal",
        gettext_lazy("크레딧 등록부"),
        (*STAFF, Role.VERIFIER),
    ),
    Entry("shops", "console-shops", "shop", gettext_lazy("가맹점과 정산")),
    Entry("currency", "currency", "fund", gettext_lazy("지역화폐")),
    Entry("refunds", "console-refunds", "back", gettext_lazy("환불")),
    Entry("books", "books", "wallet", gettext_lazy("장부와 마감"), (*STAFF, Role.VERIFIER)),
    Entry("evidence", "evidence", "seal", gettext_lazy("증거실"), (*STAFF, Role.VERIFIER)),
    Entry("market", "market", "sell", gettext_lazy("크레딧 거래"), (*STAFF, Role.BUYER)),
    Entry("people", "console-people", "people", gettext_lazy("사람과 역할")),
    Entry("audit", "console-audit", "list", gettext_lazy("감사 기록")),
)


def needs(*roles: str) -> Callable[[View], View]:
    """Let in who is signed in and has one of `roles` in the request's city; others get a 403."""

    def gate(view: View) -> View:
        @wraps(view)
        @login_required
        def guarded(request: Request, *args: object, **kwargs: object) -> HttpResponse:
            request.roles = request.user.roles(request.city.code)
            if not request.roles.intersection(roles):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return guarded

    return gate


def page(
    request: HttpRequest, template: str, section: str = "", status: int = 200, **context: Any
) -> HttpResponse:
    """A screen in the officials' frame, its menu made for the person's roles."""
    roles = request.user.roles(request.city.code)  # pyright: ignore[reportAttributeAccessIssue]
    frame = {
        "section": section,
        "wall": request.GET.get("wall") == "1",
        "console_menu": _menu(roles),
        "console_roles": " · ".join(_(str(Role(r).label)) for r in sorted(roles)),
        "roles": roles,
    }
    return render(request, template, frame | context, status=status)


def _menu(roles: frozenset[str]) -> list[dict[str, Any]]:
    lines = []
    for entry in _MENU:
        if not roles.intersection(entry.roles):
            continue
        try:
            href = reverse(entry.url)
        except NoReverseMatch:  # a room that this installation does not carry
            continue
        lines.append({"key": entry.key, "href": href, "sign": entry.sign, "word": entry.word})
    return lines


def is_partial(request: HttpRequest) -> bool:
    """Whether only a part of the page was asked for."""
    return request.headers.get("HX-Request") == "true"
