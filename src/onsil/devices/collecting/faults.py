"""What can go wrong when a device is asked, and how long to wait before asking again."""

from datetime import datetime, timedelta

BACK_OFF_MAX = timedelta(hours=1)
TOLD_MAX = timedelta(hours=24)


class Fault(Exception):
    """A round that failed: a stable code, words for people, and how long we were told to wait."""

    def __init__(self, code: str, ko: str, en: str, wait: timedelta | None = None) -> None:
        super().__init__(en)
        self.code, self.ko, self.en, self.wait = code, ko, en, wait


def next_round(now: datetime, interval_s: int) -> datetime:
    """The next whole multiple of the interval: rounds of a minute begin with the minute."""
    passed = now.timestamp()
    return now + timedelta(seconds=interval_s - passed % interval_s)


def after_failure(
    now: datetime, interval_s: int, failures: int, told: timedelta | None
) -> datetime:
    """When to try again: doubling from a tenth of the interval (at least 1 s) to an hour, and never
    before a server's Retry-After is over."""
    step = timedelta(seconds=max(1.0, interval_s / 10) * 2 ** min(failures - 1, 16))
    wait = min(step, BACK_OFF_MAX)
    if told is not None:
        wait = max(min(told, TOLD_MAX), timedelta(seconds=1))
    return now + wait
