"""Every address of the web, asked from another city: nothing of this one is shown or changed."""

from collections.abc import Iterator
from itertools import product
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from portal_world import CITY, World

from onsil.citizen.models import Role, User
from onsil.citizen.services import people
from onsil.tenancy import ALL_CITIES, city_scope

OTHER = "goyang"
_ELSEWHERE = ("accounts/", "operator/", "i18n/")
# Told to everybody: a name in an address proves nothing, a figure or a person would.
_ANSWERS_OF_NO = {301, 302, 400, 403, 404, 405}


def _patterns(resolver: URLResolver, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    for entry in resolver.url_patterns:
        route = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            if not route.startswith(_ELSEWHERE):
                yield from _patterns(entry, route)
        elif not route.startswith(_ELSEWHERE):
            yield route, entry


def _ids() -> list[str]:
    """Every UUID that keys a row of the first city."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT c.table_name FROM information_schema.columns c
                 JOIN information_schema.columns k ON k.table_name = c.table_name
                WHERE c.table_schema = 'public' AND c.column_name = 'id' AND c.udt_name = 'uuid'
                  AND k.column_name = 'city'"""
        )
        found: list[str] = []
        for (table,) in sorted(set(cursor.fetchall())):
            cursor.execute(f'SELECT id FROM "{table}" WHERE city = %s LIMIT 1', [CITY])  # noqa: S608
            found += [str(row[0]) for row in cursor.fetchall()]
    return found


def _rows() -> dict[str, int]:
    """How many rows of the first city each table holds."""
    with city_scope(ALL_CITIES), connection.cursor() as cursor:
        cursor.execute(
            """SELECT c.table_name FROM information_schema.columns c
                 JOIN information_schema.tables t USING (table_schema, table_name)
                WHERE table_schema = 'public' AND column_name = 'city'
                  AND t.table_type = 'BASE TABLE'"""
        )
        counts = {}
        for (table,) in cursor.fetchall():
            cursor.execute(f'SELECT count(*) FROM "{table}" WHERE city = %s', [CITY])  # noqa: S608
            counts[table] = cursor.fetchone()[0]
    return counts


def _values(name: str, ids: list[str], world: World) -> list[str]:
    """What may stand for a part of an address."""
    kinds = {
        "part": ["alarms", "figures", "kpis"], "code": ["bus-weekly", "household-saving", "home-1"],
        "act": ["submit", "approve", "issue", "respond", "close"], "year": ["2026"],
        "city": [CITY], "path": ["checkpoint", "tile/0/000"], "token": ["AAAA-AAAA"],
        "kind": ["transfer", "award", "claim", "run"], "id": ids,
    }  # fmt: skip
    return kinds.get(name, ids)


def _markers(world: World) -> list[str]:
    """Texts that stand on this city's screens alone."""
    with city_scope(CITY):
        users = list(
            User.objects.exclude(email__startswith="goyang").values_list("email", flat=True)
        )
    return [*users, world.shop.name, world.batch.serial_prefix, world.home_run.outputs_digest]


@pytest.fixture(scope="module")
def stranger(world: World) -> User:
    """Somebody who is everything in the other city."""
    with city_scope(OTHER):
        user = User.objects.create_user("goyang@demo.invalid", "correct horse battery")
        people.admit(user, "counter")
        for role in Role.values:
            people.give_role(user, role, uuid4() if role == Role.BUYER else None)
    return user


def _client(user: User) -> Client:
    client = Client(SERVER_NAME=f"{OTHER}.localhost", raise_request_exception=False)
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def _addresses(world: World) -> Iterator[tuple[str, bool]]:
    """(path, whether it names a thing of the first city)."""
    with city_scope(CITY):
        ids = _ids()
    assert len(ids) > 20
    for route, entry in _patterns(get_resolver()):
        names = list(entry.pattern.converters)
        if not names:
            yield "/" + route.replace("^", "").replace("$", ""), False
            continue
        for values in product(*(_values(name, ids, world) for name in names)):
            path = route
            for name, value in zip(names, values, strict=True):
                converter = type(entry.pattern.converters[name]).__name__
                short = {"UUIDConverter": "uuid", "SlugConverter": "slug", "IntConverter": "int",
                         "StringConverter": "str", "PathConverter": "path"}[converter]  # fmt: skip
                path = path.replace(f"<{short}:{name}>", value)
            assert "<" not in path, path
            yield "/" + path, bool({"UUIDConverter"} & {
                type(c).__name__ for c in entry.pattern.converters.values()
            })  # fmt: skip


def test_no_address_shows_another_citys_things(world: World, stranger: User):
    client, markers = _client(stranger), _markers(world)
    asked = 0
    for path, named in _addresses(world):
        answer = client.get(path)
        asked += 1
        assert answer.status_code < 500, path
        if named:
            assert answer.status_code in _ANSWERS_OF_NO, (path, answer.status_code)
        if answer.get("Content-Type", "").startswith(("text/", "application/json")):
            body = b"".join(answer) if answer.streaming else answer.content
            told = [m for m in markers if m in body.decode("utf-8", "replace")]
            assert not told, (path, told)
    assert asked > 500


def test_no_address_changes_another_citys_things(world: World, stranger: User):
    client, before = _client(stranger), _rows()
    assert sum(before.values()) > 100
    for path, named in _addresses(world):
        if named:
            answer = client.post(path, {"amount": "1", "tonnes": "1", "key": str(uuid4())})
            assert answer.status_code in _ANSWERS_OF_NO | {500}, (path, answer.status_code)
            assert answer.status_code != 500, path
    assert _rows() == before
