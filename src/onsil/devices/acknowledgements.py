"""Devices' answers to commands: `{"command": id, "status": "done" | "failed", "detail": …}`."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from onsil.core.clock import Clock
from onsil.core.database import Connection
from onsil.devices.commands.orders import acknowledge, lock
from onsil.devices.drivers.json_payload import malformed, parse_json

_STATUS = {"done": True, "failed": False}


class Answer(NamedTuple):
    """What a device says about a command."""

    device_id: str
    command_id: UUID
    done: bool
    detail: str


def answer_of(device_id: str, payload: bytes) -> Answer:
    """An answer from its message. Raises DecodeError."""
    body = parse_json(payload)
    if not isinstance(body, dict) or body.get("status") not in _STATUS:
        raise malformed("an answer has a command and a status, done or failed")
    try:
        number = UUID(str(body.get("command")))
    except ValueError:
        raise malformed("command is the id that came with it") from None
    return Answer(device_id, number, _STATUS[body["status"]], str(body.get("detail", "")))


def settle(conn: Connection, city: str, answers: Sequence[Answer], clock: Clock) -> None:
    """Take answers into the commands' states; those to commands nobody gave change nothing."""
    if not answers:
        return
    lock(conn, city, {one.device_id for one in answers})
    for one in answers:
        acknowledge(
            conn, city, one.device_id, one.command_id, done=one.done, detail=one.detail, clock=clock
        )
