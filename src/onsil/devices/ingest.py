"""From messages to recorded readings: one batch of one city, in the caller's transaction."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from onsil.core.clock import Clock
from onsil.core.database import Connection
from onsil.devices import acknowledgements, calibration
from onsil.devices.commands import actuators
from onsil.devices.commands.orders import reconnected
from onsil.devices.drivers import drivers
from onsil.devices.register import note_seen, note_status, seen_before
from onsil.devices.roster import Heard, Roster
from onsil.devices.terms import Decoded, DecodeError, Device, Frame, SetAside, Status
from onsil.devices.topics import ACK
from onsil.hub import QuarantineDraft, Reading, RecordReport, quarantine_raw, record
from onsil.hub.contexts import CORE

SILENT_INTERVALS = 3
_NOTHING: Mapping[str, Any] = {}


class Message(NamedTuple):
    """A message from a device, as it came in. `memory` is for drivers that need a past."""

    device_id: str
    payload: bytes
    received_at: datetime
    attribute: str = ""
    content_type: str = ""
    memory: Mapping[str, Any] = _NOTHING


class RefusedMessage(NamedTuple):
    """A message (or one reading in it) set aside before the hub's rules could look at it."""

    device_id: str
    code: str
    ko: str
    en: str


@dataclass
class IngestReport:
    """What became of a batch of messages.

    `heard`: devices whose message is to be counted yet, by who keeps a roster.
    """

    recorded: RecordReport = field(default_factory=RecordReport)
    refused: list[RefusedMessage] = field(default_factory=list)
    heard: dict[str, Heard] = field(default_factory=dict)


@dataclass
class Batch:
    """What is gathered from the messages before anything is written."""

    readings: list[Reading] = field(default_factory=list)
    senders: list[str] = field(default_factory=list)
    drafts: list[QuarantineDraft] = field(default_factory=list)
    heard: dict[str, list[Any]] = field(default_factory=dict)
    told: dict[str, tuple[datetime, Status]] = field(default_factory=dict)
    answers: list[acknowledgements.Answer] = field(default_factory=list)

    def refuse(self, device_id: str, fault: DecodeError, raw: Any, message_id: str = "") -> None:
        origin = f"device:{device_id}"
        self.drafts.append(QuarantineDraft(origin, fault.code, fault.ko, fault.en, raw, message_id))
        if device_id in self.heard:
            self.heard[device_id][2] += 1

    def hear(self, device_id: str, at: datetime) -> None:
        counts = self.heard.get(device_id)
        if counts is None:
            self.heard[device_id] = [at, 1, 0]
            return
        if at > counts[0]:
            counts[0] = at
        counts[1] += 1

    def take(self, device: Device, message: Message, decoded: Sequence[Decoded]) -> None:
        """Sort what a driver made: readings of the device's own entities, and the rest."""
        entities, sender = device.entities, device.id
        readings, senders = self.readings, self.senders
        for one in decoded:
            if type(one) is Reading:
                if one[0] in entities:
                    readings.append(one)
                    senders.append(sender)
                else:
                    raw = {"entity": one.entity, **raw_payload(message.payload)}
                    self.refuse(sender, not_its_entity(device, one), raw, one.message_id)
            elif isinstance(one, SetAside):
                self.refuse(sender, DecodeError(one.code, one.ko, one.en), one.raw)
            elif isinstance(one, Status):
                self.told[sender] = (message.received_at, one)


def raw_payload(payload: bytes) -> dict[str, str]:
    """A payload as JSON can hold it: its text, or base64 where it is none."""
    try:
        return {"text": payload.decode()}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(payload).decode()}


def ingest(
    conn: Connection,
    city: str,
    messages: Sequence[Message],
    clock: Clock,
    roster: Roster | None = None,
) -> IngestReport:
    """Decode and record messages. Whatever is wrong with one is set aside, raw, with the reason.

    Who ingests batch after batch keeps a `roster`; devices heard are then told in the report.
    """
    kept = roster or Roster()
    known = kept.devices(conn, city, [m.device_id for m in messages])
    batch = Batch()
    for message in messages:
        device = known.get(message.device_id)
        if device is None:
            batch.refuse(message.device_id, unknown_device(message.device_id, city),
                         raw_payload(message.payload))  # fmt: skip
            continue
        batch.hear(message.device_id, message.received_at)
        _decode(batch, device, message)
    return settle(conn, city, batch, known, clock, roster)


def settle(
    conn: Connection, city: str, batch: Batch, known: Mapping[str, Device], clock: Clock,
    roster: Roster | None = None,
) -> IngestReport:  # fmt: skip
    """Write what was gathered: answers to commands, readings as calibrated, and who was heard.

    With a `roster`, devices without actuators that said nothing of themselves are left to it.
    """
    acknowledgements.settle(conn, city, batch.answers, clock)
    acting = [
        device for number in batch.heard if (device := known[number]).options.get("actuators")
    ]
    reconnected(conn, city, _back(conn, city, batch, acting), clock)
    _calibrate(conn, city, batch, roster or Roster())
    recorded = record(
        conn, city, batch.readings, clock, lambda place: f"device:{batch.senders[place]}",
        roster.remembered if roster else None,
    )  # fmt: skip
    for one in recorded.quarantined:
        batch.heard[batch.senders[one.index]][2] += 1
    quarantine_raw(conn, city, clock.now(), batch.drafts)
    heard: dict[str, Heard] = {k: (v[0], v[1], v[2]) for k, v in batch.heard.items()}
    now = {device.id for device in acting} | batch.told.keys() if roster else heard.keys()
    note_seen(conn, city, {number: heard.pop(number) for number in list(now)})
    if batch.told:
        note_status(conn, city, batch.told)
    refused = [
        RefusedMessage(d.origin.removeprefix("device:"), d.code, d.ko, d.en) for d in batch.drafts
    ]
    return IngestReport(recorded, refused, heard)


def _decode(batch: Batch, device: Device, message: Message) -> None:
    try:
        if message.attribute == ACK:
            batch.answers.append(acknowledgements.answer_of(device.id, message.payload))
            return
        frame = Frame(
            device, message.payload, message.received_at, message.attribute, message.content_type,
            message.memory,
        )  # fmt: skip
        decoded = drivers()[device.driver].decode(frame)
    except DecodeError as fault:
        batch.refuse(device.id, fault, raw_payload(message.payload))
        return
    batch.take(device, message, decoded)


def _calibrate(conn: Connection, city: str, batch: Batch, roster: Roster) -> None:
    """Correct the readings that a calibration covers; what the sensor said is kept."""
    lines = roster.calibrations(conn, city, batch.heard)
    if not lines:
        return
    raws = []
    for place, sender in enumerate(batch.senders):
        if sender not in lines:
            continue
        reading = batch.readings[place]
        mine = lines[sender].get((reading.entity, CORE.iri(reading.attribute)))
        if mine:
            batch.readings[place], raw = calibration.corrected(reading, mine)
            if raw is not None:
                raws.append(raw)
    calibration.keep_raw(conn, city, raws)


def _back(conn: Connection, city: str, batch: Batch, acting: Sequence[Device]) -> list[Device]:
    """Devices with actuators that were silent before this batch, or never heard."""
    mine = [device for device in acting if actuators(device)]
    if not mine:
        return []
    before = seen_before(conn, city, [device.id for device in mine])
    return [
        device for device in mine
        if device.id not in before
        or batch.heard[device.id][0] - before[device.id]
        > timedelta(seconds=SILENT_INTERVALS * device.interval_s)
    ]  # fmt: skip


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
