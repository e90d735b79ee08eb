"""What every template may use."""

from django.http import HttpRequest

from onsil.configuration import configuration


def site(request: HttpRequest) -> dict[str, object]:
    """The city at hand and where live events come from."""
    return {
        "city": getattr(request, "city", None),
        "live_address": configuration().live_address,
    }
