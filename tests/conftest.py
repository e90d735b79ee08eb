"""A real PostgreSQL for every test that wants one: migrated once, copied for each test."""

import os
import tempfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# A busy machine draws slowly; how long a test takes is not what it tests.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

_DATA = (
    Path(tempfile.gettempdir())
    / f"onsil-tests-{os.environ.get('PYTEST_XDIST_TESTRUNUID', os.getpid())}"
)
_WORKER = os.environ.get("PYTEST_XDIST_WORKER", "main")
os.environ["ONSIL_DATA_FOLDER"] = str(_DATA)
os.environ["ONSIL_CITIES_FOLDER"] = str(Path(__file__).parents[1] / "cities")
os.environ["ONSIL_OWNER"] = "1"  # the template is built by the owner; scoped connections are not
os.environ.pop("ONSIL_DATABASE_URL", None)

from onsil.configuration import configuration, embedded_home  # noqa: E402
from onsil.core.database import Connection, connect  # noqa: E402
from onsil.core.programs import run_program  # noqa: E402
from onsil.supervisor.postgres import EmbeddedPostgres  # noqa: E402

configuration.cache_clear()  # the settings module read it before this file set the environment
_TEMPLATE = "onsil_template"
CITY = "pyeongtaek"


@pytest.fixture(scope="session")
def postgres() -> Iterator[EmbeddedPostgres]:
    """The test run's own server, shared by the workers; durability is off but for crash tests."""
    import fcntl

    _DATA.mkdir(exist_ok=True)
    server = EmbeddedPostgres.at(
        embedded_home(_DATA), fsync="off", synchronous_commit="off", full_page_writes="off"
    )
    users = _DATA / "users"
    users.mkdir(exist_ok=True)
    with (_DATA / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        server.start()
        (users / _WORKER).touch()
        try:
            _build_template(server)
        except BaseException:
            server.remove()
            raise
    yield server
    with (_DATA / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        (users / _WORKER).unlink()
        if not any(users.iterdir()):
            import shutil

            server.remove()
            shutil.rmtree(_DATA, ignore_errors=True)


def _build_template(server: EmbeddedPostgres) -> None:
    import sys

    import psycopg

    with psycopg.connect(server.dsn("postgres"), autocommit=True) as admin:
        if admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", (_TEMPLATE,)).fetchone():
            return
    server.create_database("onsil_building")
    environment = {
        **os.environ,
        "ONSIL_DATABASE_URL": server.dsn("onsil_building"),
        "DJANGO_SETTINGS_MODULE": "onsil.web.settings",
    }
    run_program([sys.executable, "-m", "django", "migrate", "-v0"], environment=environment)
    with psycopg.connect(server.dsn("postgres"), autocommit=True) as admin:
        admin.execute(f"ALTER DATABASE onsil_building RENAME TO {_TEMPLATE}")


@pytest.fixture
def fresh_database(postgres: EmbeddedPostgres) -> Iterator[str]:
    """The DSN of a migrated database of this test's own, for tests that commit or race."""
    name = f"t_{uuid.uuid4().hex[:16]}"
    yield postgres.create_database(name, _TEMPLATE)
    postgres.drop_database(name)


@pytest.fixture(scope="session")
def _worker_database(postgres: EmbeddedPostgres) -> str:
    name = f"worker_{_WORKER}"
    postgres.drop_database(name)
    return postgres.create_database(name, _TEMPLATE)


@pytest.fixture
def conn(_worker_database: str) -> Iterator[Connection]:
    """A connection scoped to Pyeongtaek whose work is rolled back after the test."""
    connection = connect(_worker_database, CITY)
    yield connection
    connection.rollback()
    connection.close()


@pytest.fixture
def connector(fresh_database: str) -> Iterator[Callable[..., Connection]]:
    """Opens scoped connections to `fresh_database`: `connector(city=..., autocommit=...)`."""
    opened: list[Connection] = []

    def open_one(city: str = CITY, *, autocommit: bool = False) -> Connection:
        opened.append(connect(fresh_database, city, autocommit=autocommit))
        return opened[-1]

    yield open_one
    for connection in opened:
        connection.close()


@pytest.fixture(scope="session")
def django_db_setup(_worker_database: str, django_db_blocker) -> None:
    """Django's tests use the worker's copy of the template, as the unprivileged role."""
    from django.conf import settings
    from django.db import connections

    from onsil.web.settings import _database

    table = _database(_worker_database)
    table["OPTIONS"]["assume_role"] = "onsil_app"  # pyright: ignore
    with django_db_blocker.unblock():
        connections["default"].close()
        settings.DATABASES["default"].update(table)
        connections["default"].settings_dict.update(table)
        connections["default"].settings_dict["TEST"] = settings.DATABASES["default"].get("TEST", {})


@pytest.fixture
def city() -> Iterator[str]:
    """Pyeongtaek in scope, for tests of service rooms (use with the `db` fixture)."""
    from onsil.tenancy import city_scope

    with city_scope(CITY):
        yield CITY


@pytest.fixture(autouse=True)
def _in_korean() -> None:
    """Every test begins in Korean, whatever language the one before it asked for."""
    from django.utils import translation

    translation.activate("ko")
