"""A city's rows are invisible and untouchable from another."""

import pytest
from django.db import ProgrammingError

from onsil.citizen.models import Membership, User
from onsil.tenancy import city_scope


@pytest.mark.django_db
def test_rows_of_another_city_are_invisible():
    user = User.objects.create_user("alice@example.org", "correct horse battery")
    with city_scope("pyeongtaek"):
        Membership.objects.create(city="pyeongtaek", user=user, role="citizen")
        assert user.roles("pyeongtaek") == {"citizen"}
    with city_scope("goyang"):
        assert Membership.objects.count() == 0
    with city_scope("*"):
        assert Membership.objects.count() == 1


@pytest.mark.django_db
def test_a_row_cannot_be_written_into_another_city():
    user = User.objects.create_user("bob@example.org", "correct horse battery")
    with city_scope("goyang"), pytest.raises(ProgrammingError, match="row-level security"):
        Membership.objects.create(city="pyeongtaek", user=user, role="official")
