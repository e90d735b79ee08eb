"""The stand-alone broker as a process of its own, for tests that race or kill it."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from typing import Any


class BrokerProcess:
    """`onsil hub` on a database that is there, and requests to it."""

    def __init__(self, dsn: str, folder: Any, *options: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._command = [
            sys.executable, "-m", "onsil.cli", "hub", "--port", str(self.port),
            "--data", str(folder), *(("--database", dsn) if dsn else ()), *options,
        ]  # fmt: skip
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.process = subprocess.Popen(
            self._command, start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                if self.call("GET", "/types")[0] == 200:
                    return
            except OSError:
                pass
            time.sleep(0.05)
        raise AssertionError("the broker did not start")

    def call(
        self, method: str, path: str, body: Any = None, tenant: str = "", token: str = ""
    ) -> tuple[int, Any]:
        """(status, JSON of the answer)."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        headers = {"Content-Type": "application/json"} if body is not None else {}
        if tenant:
            headers["NGSILD-Tenant"] = tenant
        if token:
            headers["Authorization"] = f"Bearer {token}"
        content = None if body is None else json.dumps(body)
        connection.request(method, f"/ngsi-ld/v1{path}", content, headers)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        return answer.status, json.loads(text) if text else None

    def kill(self) -> None:
        """End it at once, workers and all."""
        assert self.process
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> int:
        """What Ctrl-C does; the exit status."""
        assert self.process
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait(30)
