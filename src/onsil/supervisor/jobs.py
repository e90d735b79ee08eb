"""The worker role: the rooms' `jobs.py` modules registered, and procrastinate run on them."""

import importlib
from importlib.util import find_spec

CONCURRENCY = 2


def register_jobs() -> list[str]:
    """Import every room's `jobs.py`; the names of the modules found."""
    from django.apps import apps

    found = [
        f"{app.name}.jobs"
        for app in apps.get_app_configs()
        if app.name.startswith("onsil.") and find_spec(f"{app.name}.jobs")
    ]
    for module in found:
        importlib.import_module(module)
    return found


def run_worker() -> None:
    """Work off deferred and periodic jobs until SIGTERM, which lets running ones end."""
    import django

    django.setup()
    register_jobs()
    from procrastinate.contrib.django import app

    with app.replace_connector(app.connector.get_worker_connector()) as worker_app:  # pyright: ignore
        worker_app.run_worker(
            concurrency=CONCURRENCY, install_signal_handlers=True, shutdown_graceful_timeout=3
        )
