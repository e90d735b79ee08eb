"""A database of a measurement's own: fresh, migrated, as durable as in production."""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from onsil.configuration import embedded_home
from onsil.core.programs import run_program
from onsil.supervisor.postgres import EmbeddedPostgres


@contextmanager
def installation(**settings: str) -> Iterator[str]:
    """The DSN of a migrated database on a server that lives as long as the block.

    `settings` are PostgreSQL's own. The data are gone afterwards.
    """
    folder = Path(tempfile.mkdtemp(prefix="onsil-bench-"))
    server = EmbeddedPostgres.at(embedded_home(folder), **settings)
    server.start()
    try:
        dsn = server.create_database("onsil")
        run_program(
            [sys.executable, "-m", "django", "migrate", "-v0"],
            environment=os.environ | {
                "ONSIL_DATABASE_URL": dsn, "ONSIL_OWNER": "1", "ONSIL_DATA_FOLDER": str(folder),
                "DJANGO_SETTINGS_MODULE": "onsil.web.settings",
            },
        )  # fmt: skip
        yield dsn
    finally:
        server.remove()
        shutil.rmtree(folder, ignore_errors=True)
