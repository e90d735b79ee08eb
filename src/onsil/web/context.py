"""What every template may use."""

from django.http import HttpRequest
from django.utils.translation import get_language

from onsil.configuration import configuration


def site(request: HttpRequest) -> dict[str, object]:
    """The city at hand, in the reader's language, and where live events come from."""
    city = getattr(request, "city", None)
    language = get_language() or "ko"
    return {
        "city": city,
        "city_name": city.name(language) if city else "",
        "currency_name": city.currency(language) if city else "",
        "live_address": configuration().live_address,
    }
