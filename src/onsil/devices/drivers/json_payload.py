"""Plain JSON: the form for devices that can choose.

    {"id": "m-17", "at": "2025-03-01T00:15:00Z", "values": {"activeEnergy": {"value": 1.2,
     "unit": "kWh"}, "voltage": 229.8}}

or a list under `readings`, each with `attribute`, `value` and, where they differ, `unit`, `at` and
`entity`. On a topic of one attribute: `{"at": …, "value": …, "unit": …}` or a bare number. What the
device says of itself goes under `device`: `{"battery": 87, "firmware": "1.4.2"}`.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from onsil.devices.terms import Decoded, DecodeError, Frame, Status
from onsil.hub import Reading

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
READINGS_MAX = 50_000


def malformed(detail: str) -> DecodeError:
    return DecodeError(
        "malformed",
        f"메시지를 읽을 수 없습니다: {detail}",
        f"The message cannot be read: {detail}",
    )


def parse_json(payload: bytes) -> Any:
    """JSON of a message. Raises DecodeError."""
    try:
        return orjson.loads(payload)
    except orjson.JSONDecodeError as error:
        raise malformed(f"not JSON ({error})") from None


def instant(raw: Any) -> datetime:
    """ISO 8601 with a zone, or Unix seconds. Raises DecodeError."""
    try:
        if isinstance(raw, str):
            parsed = datetime.fromisoformat(raw)
            if parsed.tzinfo is None:
                raise malformed(f"the time {raw!r} has no zone")
            return parsed
        if isinstance(raw, int | float) and not isinstance(raw, bool):
            return _EPOCH + timedelta(seconds=raw)
    except (ValueError, OverflowError) as error:
        if isinstance(error, DecodeError):
            raise
    raise malformed(f"{str(raw)[:40]!r} is not a time")


def status_of(raw: Any) -> Status:
    """What a device says of itself. Raises DecodeError."""
    if not isinstance(raw, dict):
        raise malformed("device is an object")
    battery, firmware = raw.get("battery"), raw.get("firmware", "")
    if battery is not None:
        battery = battery_percent(battery)
    return Status(battery, _text(firmware, "firmware"))


def battery_percent(raw: Any) -> float:
    """A battery's level in percent. Raises DecodeError for what is none."""
    if isinstance(raw, bool) or not isinstance(raw, int | float) or not 0 <= raw <= 100:
        raise malformed("a battery's level is 0 to 100 percent")
    return float(raw)


def _text(raw: Any, name: str) -> str:
    if not isinstance(raw, str):
        raise malformed(f"{name} is a text")
    return raw


class JsonPayload:
    """`mqtt-json`: JSON over MQTT."""

    name = "mqtt-json"
    title_ko = "MQTT JSON"
    title_en = "JSON over MQTT"

    def decode(self, frame: Frame) -> list[Decoded]:
        """The readings of a message; without a time, its arrival is taken."""
        body = parse_json(frame.payload)
        if frame.attribute:
            body = body if isinstance(body, dict) else {"value": body}
            body = {"at": body.get("at"), "id": body.get("id", ""), "readings": [
                {"attribute": frame.attribute, **body}]}  # fmt: skip
        if not isinstance(body, dict):
            raise malformed("an object is wanted")
        made = self._readings(frame, body)
        if "device" in body:
            made.append(status_of(body["device"]))
        if not made:
            raise malformed("no readings in it (values or readings)")
        return made

    def _readings(self, frame: Frame, body: dict[str, Any]) -> list[Decoded]:
        # Ten thousand of these a second, so the usual forms are looked for first.
        received = frame.received_at
        raw_at = body.get("at")
        at = received if raw_at is None else instant(raw_at)
        message_id = str(body.get("id", ""))
        entity = frame.device.entities[0]
        values, readings = body.get("values", {}), body.get("readings", [])
        if not isinstance(values, dict) or not isinstance(readings, list):
            raise malformed("values is an object, readings a list")
        if len(values) + len(readings) > READINGS_MAX:
            raise malformed(f"more than {READINGS_MAX} readings")
        made: list[Decoded] = []
        value: Any
        for attribute, value in values.items():
            unit: str = ""
            if type(value) is dict:
                value, unit = value.get("value"), _text(value.get("unit", ""), "unit")
            made.append(Reading(entity, attribute, at, value, unit, received, message_id))
        for one in readings:
            if type(one) is not dict or type(attribute := one.get("attribute")) is not str:
                raise malformed("each reading is an object with an attribute")
            own_at = one.get("at")
            when = at if own_at is None else instant(own_at)
            unit = one.get("unit", "")
            whose = one.get("entity", entity)
            if type(unit) is not str or type(whose) is not str:
                _text(whose, "entity")
                _text(unit, "unit")
            # The value as it came: what is no number is for the hub's rules to set aside.
            value = one.get("value")
            made.append(Reading(whose, attribute, when, value, unit, received, message_id))
        return made


class HttpBatch(JsonPayload):
    """`http-batch`: the same JSON, posted to /devices/v1/readings."""

    name = "http-batch"
    title_ko = "HTTP 일괄 전송"
    title_en = "Batches over HTTP"
