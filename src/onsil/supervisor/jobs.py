"""The worker role: the rooms' `jobs.py` modules registered, and procrastinate run on them."""

import asyncio
import contextlib
import importlib
import os
import signal
import threading
from importlib.util import find_spec
from typing import Any

CONCURRENCY = 2
JOBS_END_S = 3  # what running jobs are given once the worker has been told to end
END_S = 6.0  # after which the worker is gone whatever it waits for


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
    """Work off deferred and periodic jobs until SIGTERM, which lets running ones end.

    Whoever was told to end is gone after `END_S` seconds: with its database away, procrastinate
    would wait a minute for a connection to sign off on, and a killed supervisor ends them both.
    """
    import django

    django.setup()
    register_jobs()
    from procrastinate.contrib.django import app

    with app.replace_connector(app.connector.get_worker_connector()) as worker_app:  # pyright: ignore
        asyncio.run(_work(worker_app))


async def _work(app: Any) -> None:
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    async with app.open_async():
        work = asyncio.create_task(
            app.run_worker_async(
                concurrency=CONCURRENCY, install_signal_handlers=False,
                shutdown_graceful_timeout=JOBS_END_S,
            )
        )  # fmt: skip
        ending = asyncio.create_task(told.wait())
        await asyncio.wait({work, ending}, return_when="FIRST_COMPLETED")
        ending.cancel()
        if told.is_set():
            end = threading.Timer(END_S, os._exit, (0,))  # waits for no thread and no connection
            end.daemon = True
            end.start()
            work.cancel()  # which procrastinate takes for being asked to stop
        with contextlib.suppress(asyncio.CancelledError):
            await work
