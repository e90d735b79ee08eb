"""The WSGI entry of the screens."""

import os
from collections.abc import Callable, Iterable
from typing import Any

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "onsil.web.settings")
_screens = get_wsgi_application()

HEALTH = "/-/health"


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Django's application; beside it, an address that says whether this process can work."""
    if environ.get("PATH_INFO") != HEALTH:
        return _screens(environ, start_response)
    status, words = _health()
    start_response(status, [("Content-Type", "text/plain; charset=utf-8"),
                            ("Cache-Control", "no-store")])  # fmt: skip
    return [words]


def _health() -> tuple[str, bytes]:
    from django.db import DatabaseError, close_old_connections, connection

    close_old_connections()
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        connection.close()
        return "503 Service Unavailable", b"the database does not answer\n"
    return "200 OK", b"ok\n"
