"""Notifications over HTTP: what goes out, and every way in which an answer may come back."""

import asyncio
import json
from dataclasses import replace

import pytest

from onsil.hub.subscriptions.addresses import LOCAL
from onsil.hub.subscriptions.by_http import HttpSender
from onsil.hub.subscriptions.rendering import Message
from onsil.hub.subscriptions.terms import Endpoint

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


class Receiver:
    """Gives the answers it is made with, one a request; None hangs up."""

    def __init__(self, *answers, pieces=False):
        self.answers, self.pieces = list(answers), pieces
        self.requests, self.connections = [], 0

    async def __aenter__(self):
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_):
        self.server.close()

    async def serve(self, reader, writer):
        self.connections += 1
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                fields = dict(
                    line.split(": ", 1) for line in head.decode().split("\r\n")[1:] if line
                )
                body = await reader.readexactly(int(fields["Content-Length"]))
                self.requests.append((head.decode().split("\r\n")[0], fields, json.loads(body)))
                answer = self.answers.pop(0)
                if answer is None:
                    break
                for piece in (
                    [answer[i : i + 1] for i in range(len(answer))] if self.pieces else [answer]
                ):
                    writer.write(piece)
                    await writer.drain()
                    if self.pieces:
                        await asyncio.sleep(0)
                if not any(w in answer.lower() for w in (b"content-length", b"chunked")):
                    break
        except (asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        writer.close()


def told(answers, *, sends=1, pieces=False, path="/x", headers=None):
    """What came of `sends` notifications, and the receiver."""

    async def work():
        async with Receiver(*answers, pieces=pieces) as receiver:
            endpoint = Endpoint(f"http://127.0.0.1:{receiver.port}{path}")
            endpoint = replace(endpoint, timeout_s=2.0)
            sender = HttpSender(LOCAL)
            message = Message({"Content-Type": "application/json", **(headers or {})}, {"a": 1})
            results = [await sender.send(endpoint, message) for _ in range(sends)]
            await sender.close()
            return results, receiver

    return asyncio.run(work())


@pytest.mark.parametrize("pieces", [False, True])
@pytest.mark.parametrize(
    ("answer", "result", "kept"),
    [
        (OK, "sent", True),
        (b"HTTP/1.1 204 No Content\r\nX: Content-Length\r\n\r\n", "sent", True),
        (b"HTTP/1.1 200 OK\r\ncontent-LENGTH:  3 \r\nDate: now\r\n\r\nabc", "sent", True),
        (b"HTTP/1.1 200 OK\nContent-Length: 3\n\nabc", "sent", True),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + OK, "sent", True),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: x, Close\r\n\r\n1", "sent", False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\n1", "sent", False),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=1\r\nabc\r\nA\r\n0123456789"
         b"\r\n0\r\n\r\n", "sent", True),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nSum: 1\r\n\r\n", "sent", True),
        (b"HTTP/1.1 200 OK\r\n\r\nto the end", "sent", False),
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "refused", True),
        (b"HTTP/1.1 302 Found\r\nLocation: /y\r\nContent-Length: 0\r\n\r\n", "refused", True),
        (b"HTTP/1.1 503 Later\r\nContent-Length: 0\r\n\r\n", "failed", True),
        (b"SSH-2.0-OpenSSH\r\n\r\nContent-Length", "failed", False),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n12", "failed", False),
    ],
)  # fmt: skip
def test_an_answer_is_understood_and_its_connection_kept_if_it_can_be(answer, result, kept, pieces):
    results, receiver = told([answer, OK], sends=2, pieces=pieces)
    assert [one for one, _ in results] == [result, "sent"]
    assert receiver.connections == (1 if kept else 2)


def test_a_connection_kept_too_long_is_opened_anew():
    results, receiver = told([OK, None, OK], sends=2)
    assert [one for one, _ in results] == ["sent", "sent"]
    assert (receiver.connections, len(receiver.requests)) == (2, 3)


def test_a_request_says_what_it_should():
    _, receiver = told([OK], path="/a b?x=1", headers={"Link": "<http://c>", "X-Key": "a b"})
    ((first, fields, body),) = receiver.requests
    assert first == "POST /a%20b?x=1 HTTP/1.1"
    assert fields["Host"] == f"127.0.0.1:{receiver.port}"
    assert (fields["Link"], fields["X-Key"], body) == ("<http://c>", "a b", {"a": 1})


@pytest.mark.parametrize(
    "headers",
    [{"X": "a\r\nY: b"}, {"X: a\r\nY": "b"}, {"": "b"}, {"X": "\x00"}, {"X": " a"}, {"X": "한"}],
)
def test_what_is_no_header_is_not_sent(headers):
    results, receiver = told([OK], headers=headers)
    assert results[0][0] == "refused"
    assert receiver.requests == []


def test_an_answer_without_end_is_taken_by_its_status():
    long = b"HTTP/1.1 200 OK\r\nContent-Length: 900000000\r\n\r\n" + b"x" * 200_000
    results, _ = told([long])
    assert results == [("sent", "")]
