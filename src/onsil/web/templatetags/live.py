"""`{% live_url "topic" … %}`: where a page hears of what happens in its city."""

from typing import Any
from urllib.parse import urlencode

from django import template
from django.conf import settings

from onsil.configuration import configuration
from onsil.web.live import make_ticket

register = template.Library()


@register.simple_tag(takes_context=True)
def live_url(context: dict[str, Any], *topics: str) -> str:
    """The address of the event stream for these topics of the request's city."""
    city = context["request"].city.code
    ticket = make_ticket(settings.SECRET_KEY, city, topics)
    return f"{configuration().live_address}/events?{urlencode({'ticket': ticket})}"
