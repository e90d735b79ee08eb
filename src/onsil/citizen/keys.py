"""Keys of the room, derived from the installation's one secret."""

import hashlib
import hmac

from django.conf import settings


def derived_key(purpose: str) -> bytes:
    """Thirty-two bytes for one purpose; other purposes' keys tell nothing about them."""
    return hmac.new(settings.SECRET_KEY.encode(), purpose.encode(), hashlib.sha256).digest()
