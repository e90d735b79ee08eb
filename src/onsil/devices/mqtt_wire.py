"""MQTT 3.1.1 on the wire, as much of it as a fast subscriber needs (OASIS standard, § named).

Many packets are read and many acknowledgements written at once: that is what makes ten thousand
messages a second possible in Python.
"""

import struct
from collections.abc import Sequence
from typing import NamedTuple

CONNACK, PUBLISH, PUBACK, SUBACK, PINGRESP = 0x20, 0x30, 0x40, 0x90, 0xD0
PINGREQ, DISCONNECT = b"\xc0\x00", b"\xe0\x00"
PACKET_MAX_BYTES = 16 * 1024 * 1024


class WireError(ConnectionError):
    """The broker sent something that is no MQTT."""


class Published(NamedTuple):
    """A PUBLISH packet; `mid` is 0 where nothing is to be acknowledged (QoS 0)."""

    topic: bytes
    payload: bytes
    mid: int


class Refused(ConnectionError):
    """The broker does not let us in (§3.2.2.3)."""


_REASONS = {
    1: "protocol version", 2: "client id", 3: "server unavailable", 4: "user name or password",
    5: "not authorised",
}  # fmt: skip


def _length(count: int) -> bytes:
    """The remaining length, seven bits a byte (§2.2.3)."""
    made = bytearray()
    while True:
        count, digit = count >> 7, count & 127
        made.append(digit | (0x80 if count else 0))
        if not count:
            return bytes(made)


def _text(text: str | bytes) -> bytes:
    raw = text.encode() if isinstance(text, str) else text
    return struct.pack("!H", len(raw)) + raw


def connect_packet(
    client_id: str, username: str, password: str, keepalive_s: int,
    will: tuple[str, bytes] | None = None,
) -> bytes:  # fmt: skip
    """CONNECT for a persistent session (§3.1); `will` is (topic, payload), QoS 1, retained."""
    flags = (0x80 if username else 0) | (0x40 if username else 0) | (0x2C if will else 0)
    body = _text("MQTT") + bytes((4, flags)) + struct.pack("!H", keepalive_s) + _text(client_id)
    if will:
        body += _text(will[0]) + _text(will[1])
    if username:
        body += _text(username) + _text(password)
    return b"\x10" + _length(len(body)) + body


def subscribe_packet(mid: int, filters: Sequence[str]) -> bytes:
    """SUBSCRIBE to filters at QoS 1 (§3.8)."""
    body = struct.pack("!H", mid) + b"".join(_text(one) + b"\x01" for one in filters)
    return b"\x82" + _length(len(body)) + body


def publish_packet(topic: str, payload: bytes, *, retain: bool = False) -> bytes:
    """PUBLISH at QoS 0 (§3.3)."""
    body = _text(topic) + payload
    return bytes((0x31 if retain else 0x30,)) + _length(len(body)) + body


def acknowledgements(mids: Sequence[int]) -> bytes:
    """PUBACKs (§3.4), one after the other."""
    head = b"\x40\x02"
    return b"".join([head + mid.to_bytes(2, "big") for mid in mids])


class Inbox:
    """Bytes in, packets out; what is cut waits for the rest."""

    def __init__(self) -> None:
        self._rest = b""

    def take(self, data: bytes) -> tuple[list[Published], list[tuple[int, bytes]]]:
        """PUBLISH packets, and the others as (type, body). Raises WireError."""
        buffer = self._rest + data if self._rest else data
        published: list[Published] = []
        others: list[tuple[int, bytes]] = []
        at, end = 0, len(buffer)
        while end - at >= 2:
            first, size, body = buffer[at], buffer[at + 1], at + 2
            if size & 0x80:
                found = _long_size(buffer, at + 1, end)
                if found is None:
                    break
                size, body = found
            after = body + size
            if after > end:
                break
            if first & 0xF0 == PUBLISH:
                published.append(_published(buffer, first, body, after))
            else:
                others.append((first & 0xF0, buffer[body:after]))
            at = after
        self._rest = buffer[at:]
        return published, others


def _long_size(buffer: bytes, at: int, end: int) -> tuple[int, int] | None:
    """(remaining length, where the body begins); None where it is cut. Raises WireError."""
    size, shift = 0, 0
    for place in range(at, at + 4):
        if place >= end:
            return None
        digit = buffer[place]
        size |= (digit & 0x7F) << shift
        if not digit & 0x80:
            if size > PACKET_MAX_BYTES:
                raise WireError(f"a packet of {size} bytes")
            return size, place + 1
        shift += 7
    raise WireError("a remaining length of over four bytes")


def _published(buffer: bytes, first: int, at: int, end: int) -> Published:
    topic_from = at + 2
    topic_to = topic_from + (buffer[at] << 8 | buffer[at + 1]) if topic_from <= end else end + 1
    payload_from = topic_to + 2 if first & 0x06 else topic_to
    if payload_from > end:
        raise WireError("a PUBLISH that is shorter than its topic")
    mid = buffer[topic_to] << 8 | buffer[topic_to + 1] if first & 0x06 else 0
    return Published(buffer[topic_from:topic_to], buffer[payload_from:end], mid)


def check_connack(body: bytes) -> None:
    """Raises Refused when the broker does not take us."""
    if len(body) != 2:
        raise WireError("a CONNACK of other than two bytes")
    if body[1]:
        raise Refused(f"the broker refuses us: {_REASONS.get(body[1], body[1])}")
