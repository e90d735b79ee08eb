"""A context source in a thread of its own: it answers what it is told to and keeps what it got."""

import json
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

API = "/ngsi-ld/v1"


@dataclass
class Asked:
    """One request that came in."""

    method: str
    target: str  # path and query behind /ngsi-ld/v1
    headers: dict[str, str]
    body: Any


@dataclass
class Source:
    """What a source answers, by method and target; anything else is 404."""

    port: int = 0
    answers: dict[tuple[str, str], tuple[int, Any]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    delay_s: float = 0.0
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def answer(self, method: str, target: str, status: int = 200, body: Any = None) -> None:
        self.answers[method, target] = (status, body)

    def registration(self, uri="urn:x:source", *, mode="inclusive", entities=None, **more):
        info: dict[str, Any] = {"entities": entities or [{"type": "Vehicle"}]}
        if "attrs" in more:
            info["propertyNames"] = more.pop("attrs")
        return {
            "id": uri, "type": "ContextSourceRegistration", "information": [info], "mode": mode,
            "endpoint": self.url, "operations": ["redirectionOps", "federationOps"], **more,
        }  # fmt: skip


@contextmanager
def source():
    """A source for as long as the test runs."""
    made = Source()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            raw = self.rfile.read(length)
            target = self.path.removeprefix(API)
            body = json.loads(raw) if raw else None
            made.asked.append(Asked(self.command, target, dict(self.headers), body))
            time.sleep(made.delay_s)
            status, content = made.answers.get((self.command, target), (404, None))
            sent = content if isinstance(content, bytes) else json.dumps(content).encode()
            sent = b"" if content is None else sent
            self.send_response(status)
            for name, value in made.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    made.port = server.server_address[1]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
