"""Files of records of one length, as card networks and VANs send them. Pure.

Fields are cut out of the bytes, for a Hangul syllable takes two of them. A trailer's count and sum
are held against the data.
"""

from zoneinfo import ZoneInfo

from onsil.ledger.reconciliation.cells import Problems, as_won, line_of
from onsil.ledger.reconciliation.formats import Format, Record
from onsil.ledger.reconciliation.terms import RawLine


def fixed_length(content: bytes, form: Format, zone: ZoneInfo, problems: Problems) -> list[RawLine]:
    """The data records; what is wrong goes to `problems`. Header fields hold for every line."""
    found: list[RawLine] = []
    shared: dict[str, object] = {}
    for number, raw in _records(content, form, problems):
        record = _kind(raw, form)
        if record is None:
            problems.add(number, "", raw[:8].decode("ascii", "replace"),
                         "알 수 없는 레코드입니다.", "a record of no known kind")  # fmt: skip
            continue
        cells = _cells(number, raw, record, form, problems)
        if record.type == "header":
            shared = cells
        elif record.type == "data":
            line = line_of(number, {**shared, **cells}, form, zone, problems)
            if line is not None:
                found.append(line)
        elif not problems:
            _check(number, cells, found, problems)
    return found


def _records(content: bytes, form: Format, problems: Problems) -> list[tuple[int, bytes]]:
    if b"\n" in content:
        parts = [part.rstrip(b"\r") for part in content.split(b"\n")]
    else:
        size = form.record_bytes
        parts = [content[i : i + size] for i in range(0, len(content), size)]
    found = []
    for number, part in enumerate(parts, start=1):
        if not part.strip():
            continue
        if len(part) != form.record_bytes:
            problems.add(number, "", len(part), f"한 줄은 {form.record_bytes}바이트여야 합니다.",
                         f"a record has {form.record_bytes} bytes")  # fmt: skip
            continue
        found.append((number, part))
    return found


def _kind(raw: bytes, form: Format) -> Record | None:
    return next((r for r in form.records if raw.startswith(r.begins.encode())), None)


def _cells(
    number: int, raw: bytes, record: Record, form: Format, problems: Problems
) -> dict[str, object]:
    cells: dict[str, object] = {}
    for place in record.fields:
        part = raw[place.start - 1 : place.start - 1 + place.length]
        for encoding in form.encodings:
            try:
                cells[place.name] = part.decode(encoding).strip()
                break
            except UnicodeDecodeError:
                continue
        else:
            problems.add(number, place.name, part.hex(), "글자를 읽을 수 없습니다.",
                         f"no text in {', '.join(form.encodings)}")  # fmt: skip
    return cells


def _check(number: int, cells: dict[str, object], found: list[RawLine], problems: Problems) -> None:
    wanted = {"count": len(found), "sum": sum(line.amount for line in found)}
    for name, have in wanted.items():
        if name in cells and as_won(cells[name]) != have:
            problems.add(number, name, cells[name], f"꼬리 레코드와 다릅니다: 실제 {have:,}",
                         f"the trailer disagrees: the data have {have:,}")  # fmt: skip
