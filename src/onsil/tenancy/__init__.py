"""Whose city a request, a job or a command works for, and the database transaction scoped to it.

The one bridge between Django and the engine rooms: `transaction()` opens a Django transaction and
hands out the psycopg connection beneath it, so that a model saved and an engine function called
inside it are committed together.
"""

from onsil.core.database import ALL_CITIES
from onsil.tenancy.scope import (
    city_scope,
    current_city,
    transaction,
)

__all__ = ["ALL_CITIES", "city_scope", "current_city", "transaction"]
