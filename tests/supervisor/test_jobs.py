"""The worker's end, which must not depend on what it waits for."""

import signal
import subprocess
import sys
import time

_WAITS_IN_VAIN = """
import asyncio, contextlib
from onsil.supervisor import jobs

class App:
    @contextlib.asynccontextmanager
    async def open_async(self):
        yield

    async def run_worker_async(self, **options):
        print("at work", flush=True)
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            print("asked to end", flush=True)
            await asyncio.sleep(STAYS_S)
            print("ended", flush=True)
            raise

jobs.END_S = 0.5
asyncio.run(jobs._work(App()))
print("left", flush=True)
"""


def _told_to_end(stays_s: float) -> tuple[list[str], int, float]:
    """What a worker says that needs so long to end, its exit status, and how long it took."""
    program = _WAITS_IN_VAIN.replace("STAYS_S", str(stays_s))
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "at work\n"
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        said, _ = process.communicate(timeout=30)
        return said.split("\n")[:-1], process.returncode, time.monotonic() - began
    finally:
        process.kill()


def test_a_worker_that_is_told_to_end_ends_in_its_own_time():
    said, status, _ = _told_to_end(0.05)
    assert (said, status) == (["asked to end", "ended", "left"], 0)


def test_a_worker_that_waits_in_vain_is_gone_all_the_same():
    said, status, took_s = _told_to_end(60)
    assert (said, status) == (["asked to end"], 0)
    assert took_s < 20
