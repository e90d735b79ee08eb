"""From messages to recorded readings: one batch of one city, in the caller's transaction."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from onsil.core.clock import Clock
from onsil.core.database import Connection
from onsil.devices.drivers import drivers
from onsil.devices.register import devices, note_seen
from onsil.devices.terms import DecodeError, Device, Frame
from onsil.hub import QuarantineDraft, Reading, RecordReport, quarantine_raw, record


class Message(NamedTuple):
    """A message from a device, as it came in."""

    device_id: str
    payload: bytes
    received_at: datetime
    attribute: str = ""


class RefusedMessage(NamedTuple):
    """A message (or one reading in it) set aside before the hub's rules could look at it."""

    device_id: str
    code: str
    ko: str
    en: str


@dataclass
class IngestReport:
    """What became of a batch of messages."""

    recorded: RecordReport = field(default_factory=RecordReport)
    refused: list[RefusedMessage] = field(default_factory=list)


@dataclass
class _Batch:
    """What is gathered from the messages before anything is written."""

    readings: list[Reading] = field(default_factory=list)
    senders: list[str] = field(default_factory=list)
    drafts: list[QuarantineDraft] = field(default_factory=list)
    heard: dict[str, list[Any]] = field(default_factory=dict)

    def refuse(self, device_id: str, fault: DecodeError, raw: Any, message_id: str = "") -> None:
        origin = f"device:{device_id}"
        self.drafts.append(QuarantineDraft(origin, fault.code, fault.ko, fault.en, raw, message_id))
        if device_id in self.heard:
            self.heard[device_id][2] += 1


def raw_payload(payload: bytes) -> dict[str, str]:
    """A payload as JSON can hold it: its text, or base64 where it is none."""
    try:
        return {"text": payload.decode()}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(payload).decode()}


def ingest(conn: Connection, city: str, messages: Sequence[Message], clock: Clock) -> IngestReport:
    """Decode and record messages. Whatever is wrong with one is set aside, raw, with the reason."""
    known = {d.id: d for d in devices(conn, city, ids={m.device_id for m in messages})}
    batch = _Batch()
    for message in messages:
        device = known.get(message.device_id)
        if device is None:
            batch.refuse(message.device_id, unknown_device(message.device_id, city),
                         raw_payload(message.payload))  # fmt: skip
            continue
        _decode(batch, device, message)
    origins = [f"device:{sender}" for sender in batch.senders]
    recorded = record(conn, city, batch.readings, clock, origins)
    for one in recorded.quarantined:
        batch.heard[batch.senders[one.index]][2] += 1
    quarantine_raw(conn, city, clock.now(), batch.drafts)
    note_seen(conn, city, {device: tuple(counts) for device, counts in batch.heard.items()})
    refused = [
        RefusedMessage(d.origin.removeprefix("device:"), d.code, d.ko, d.en) for d in batch.drafts
    ]
    return IngestReport(recorded, refused)


def _decode(batch: _Batch, device: Device, message: Message) -> None:
    counts = batch.heard.setdefault(device.id, [message.received_at, 0, 0])
    counts[0], counts[1] = max(counts[0], message.received_at), counts[1] + 1
    frame = Frame(device, message.payload, message.received_at, message.attribute)
    try:
        readings = drivers()[device.driver].decode(frame)
    except DecodeError as fault:
        batch.refuse(device.id, fault, raw_payload(message.payload))
        return
    for reading in readings:
        if reading.entity in device.entities:
            batch.readings.append(reading)
            batch.senders.append(device.id)
        else:
            raw = {"entity": reading.entity, **raw_payload(message.payload)}
            batch.refuse(device.id, not_its_entity(device, reading), raw, reading.message_id)


def unknown_device(device_id: str, city: str) -> DecodeError:
    return DecodeError(
        "unknown-device",
        f"{city}에 등록되지 않은 기기입니다: {device_id}. 먼저 등록하세요.",
        f"No device {device_id} is registered in {city}. Register it first.",
    )


def not_its_entity(device: Device, reading: Reading) -> DecodeError:
    return DecodeError(
        "not-its-entity",
        f"기기 {device.id}은(는) {reading.entity}에 쓸 수 없습니다.",
        f"The device {device.id} may not write for {reading.entity}.",
    )
