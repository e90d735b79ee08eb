"""Where a log's objects lie: a folder on disk, or any HTTP server that keeps what is PUT.

Objects are read and written whole. `swap` is compare-and-swap, on which it rests that two
sequencers never sign two histories: a lock and a rename on disk, `If-Match` and `If-None-Match`
(RFC 9110 §13.1) over HTTP, as WebDAV servers and S3-compatible stores have them.
"""

import base64
import fcntl
import os
import shutil
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from hashlib import sha256
from http.client import HTTPException
from pathlib import Path
from typing import Protocol

from onsil.core.ids import new_id
from onsil.core.refusal import OperationError

_TRIES = 4
_PAUSE_S = 0.1  # before the second try, doubled before each further one
_BYTES_MAX = 64 * 2**20


class LogStore(Protocol):
    """Whole objects under slash-separated paths. Failures are OperationErrors."""

    @property
    def place(self) -> str:
        """Where this is, for messages."""
        ...

    def read(self, path: str) -> tuple[bytes, str] | None:
        """An object and its version, or None when there is none."""
        ...

    def write(self, objects: Mapping[str, bytes]) -> None:
        """Put objects in place of what was there; they are safe when this returns."""
        ...

    def swap(self, path: str, content: bytes, version: str | None) -> bool:
        """Put an object in place of this very version (None: of nothing); False if it is not so."""
        ...

    def discard(self, path: str) -> None:
        """Remove an object, or what lies below a path; nothing there is fine."""
        ...


class FolderStore:
    """A folder on disk. What was written survives a power cut."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def place(self) -> str:
        return str(self.path)

    def read(self, path: str) -> tuple[bytes, str] | None:
        try:
            content = (self.path / path).read_bytes()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return None
        return content, sha256(content).hexdigest()

    def write(self, objects: Mapping[str, bytes]) -> None:
        for _ in range(_TRIES):
            try:
                return self._write(objects)
            except FileNotFoundError:  # another sequencer has cleared the folder meanwhile
                continue
        raise OperationError(f"{self.path} is taken away again and again", retry=True)

    def _write(self, objects: Mapping[str, bytes]) -> None:
        folders: set[Path] = set()
        for path, content in objects.items():
            _write(self.path / path, content, folders)
        for folder in sorted(folders, reverse=True):
            _sync_folder(folder)

    def swap(self, path: str, content: bytes, version: str | None) -> bool:
        with self._locked():
            held = self.read(path)
            if (held[1] if held else None) != version:
                return False
            self.write({path: content})
            return True

    def discard(self, path: str) -> None:
        target = self.path / path
        if target.is_dir():
            shutil.rmtree(target, ignore_errors=True)
        else:
            target.unlink(missing_ok=True)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self.path.mkdir(parents=True, exist_ok=True)
        with (self.path / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _write(path: Path, content: bytes, folders: set[Path]) -> None:
    """Write a file whole or not at all, and remember the folders to be synchronised."""
    missing = path.parent
    while not missing.exists():
        folders.add(missing.parent)
        missing = missing.parent
    path.parent.mkdir(parents=True, exist_ok=True)
    # A process id would not do: two machines with one folder may have the same.
    staging = path.with_name(f".{path.name}.{new_id().hex}.new")
    with staging.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    staging.replace(path)
    folders.add(path.parent)


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class HttpStore:
    """Objects below a URL, by GET, PUT and DELETE. The server has to give strong ETags.

    `token` is sent as a bearer token; a name and password in the URL go as basic authentication.
    What fails on the way is tried four times; a conditional PUT whose answer was lost is looked up.
    """

    def __init__(self, url: str, token: str = "", *, timeout_s: float = 10.0) -> None:
        parts = urllib.parse.urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise OperationError(f"{url} is not an http or https address", retry=False)
        host = parts.hostname if parts.port is None else f"{parts.hostname}:{parts.port}"
        self._base = f"{parts.scheme}://{host}{parts.path.rstrip('/')}"
        self._headers = {"User-Agent": "onsil-log"}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"
        elif parts.username:
            pair = f"{urllib.parse.unquote(parts.username)}:" + urllib.parse.unquote(
                parts.password or ""
            )
            self._headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
        self._timeout_s = timeout_s

    @property
    def place(self) -> str:
        return self._base

    def read(self, path: str) -> tuple[bytes, str] | None:
        status, content, tag = self._persist("GET", path)
        if status == 404:
            return None
        self._expect(status == 200, status, "GET", path)
        return content, tag

    def write(self, objects: Mapping[str, bytes]) -> None:
        def put(item: tuple[str, bytes]) -> None:
            status, _, _ = self._persist("PUT", item[0], item[1])
            self._expect(status in (200, 201, 204), status, "PUT", item[0])

        if len(objects) == 1:
            put(*objects.items())
            return
        with ThreadPoolExecutor(8) as pool:
            for _ in pool.map(put, objects.items()):
                pass

    def swap(self, path: str, content: bytes, version: str | None) -> bool:
        if version is None:
            condition = {"If-None-Match": "*"}
        elif version.startswith('"'):
            condition = {"If-Match": version}
        else:
            raise OperationError(f"{self._base}/{path}: the server gives no strong ETag",
                                 retry=False)  # fmt: skip
        for attempt in range(_TRIES):
            try:
                status, _, _ = self._ask("PUT", path, content, condition)
            except OSError as error:
                failure: object = error
            else:
                if status in (200, 201, 204):
                    return True
                if status not in (409, 412) and status < 500:
                    self._expect(False, status, "PUT", path)
                failure = status
            # Whatever was answered, what is there now decides: an answer may have been lost.
            held = self.read(path)
            if held is not None and held[0] == content:
                return True
            if (held[1] if held else None) != version:
                return False
            time.sleep(_PAUSE_S * 2**attempt)
        raise OperationError(f"{self._base}/{path}: PUT failed ({failure})", retry=True)

    def discard(self, path: str) -> None:
        status, _, _ = self._persist("DELETE", path)
        self._expect(status in (200, 202, 204, 404), status, "DELETE", path)

    def _expect(self, good: bool, status: int, method: str, path: str) -> None:
        if not good:
            raise OperationError(
                f"{self._base}/{path}: {method} was answered with {status}", retry=status >= 500
            )

    def _persist(
        self, method: str, path: str, content: bytes | None = None
    ) -> tuple[int, bytes, str]:
        """Ask until there is an answer that is not the server's failure."""
        for attempt in range(_TRIES):
            try:
                answer = self._ask(method, path, content, {})
                if answer[0] < 500:
                    return answer
                failure: object = answer[0]
            except OSError as error:
                failure = error
            time.sleep(_PAUSE_S * 2**attempt)
        raise OperationError(f"{self._base}/{path}: {method} failed ({failure})", retry=True)

    def _ask(
        self, method: str, path: str, content: bytes | None, headers: Mapping[str, str]
    ) -> tuple[int, bytes, str]:
        """(status, body, ETag) of one request. Raises OSError when there is no answer."""
        request = urllib.request.Request(  # noqa: S310 - the scheme was checked
            f"{self._base}/{path}", data=content, headers={**self._headers, **headers},
            method=method,
        )  # fmt: skip
        if content is not None:
            request.add_header("Content-Type", "application/octet-stream")
        try:
            with urllib.request.urlopen(request, timeout=self._timeout_s) as answer:  # noqa: S310
                body = answer.read(_BYTES_MAX)
                return answer.status, body, answer.headers.get("ETag", "")
        except urllib.error.HTTPError as error:
            with error:
                return error.code, b"", ""
        except HTTPException as error:
            raise ConnectionError(str(error) or type(error).__name__) from error
