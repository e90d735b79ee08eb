"""What a report is made of. Every number in it says which stored output it was read from."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

FORMAT = "onsil-report-1"
SOURCES = ("run", "claim", "monitoring", "batch", "factor-set", "review")


@dataclass(frozen=True)
class Source:
    """Where a number stands: the kind and id of a stored record, and an RFC 6901 pointer in it."""

    kind: str
    subject: str
    pointer: str

    def text(self) -> str:
        return f"{self.kind} {self.subject} {self.pointer}"


@dataclass(frozen=True)
class Figure:
    """A number with its unit, exactly as its source has it."""

    value: Decimal
    unit: str
    source: Source


Cell = str | Figure


@dataclass(frozen=True)
class Facts:
    """Pairs of a label and what it says."""

    rows: tuple[tuple[str, Cell], ...]


@dataclass(frozen=True)
class Table:
    """Rows under headings; `note` stands below it."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""


@dataclass(frozen=True)
class Paragraph:
    text: str


Block = Facts | Table | Paragraph


@dataclass(frozen=True)
class Section:
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Report:
    """A report in one language. `labels` are words that must stand on its first page."""

    kind: str
    subject: UUID
    language: str
    city_name: str
    title: str
    subtitle: str
    made_at: datetime
    sections: tuple[Section, ...]
    labels: tuple[str, ...] = ()

    @property
    def english(self) -> bool:
        return self.language == "en"


def cells(report: Report) -> Iterator[Cell]:
    """Every cell of a report, in the order in which it is read."""
    for section in report.sections:
        for block in section.blocks:
            match block:
                case Facts(rows):
                    yield from (cell for _, cell in rows)
                case Table(rows=rows):
                    for row in rows:
                        yield from row
                case Paragraph(text):
                    yield text


def figures(report: Report) -> list[Figure]:
    """Every number of a report, in the order in which it is read."""
    return [cell for cell in cells(report) if isinstance(cell, Figure)]


def document(report: Report) -> dict[str, Any]:
    """The whole report as plain values, for canonical bytes."""
    return {
        "format": FORMAT,
        "kind": report.kind,
        "subject": report.subject,
        "language": report.language,
        "city_name": report.city_name,
        "title": report.title,
        "subtitle": report.subtitle,
        "made_at": report.made_at,
        "labels": list(report.labels),
        "sections": [
            {"title": s.title, "blocks": [_block(b) for b in s.blocks]} for s in report.sections
        ],
    }


def _cell(cell: Cell) -> Any:
    if isinstance(cell, str):
        return cell
    return {
        "value": cell.value,
        "unit": cell.unit,
        "source": [cell.source.kind, cell.source.subject, cell.source.pointer],
    }


def _block(block: Block) -> dict[str, Any]:
    match block:
        case Facts(rows):
            return {"facts": [[label, _cell(cell)] for label, cell in rows]}
        case Table():
            return {
                "table": block.title,
                "columns": list(block.columns),
                "rows": [[_cell(cell) for cell in row] for row in block.rows],
                "note": block.note,
            }
        case Paragraph(text):
            return {"paragraph": text}


def from_document(made: Mapping[str, Any]) -> Report:
    """The inverse of `document`, from plain values. Raises ValueError for another form."""
    if made.get("format") != FORMAT:
        raise ValueError("not a report of this form")
    return Report(
        made["kind"], UUID(made["subject"]), made["language"], made["city_name"], made["title"],
        made["subtitle"], datetime.fromisoformat(made["made_at"]),
        tuple(
            Section(s["title"], tuple(_from_block(b) for b in s["blocks"]))
            for s in made["sections"]
        ),
        tuple(made["labels"]),
    )  # fmt: skip


def _from_cell(made: Any) -> Cell:
    if isinstance(made, str):
        return made
    return Figure(Decimal(made["value"]), made["unit"], Source(*made["source"]))


def _from_block(made: Mapping[str, Any]) -> Block:
    if "facts" in made:
        return Facts(tuple((label, _from_cell(cell)) for label, cell in made["facts"]))
    if "table" in made:
        return Table(
            made["table"], tuple(made["columns"]),
            tuple(tuple(_from_cell(cell) for cell in row) for row in made["rows"]), made["note"],
        )  # fmt: skip
    return Paragraph(made["paragraph"])
