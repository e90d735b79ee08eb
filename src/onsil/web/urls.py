"""Where each room's screens hang."""

from importlib.util import find_spec

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("accounts/", include("allauth.urls")),
    path("operator/", admin.site.urls),
    path("i18n/", include("django.conf.urls.i18n")),
]
# citizen: /app/… and /shop/…   console: /console/…   portal: /
for _room in ("citizen", "console", "portal"):
    if find_spec(f"onsil.{_room}.urls"):
        urlpatterns.append(path("", include(f"onsil.{_room}.urls")))
