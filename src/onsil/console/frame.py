"""What every screen of officials stands in: who may enter, the menu, the wall."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from onsil.citizen.models import Role, User
from onsil.console.menu import COOKIE, ENTRIES, menu, remembered
from onsil.console.menu import STAFF as STAFF
from onsil.console.waiting import counts
from onsil.tenancy.cities import CityProfile

View = Callable[..., HttpResponse]


class Request(HttpRequest):
    """A request that passed a gate: `user` is signed in, `roles` are theirs in `city`."""

    user: User  # pyright: ignore[reportIncompatibleVariableOverride]
    city: CityProfile
    roles: frozenset[str]


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
    wall = request.GET.get("wall") == "1"
    frame = {
        "section": section,
        "wall": wall,
        "console_menu": [] if wall else _menu(request, roles, section),
        "console_entry": ENTRIES.get(section),
        "console_roles": " · ".join(_(str(Role(r).label)) for r in sorted(roles)),
        "roles": roles,
    }
    return render(request, template, frame | context, status=status)


def _menu(request: HttpRequest, roles: frozenset[str], section: str) -> list[dict[str, Any]]:
    city = request.city.code  # pyright: ignore[reportAttributeAccessIssue]
    left_open = remembered(request.COOKIES.get(COOKIE, ""))
    return menu(roles, section, left_open, counts(city, roles))


def is_partial(request: HttpRequest) -> bool:
    """Whether only a part of the page was asked for."""
    return request.headers.get("HX-Request") == "true"
