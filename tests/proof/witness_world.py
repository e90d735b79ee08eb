"""Real witnesses for tests: each a process of its own with its own folder, over real HTTP."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from onsil.proof import VerifierKey
from onsil.proof.policy import PolicyWitness
from onsil.proof.witness.serving import open_witness

SERVE = "from onsil.proof.witness.serving import serve; import sys, pathlib; serve(pathlib.Path(sys.argv[1]), '127.0.0.1', int(sys.argv[2]))"  # noqa: E501


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@dataclass
class RunningWitness:
    """A witness process that can be killed and started again on the same folder and port."""

    name: str
    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    @classmethod
    def make(cls, folder: Path, name: str, *logs: VerifierKey) -> "RunningWitness":
        _, memory = open_witness(folder, name)
        for key in logs:
            memory.add_log(key, every_year=True)
        return cls(name, folder, free_port())

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    @property
    def memory(self):
        return open_witness(self.folder)[1]

    def in_policy(self, name: str = "", kind: int = 1) -> PolicyWitness:
        """As a policy names it; `kind` 0 is its Ed25519 key, 1 its ML-DSA-44 key."""
        key = open_witness(self.folder)[0].keys[kind]
        return PolicyWitness(name or self.name.replace("/", "-"), key, self.url)

    def start(self) -> "RunningWitness":
        self.process = subprocess.Popen(
            [sys.executable, "-c", SERVE, str(self.folder), str(self.port)], start_new_session=True
        )
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            try:
                with urllib.request.urlopen(f"{self.url}-/health", timeout=1) as answer:  # noqa: S310
                    assert answer.status == 200
                    return self
            except OSError:
                time.sleep(0.05)
        raise AssertionError("the witness does not answer")

    def stop(self, number: int = signal.SIGKILL) -> None:
        if self.process is not None:
            os.killpg(self.process.pid, number)
            self.process.wait()
            self.process = None


def policy_text(witnesses: list[PolicyWitness], quorum: str) -> str:
    lines = [f"witness {w.name} {w.key.text} {w.url}" for w in witnesses]
    names = " ".join(w.name for w in witnesses)
    return "\n".join([*lines, f"group enough {quorum} {names}", "quorum enough", ""])
