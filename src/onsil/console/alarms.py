"""The alarm list, sorted by what to do: pure rules over what the rooms report."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

SEAL_OVERDUE = timedelta(minutes=5)
_ORDER = {"bad": 0, "watch": 1, "info": 2}


@dataclass(frozen=True)
class Alarm:
    """Something that wants a person: what happened, what to do, where, since when."""

    key: str
    status: str
    what_ko: str
    what_en: str
    do_ko: str
    do_en: str
    href: str = ""
    at: datetime | None = None

    def what(self, language: str) -> str:
        return self.what_en if language.startswith("en") else self.what_ko

    def do(self, language: str) -> str:
        return self.do_en if language.startswith("en") else self.do_ko


def ordered(alarms: Iterable[Alarm]) -> list[Alarm]:
    """Worst first, then oldest first; those without a time last."""
    return sorted(
        alarms,
        key=lambda a: (_ORDER[a.status], a.at is None, a.at.timestamp() if a.at else 0, a.key),
    )


def of_devices(health: Sequence[Any], href: str) -> list[Alarm]:
    """Devices that fell silent, are stuck, drift away, or say the impossible."""
    return [
        Alarm(
            f"device-{one.device.id}", "bad" if one.state == "silent" else "watch",
            f"장치 {one.device.id}: {one.ko}", f"Device {one.device.id}: {one.en}",
            "전원과 통신을 확인하고, 안 되면 현장 점검을 요청하세요.",
            "Check power and network, then ask for a visit.", href, one.last_seen,
        )
        for one in health
        if one.state in ("silent", "stuck", "drifting", "impossible")
    ]  # fmt: skip


def of_quarantine(counts: Mapping[str, int], href: str) -> list[Alarm]:
    """Readings set aside lately; they wait for a look, none is lost."""
    total = sum(counts.values())
    if not total:
        return []
    return [
        Alarm(
            "quarantine", "watch", f"격리된 값 {total:,}건 (최근 7일)",
            f"Readings set aside: {total:,} (last 7 days)",
            "이유를 보고 단위나 장치 설정을 바로잡으세요. 원래 값은 보관되어 있습니다.",
            "See why and mend the unit or the device; the raw values are kept.", href,
        )
    ]  # fmt: skip


def of_budgets(budgets: Sequence[Any], href: str) -> list[Alarm]:
    """Budgets about to run out or empty."""
    return [
        Alarm(
            f"budget-{b.programme}-{b.year}", "bad" if b.forecast.state == "empty" else "watch",
            b.message.text("ko"), b.message.text("en"),
            "기금이나 추경으로 채우거나, 줄어듦을 시민에게 미리 알리세요.",
            "Top it up, or tell citizens in good time that it will shrink.", href,
        )
        for b in budgets
        if b.warning
    ]  # fmt: skip


def of_log(status: Any, now: datetime, href: str) -> list[Alarm]:
    """Entries that wait too long for a seal, or a log that cannot go on."""
    if status.problem:
        return [
            Alarm("log", "bad", f"투명성 기록: {status.problem}", f"Log: {status.problem}",
                  "봉인을 멈추고 운영자에게 알리세요.", "Stop and tell the operator.", href,
                  status.signed_at)
        ]  # fmt: skip
    if status.pending and (status.signed_at is None or now - status.signed_at > SEAL_OVERDUE):
        return [
            Alarm("log", "watch", f"봉인을 기다리는 기록 {status.pending:,}건",
                  f"Entries waiting for a seal: {status.pending:,}",
                  "봉인 프로그램이 돌고 있는지 확인하세요.", "Check that the sequencer runs.", href,
                  status.signed_at)
        ]  # fmt: skip
    return []


def waiting(key: str, count: int, ko: str, en: str, do: tuple[str, str], href: str) -> list[Alarm]:
    """Work that waits for a decision, if any; `{n}` in the texts is the count."""
    if not count:
        return []
    return [
        Alarm(key, "info", ko.format(n=count), en.format(n=count), do[0], do[1], href)
    ]  # fmt: skip
