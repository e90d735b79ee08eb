"""Every request works for one city: the one its host names, or the installation's default."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

from onsil.tenancy.cities import city_of_host
from onsil.tenancy.scope import city_scope


class CityMiddleware:
    """Sets `request.city` (a CityProfile) and scopes the database to it while the view runs."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        profile = city_of_host(request.get_host())
        request.city = profile  # pyright: ignore[reportAttributeAccessIssue]
        with city_scope(profile.code):
            response = self.get_response(request)
        patch_vary_headers(response, ("Host",))
        return response
