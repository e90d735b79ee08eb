"""A sender killed at any moment: what was committed is told, under the same id."""

import asyncio
import os
import signal
import subprocess
import sys
import time

import pytest

from asynchronous import in_a_loop
from receiving import CITY, broker, created, prop, receiver, subscribed, subscription, told, until

SENDER = """
import asyncio, sys
from onsil.core.clock import SystemClock
from onsil.hub.contexts.resolving import Contexts
from onsil.hub.http.database import Database
from onsil.hub.subscriptions.addresses import LOCAL
from onsil.hub.subscriptions.sender import Sender
from onsil.hub.subscriptions.words import Words

db, clock = Database(sys.argv[1]), SystemClock()
asyncio.run(Sender(db, clock, Words(Contexts(db, clock)), LOCAL, sys.argv[2]).run())
"""


@pytest.mark.parametrize("moment_s", [0.0, 0.15, 0.4])
def test_a_killed_sender_loses_nothing(fresh_database, moment_s):
    async def work():
        async with receiver(delay_s=0.05) as there:
            async with broker(fresh_database) as client:
                await subscribed(client, subscription(there.url))
            ids: dict[str, set[str]] = {}
            for turn in range(3):
                process = subprocess.Popen(
                    [sys.executable, "-c", SENDER, fresh_database, CITY], env=os.environ.copy()
                )
                try:
                    before = len(there.received)
                    for number in range(20):
                        one = created(f"b{turn}-{number}", level=prop(number))
                        await told(fresh_database, one)
                    await until(lambda before=before: len(there.received) > before, 20)
                    await asyncio.sleep(moment_s)
                finally:
                    process.send_signal(signal.SIGKILL)
                    await asyncio.to_thread(process.wait, 10)
            async with broker(fresh_database):
                await until(lambda: len(_told(there, ids)) == 60, 20)
                begun = time.monotonic()
                while time.monotonic() - begun < 0.5:
                    await asyncio.sleep(0.05)
            # An entity was told once, or again in the same notification or a joined one.
            assert len(_told(there, ids)) == 60

    in_a_loop(work())


def _told(there, ids):
    for one in there.received:
        for entity in one.body["data"]:
            ids.setdefault(entity["id"], set()).add(one.body["id"])
    return ids
