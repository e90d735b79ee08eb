"""A furnished city in a transaction that is rolled back, and browsers of its people."""

from collections.abc import Callable

import pytest
from city_hall import CityHall, furnish
from django.test import Client

from onsil.citizen.models import User


@pytest.fixture
def hall(db, city: str) -> CityHall:
    return furnish()


@pytest.fixture
def as_user() -> Callable[[User], Client]:
    """A signed-in browser of somebody."""

    def browser(who: User) -> Client:
        client = Client(SERVER_NAME="localhost")
        client.force_login(who, backend="django.contrib.auth.backends.ModelBackend")
        return client

    return browser
