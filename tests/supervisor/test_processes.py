"""A role under supervision: its lines, its deaths, its end."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from asynchronous import in_a_loop
from onsil.supervisor import process
from onsil.supervisor.process import Role, Supervised


async def _yes() -> bool:
    return True


async def _no() -> bool:
    return False


def _role(code: str, answers: Callable[[], Awaitable[bool]] = _yes, **fields) -> Role:
    return Role("subject", (sys.executable, "-u", "-c", code), answers, **fields)


def _supervise(role: Role) -> tuple[Supervised, list[str]]:
    lines: list[str] = []
    return Supervised(role, lambda _, line: lines.append(line), dict(os.environ)), lines


async def _until(condition: Callable[[], bool], wait_s: float = 10) -> None:
    deadline = time.monotonic() + wait_s
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        await asyncio.sleep(0.02)


def _gone(pid: int) -> bool:
    """Whether the process is no more; one nobody has fetched yet counts as gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def test_lines_are_passed_on_and_a_role_ends_when_asked() -> None:
    async def play() -> None:
        keeper, lines = _supervise(_role("print('한 줄'); import time; time.sleep(60)"))
        keeper.start()
        await _until(lambda: "한 줄" in lines and keeper.status.state == "ready")
        pid = keeper.status.pid
        assert pid
        await keeper.stop()
        assert keeper.status.state == "stopped"
        assert _gone(pid)

    in_a_loop(play())


def test_a_role_that_dies_is_started_again_and_says_so() -> None:
    async def play() -> None:
        keeper, lines = _supervise(_role("import time; time.sleep(60)"))
        keeper.start()
        await _until(lambda: keeper.status.state == "ready")
        first = keeper.status.pid
        assert first
        os.kill(first, signal.SIGKILL)
        await _until(lambda: keeper.status.restarts == 1)
        await _until(lambda: keeper.status.state == "ready" and keeper.status.pid != first)
        assert any("starting it again" in line for line in lines)
        await keeper.stop()

    in_a_loop(play())


def test_the_pause_grows_while_a_role_cannot_live(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "BACK_OFF_S", (0.01, 0.02, 0.4))

    async def play() -> None:
        keeper, lines = _supervise(_role("raise SystemExit(3)"))
        keeper.start()
        await _until(lambda: keeper.status.restarts >= 4)
        await keeper.stop()
        pauses = [line.split()[-2] for line in lines if "starting it again" in line]
        assert pauses[:4] == ["0.01", "0.02", "0.4", "0.4"]

    in_a_loop(play())


def test_a_role_that_will_not_stop_is_killed_with_its_own_children(tmp_path: Path) -> None:
    child = tmp_path / "child"
    code = (
        "import signal, subprocess, sys, pathlib, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        f"pathlib.Path({str(child)!r}).write_text(str(p.pid))\n"
        "time.sleep(60)\n"
    )

    async def play() -> None:
        keeper, lines = _supervise(_role(code, patience_s=0.3))
        keeper.start()
        await _until(lambda: child.exists() and bool(child.read_text()))
        began = time.monotonic()
        await keeper.stop()
        assert time.monotonic() - began < 5
        assert any("killing" in line for line in lines)
        await _until(lambda: _gone(int(child.read_text())))

    in_a_loop(play())


def test_a_deaf_role_is_restarted_but_not_while_its_database_is_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(process, "DEAF_S", 0.5)
    there = False

    async def play() -> None:
        nonlocal there
        role = _role("import time; time.sleep(60)", _no, needs=lambda: there)
        keeper, lines = _supervise(role)
        keeper.start()
        await asyncio.sleep(1.2)
        assert keeper.status.restarts == 0
        there = True
        await _until(lambda: keeper.status.restarts == 1)
        assert any("has not answered" in line for line in lines)
        await keeper.stop()

    in_a_loop(play())


def test_a_program_that_is_not_there_does_not_end_the_supervisor() -> None:
    async def play() -> None:
        keeper, _ = _supervise(Role("subject", ("/nowhere/at-all",), _no))
        keeper.start()
        await _until(lambda: keeper.status.restarts >= 1)
        await keeper.stop()
        assert keeper.status.state == "stopped"

    in_a_loop(play())
