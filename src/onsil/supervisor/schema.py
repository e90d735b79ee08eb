"""The database brought up to date and the cities' folders read: run before the roles start.

    python -m onsil.supervisor.schema

The tables are built by the database's owner; programmes and data sets are then loaded in the
role that the running system has, so that row-level security holds for this, too.
"""

import logging
import os
import sys


def main() -> int:
    os.environ["ONSIL_OWNER"] = "1"
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "onsil.web.settings")
    import django
    from django.core.management import call_command
    from django.db import connection

    logging.getLogger("procrastinate").setLevel(logging.WARNING)
    django.setup()
    call_command("migrate", interactive=False, verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute("SET ROLE onsil_app")
    load_cities()
    return 0


def load_cities() -> None:
    """Load every city's programmes and data sets; a faulty file is told on one line and left."""
    from onsil.core.refusal import OperationError
    from onsil.rewards import services as rewards
    from onsil.tenancy.cities import all_cities
    from onsil.tenancy.offering import load_datasets

    for city, profile in all_cities().items():
        for problem in rewards.load_programmes(city).problems:
            print(f"{city}: {problem.text('en')}", file=sys.stderr)
        try:
            load_datasets(profile)
        except OperationError as error:
            print(f"{city}: {error}", file=sys.stderr)


if __name__ == "__main__":
    raise SystemExit(main())
