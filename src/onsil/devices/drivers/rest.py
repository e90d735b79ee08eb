"""One page of a REST API's answer, by path expressions. The collector (`collecting/rest.py`) asks.

Options of the device, as TOML (docs/devices/rest-pull.md has them all):

    url = "https://api.example.org/v1/stations/7/observations"
    [mapping]
    items = "data.items[*]"       # each one makes readings; default: the body itself or its list
    time = "observedAt"           # in an item
    time_format = ""              # strptime; empty: ISO 8601 or Unix seconds; "ms": milliseconds
    zone = "UTC"                  # for times without an offset
    [[mapping.value]]
    path = "pm25.value"
    attribute = "pm25"
    unit = "microgram / m ** 3"
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from onsil.core.refusal import OperationError
from onsil.devices.drivers import paths
from onsil.devices.drivers.json_payload import READINGS_MAX, instant, malformed, parse_json
from onsil.devices.mapping import MISSING
from onsil.devices.terms import Frame
from onsil.hub import Reading

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class ItemValue:
    """One value of an item. `entity` may hold `{city}` and `{id}`, the text at `id_path`."""

    path: str
    attribute: str
    unit: str = ""
    entity: str = ""
    id_path: str = ""
    scale: Decimal = Decimal(1)
    where: Mapping[str, str] | None = None


@dataclass(frozen=True)
class PageMapping:
    """What the parts of an answer mean."""

    time: str
    values: tuple[ItemValue, ...]
    items: str = ""
    time_format: str = ""
    zone: str = "UTC"
    missing: frozenset[str] = frozenset(MISSING)


def page_mapping(options: Mapping[str, Any]) -> PageMapping:
    """The mapping in a device's options. Raises OperationError saying what is wrong."""
    raw = options.get("mapping")
    if not isinstance(raw, dict) or not raw.get("time") or not raw.get("value"):
        raise OperationError("rest-pull: [mapping] needs time and [[mapping.value]]", retry=False)
    known = {"items", "time", "time_format", "zone", "missing", "value"}
    if set(raw) - known:
        raise OperationError(
            f"[mapping]: unknown {', '.join(sorted(set(raw) - known))}", retry=False
        )
    values = tuple(_item_value(number, one) for number, one in enumerate(raw["value"], 1))
    for path in (raw["time"], raw.get("items", "")):
        paths.steps(str(path))
    zone = str(raw.get("zone", "UTC"))
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise OperationError(f"[mapping]: unknown zone {zone!r}", retry=False) from error
    return PageMapping(
        str(raw["time"]), values, str(raw.get("items", "")), str(raw.get("time_format", "")), zone,
        frozenset(map(str, raw.get("missing", MISSING))),
    )  # fmt: skip


def _item_value(number: int, raw: Any) -> ItemValue:
    names = {field.name for field in fields(ItemValue)}
    where = f"[[mapping.value]] {number}"
    if not isinstance(raw, dict) or set(raw) - names or not {"path", "attribute"} <= set(raw):
        raise OperationError(f"{where}: needs path and attribute, knows {', '.join(sorted(names))}",
                             retry=False)  # fmt: skip
    values = dict(raw)
    try:
        values["scale"] = Decimal(str(values.get("scale", 1)))
    except InvalidOperation as error:
        raise OperationError(f"{where}: scale is not a number", retry=False) from error
    made = ItemValue(**values)
    for path in (made.path, made.id_path, *(made.where or {})):
        paths.steps(path)
    return made


class RestPage:
    """`rest-pull`: pages that the collector has fetched from a REST API."""

    name = "rest-pull"
    title_ko = "REST API 수집"
    title_en = "Pull from REST APIs"

    def check_options(self, options: Mapping[str, Any]) -> None:
        """Raises OperationError for options by which nothing could be fetched or read."""
        url = options.get("url")
        if not isinstance(url, str) or not url.startswith(("https://", "http://")):
            raise OperationError("rest-pull: url must begin with https:// or http://", retry=False)
        page_mapping(options)

    def decode(self, frame: Frame) -> list[Reading]:
        """The readings of a page; a page without items makes none."""
        try:
            mapping = page_mapping(frame.device.options)
        except OperationError as error:
            raise malformed(f"the device's mapping: {error}") from None
        body = parse_json(frame.payload)
        made: list[Reading] = []
        for item in items_of(body, mapping):
            made += self._readings(frame, mapping, item)
            if len(made) > READINGS_MAX:
                raise malformed(f"more than {READINGS_MAX} readings")
        return made

    def _readings(self, frame: Frame, mapping: PageMapping, item: Any) -> Iterator[Reading]:
        at = time_of(paths.first(item, mapping.time), mapping)
        for one in mapping.values:
            if any(str(paths.first(item, p)) != text for p, text in (one.where or {}).items()):
                continue
            raw = paths.first(item, one.path)
            if raw is None or (isinstance(raw, str) and raw.strip() in mapping.missing):
                continue
            entity = one.entity.replace("{city}", frame.device.city)
            if one.id_path:
                entity = entity.replace("{id}", str(paths.first(item, one.id_path))[:100])
            yield Reading(
                entity or frame.device.entities[0], one.attribute, at, _number(raw, one), one.unit,
                frame.received_at,
            )  # fmt: skip


def items_of(body: Any, mapping: PageMapping) -> list[Any]:
    """What makes readings: the items of the path, or the body itself (or its list)."""
    if mapping.items:
        return list(paths.every(body, mapping.items))
    return body if isinstance(body, list) else [body]


def _number(raw: Any, one: ItemValue) -> Any:
    """The value as a number where it is one; the hub judges the rest."""
    if isinstance(raw, bool) or not isinstance(raw, str | int | float):
        return str(raw)[:100] if not isinstance(raw, bool) else raw
    if one.scale == 1 and not isinstance(raw, str):
        return raw
    try:
        value = Decimal(raw.strip().replace(",", "") if isinstance(raw, str) else repr(raw))
    except InvalidOperation:
        return raw
    return value * one.scale if value.is_finite() else raw


def time_of(raw: Any, mapping: PageMapping) -> datetime:
    """An item's time. Raises DecodeError."""
    try:
        if mapping.time_format == "ms":
            return _EPOCH + timedelta(milliseconds=int(raw))
        if mapping.time_format:
            stamp = datetime.strptime(str(raw).strip(), mapping.time_format)  # noqa: DTZ007
        elif isinstance(raw, str) and not raw.strip().replace(".", "", 1).isdigit():
            stamp = datetime.fromisoformat(raw.strip())
        else:
            return instant(float(raw) if isinstance(raw, str) else raw)
    except (ValueError, TypeError, OverflowError) as error:
        raise malformed(f"{str(raw)[:40]!r} is not a time ({str(error)[:60]})") from None
    return stamp if stamp.tzinfo else stamp.replace(tzinfo=ZoneInfo(mapping.zone))
