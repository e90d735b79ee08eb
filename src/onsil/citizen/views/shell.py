"""The way in, and what makes the screens an installable application."""

from functools import cache

from django.contrib.auth.decorators import login_required
from django.contrib.staticfiles import finders
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import get_language, gettext
from django.views.decorators.cache import never_cache

from onsil.citizen.access import Request
from onsil.citizen.models import Role

# The first role a person has decides where they start; officials come before their private wallet.
_HOMES = (
    (Role.OPERATOR, "/console/"),
    (Role.OFFICIAL, "/console/"),
    (Role.APPROVER, "/console/"),
    (Role.VERIFIER, "/console/evidence/"),
    (Role.BUYER, "/console/market/"),
    (Role.MERCHANT, "/shop/"),
    (Role.CITIZEN, "/app/"),
)


@never_cache
@login_required
def start(request: Request) -> HttpResponse:
    """Send everybody to where their work is; a newcomer to proving residence."""
    roles = request.user.roles(request.city.code)
    for role, home in _HOMES:
        if role in roles:
            return redirect(home)
    return redirect("app-join")


def manifest(request: HttpRequest, side: str) -> HttpResponse:
    """The web application manifest of the citizen's or the shop's application."""
    city = request.city.name(get_language() or "ko")  # pyright: ignore[reportAttributeAccessIssue]
    if side == "app":
        name, scope = gettext("온실 시민"), "/app/"
        shortcuts = [(gettext("QR 보여주고 결제"), "app-show"), (gettext("QR 스캔"), "app-scan")]
    else:
        name, scope = gettext("온실 가맹점"), "/shop/"
        shortcuts = [(gettext("결제 받기"), "shop"), (gettext("오늘 매출"), "shop-sales")]
    icons = [
        {"src": static(f"citizen/icons/{side}-{size}.png"), "sizes": f"{size}x{size}",
         "type": "image/png", "purpose": purpose}
        for size in (192, 512) for purpose in ("any", "maskable")
    ]  # fmt: skip
    body = {
        "id": scope, "name": f"{name} · {city}", "short_name": name, "start_url": scope,
        "scope": scope, "display": "standalone", "orientation": "portrait-primary",
        "lang": get_language(), "theme_color": "#147b58", "background_color": "#f4f5f6",
        "icons": icons,
        "shortcuts": [{"name": word, "url": reverse(to)} for word, to in shortcuts],
    }  # fmt: skip
    return JsonResponse(
        body, content_type="application/manifest+json", json_dumps_params={"ensure_ascii": False}
    )


@cache
def _worker_text() -> str:
    path = finders.find("citizen/worker.js")
    assert isinstance(path, str)
    with open(path, encoding="utf-8") as file:
        return file.read()


def worker(request: HttpRequest, side: str) -> HttpResponse:
    """The service worker, served below its own scope."""
    text = _worker_text().replace("__OFFLINE__", reverse("app-offline"))
    response = HttpResponse(text, content_type="text/javascript; charset=utf-8")
    response["Cache-Control"] = "no-cache"
    return response


def offline(request: HttpRequest) -> HttpResponse:
    """What is shown without a network: nobody's data, and what it means for their money."""
    return render(request, "citizen/offline.html")
