"""Devices by the list: a CSV with one device a row, each row judged and taken by itself.

Columns: `id`, `type` (of the entity, made as `urn:ngsi-ld:<type>:<city>:<id>`) or `entity`, and
where wanted `name`, `driver`, `interval_s`, `model`, `simulated`, `options` (JSON) and `series`,
what it measures: `temperature=degC; activeEnergy=Wh:interval`.
"""

import csv
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from onsil.core.clock import Clock
from onsil.core.database import Connection
from onsil.core.refusal import OperationError
from onsil.devices.register import devices, is_device_id, register_device
from onsil.devices.terms import DeviceSpec
from onsil.hub import SeriesSpec, ensure_series, entity_uri

COLUMNS = ("id", "type", "name", "driver", "interval_s", "model", "simulated", "series", "options",
           "entity")  # fmt: skip
ROWS_MAX = 10_000
_YES = {"1", "true", "yes", "y", "예", "모의"}


@dataclass(frozen=True)
class RowResult:
    """What became of a row: the device's token, told this once, or why it was not taken."""

    number: int
    device_id: str
    token: str = ""
    problem_ko: str = ""
    problem_en: str = ""

    @property
    def taken(self) -> bool:
        return bool(self.token)


def provision(conn: Connection, city: str, body: bytes, clock: Clock) -> list[RowResult]:
    """Register the devices of a list; a bad row leaves the others alone.

    Devices that are registered already are not touched. Raises OperationError for a file that is no
    such list.
    """
    rows = _rows(body)
    there = {d.id for d in devices(conn, city, ids=[r.get("id", "").strip() for r in rows])}
    results: list[RowResult] = []
    for number, row in enumerate(rows, 2):
        name = row.get("id", "").strip()
        if name in there:
            results.append(RowResult(
                number, name, "", "이미 등록된 기기입니다. 바꾸려면 기기 화면에서 하세요.",
                "It is registered already. Change it on the device's own page.",
            ))  # fmt: skip
            continue
        if not is_device_id(name):
            results.append(RowResult(
                number, name, "",
                "기기 번호는 영문자와 숫자, 점, 밑줄, 붙임표로 된 64자까지입니다.",
                "An id is up to 64 letters, digits, dots, underscores and hyphens.",
            ))  # fmt: skip
            continue
        try:
            with conn.transaction():
                spec, series = _spec(city, name, row)
                ensure_series(conn, city, series, clock)
                _, token = register_device(conn, city, spec, clock)
        except OperationError as error:
            results.append(
                RowResult(number, name, "", f"등록할 수 없습니다: {error}", f"Not taken: {error}")
            )
        else:
            there.add(name)
            results.append(RowResult(number, name, token))
    return results


def _rows(body: bytes) -> list[dict[str, str]]:
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            text = body.decode("cp949")
        except UnicodeDecodeError as error:
            raise OperationError("the list is neither UTF-8 nor CP949", retry=False) from error
    try:
        reader = csv.DictReader(io.StringIO(text), strict=True)
        named = {n.strip().lower() for n in reader.fieldnames or [] if n}
        unknown = named - set(COLUMNS)
        if "id" not in named or not named & {"type", "entity"} or unknown:
            raise OperationError(
                f"the columns are {', '.join(COLUMNS)}; id and type or entity are needed"
                + (f"; unknown: {', '.join(sorted(unknown))}" if unknown else ""),
                retry=False,
            )
        rows = [
            {k.strip().lower(): v or "" for k, v in row.items() if k and isinstance(v, str | None)}
            for row in reader
        ]
    except csv.Error as error:
        raise OperationError(f"not a CSV: {error}", retry=False) from error
    rows = [row for row in rows if any(value.strip() for value in row.values())]
    if not rows or len(rows) > ROWS_MAX:
        raise OperationError(f"a list has 1 to {ROWS_MAX:,} rows", retry=False)
    return rows


def _spec(city: str, name: str, row: Mapping[str, str]) -> tuple[DeviceSpec, list[SeriesSpec]]:
    def cell(column: str, usual: str = "") -> str:
        return row.get(column, "").strip().replace("\0", "") or usual

    kind = cell("type")
    entity = cell("entity").replace("{city}", city)
    if not entity and (not kind.isascii() or not kind.isalnum()):
        raise OperationError(f"{kind!r} is no type (letters and digits)", retry=False)
    entity = entity or entity_uri(kind, city, name)
    interval = cell("interval_s", "60")
    if not interval.isdigit() or not 1 <= int(interval) <= 31_536_000:
        raise OperationError(f"interval_s is seconds, not {interval!r}", retry=False)
    simulated = cell("simulated").lower() in _YES
    spec = DeviceSpec(
        name, (entity,), cell("driver", "mqtt-json"), int(interval), simulated, cell("model")[:120],
        _options(cell("options")), cell("name")[:120],
    )  # fmt: skip
    source = "simulated" if simulated else "measured"
    return spec, [_series(entity, one, int(interval), source) for one in cell("series").split(";")
                  if one.strip()]  # fmt: skip


def _options(text: str) -> dict[str, Any]:
    if not text:
        return {}
    try:
        made = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise OperationError(f"options is not JSON ({error})", retry=False) from error
    if not isinstance(made, dict) or "\\u0000" in text:
        raise OperationError("options is a JSON object", retry=False)
    return made


def _series(entity: str, text: str, interval_s: int, source: Any) -> SeriesSpec:
    attribute, _, rest = text.strip().partition("=")
    unit, _, kind = rest.partition(":")
    kind = kind.strip() or "gauge"
    if not attribute.strip() or not unit.strip() or kind not in ("gauge", "interval", "counter"):
        raise OperationError(
            f"series: {text.strip()!r} is not attribute=unit or attribute=unit:kind", retry=False
        )
    return SeriesSpec(
        entity,
        attribute.strip(),
        unit.strip(),
        interval_s,
        kind,
        source=source,  # pyright: ignore
    )
