"""Who may open which screen. A stranger is told what is missing; a form of theirs is refused."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from onsil.citizen.models import Merchant, Role, User
from onsil.citizen.services import merchants

View = Callable[..., HttpResponse]
SHOP_IN_SESSION = "shop"


class Request(HttpRequest):
    """A request that passed a gate: `user` is signed in, `shop` the one at work (or None)."""

    user: User  # pyright: ignore[reportIncompatibleVariableOverride]
    city: Any
    shop: Merchant | None


def citizens_only(view: View) -> View:
    """For citizens of the request's city; others are led to proving their residence."""

    @wraps(view)
    @login_required
    def guarded(request: Request, *args: object, **kwargs: object) -> HttpResponse:
        if Role.CITIZEN not in request.user.roles(request.city.code):
            return _elsewhere(request, "app-join")
        return view(request, *args, **kwargs)

    return guarded


def shops_only(view: View) -> View:
    """For who speaks for a shop of the request's city; `request.shop` is the one at work."""

    @wraps(view)
    @login_required
    def guarded(request: Request, *args: object, **kwargs: object) -> HttpResponse:
        mine = merchants.shops_of(request.user)
        if not mine:
            return _elsewhere(request, "shop-apply")
        chosen = request.session.get(SHOP_IN_SESSION)
        request.shop = next((s for s in mine if str(s.pk) == chosen), mine[0])
        return view(request, *args, **kwargs)

    return guarded


def _elsewhere(request: HttpRequest, name: str) -> HttpResponse:
    if request.method not in ("GET", "HEAD"):
        raise PermissionDenied
    return redirect(name)
