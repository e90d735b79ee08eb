"""A real HTTP store for tests, as a process: GET, PUT and DELETE with ETag preconditions.

It keeps files in a folder and can be told to fail: `POST /-/fail?<how>=<times>` where how is
`error` (500 before doing anything), `drop` (cuts the connection before), `lost` (does it, then cuts
the connection), `conflict` (412 although nothing changed).
"""

import os
import sys
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock
from urllib.parse import parse_qsl, urlsplit

ROOT = Path(sys.argv[1])
TOKEN = sys.argv[3] if len(sys.argv) > 3 else ""
LOCK = Lock()
FAILURES = {"error": 0, "drop": 0, "lost": 0, "conflict": 0}


class Store(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def file(self) -> Path:
        path = (ROOT / urlsplit(self.path).path.lstrip("/")).resolve()
        assert path.is_relative_to(ROOT.resolve())
        return path

    def answer(self, status: int, body: bytes = b"", tag: str = "") -> None:
        self.send_response(status)
        if tag:
            self.send_header("ETag", tag)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def fails(self, how: str) -> bool:
        with LOCK:
            if FAILURES[how]:
                FAILURES[how] -= 1
                return True
        return False

    def cut(self) -> None:
        self.close_connection = True
        self.connection.close()

    def allowed(self) -> bool:
        if TOKEN and self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self.answer(401)
            return False
        return True

    def do_POST(self) -> None:
        for how, times in parse_qsl(urlsplit(self.path).query):
            FAILURES[how] = int(times)
        self.answer(204)

    def do_GET(self) -> None:
        if not self.allowed():
            return
        file = self.file()
        if not file.is_file():
            self.answer(404)
        else:
            body = file.read_bytes()
            self.answer(200, body, tag(body))

    def do_DELETE(self) -> None:
        file = self.file()
        if not file.is_file():
            self.answer(404)
        else:
            file.unlink()
            self.answer(204)

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if not self.allowed():
            return
        if self.fails("drop"):
            return self.cut()
        if self.fails("error"):
            return self.answer(500)
        if self.fails("conflict"):
            return self.answer(412)
        status = self.put(body)
        if self.fails("lost"):
            return self.cut()
        return self.answer(status)

    def put(self, body: bytes) -> int:
        file = self.file()
        with LOCK:
            held = tag(file.read_bytes()) if file.is_file() else None
            wanted, unwanted = self.headers.get("If-Match"), self.headers.get("If-None-Match")
            if (wanted and wanted != held) or (unwanted == "*" and held):
                return 412
            file.parent.mkdir(parents=True, exist_ok=True)
            staging = file.with_name(f".{file.name}.{os.getpid()}")
            staging.write_bytes(body)
            staging.replace(file)
            return 204 if held else 201


def tag(body: bytes) -> str:
    return f'"{sha256(body).hexdigest()[:32]}"'


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2])), Store).serve_forever()
