"""Every number of a report against the record it names: report = database."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from onsil.core.canonical import plain
from onsil.core.database import Connection
from onsil.footprint import rows
from onsil.footprint.credits import any_batch, batch_entry
from onsil.footprint.projects import monitoring
from onsil.footprint.reports.terms import Figure, Report, Source, figures
from onsil.footprint.targets import review


@dataclass(frozen=True)
class Number:
    """A report's number and what its source holds now; `holds` when they are the same."""

    figure: Figure
    found: Decimal | None

    @property
    def holds(self) -> bool:
        return self.found is not None and self.found == self.figure.value


def pointed(document: Any, pointer: str) -> Any:
    """What an RFC 6901 pointer leads to. Raises KeyError where it leads nowhere."""
    found = document
    for part in pointer.split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        try:
            found = found[int(name)] if isinstance(found, list) else found[name]
        except (KeyError, IndexError, ValueError, TypeError) as error:
            raise KeyError(pointer) from error
    return found


def record(conn: Connection, city: str, source: Source) -> Mapping[str, Any] | None:
    """The stored record that a source names, as plain values; None when there is none.

    A run is its outputs, with its inputs below "inputs".
    """
    subject = UUID(source.subject)
    match source.kind:
        case "run":
            texts = rows.run_texts(conn, city, subject)
            if texts is None:
                return None
            return json.loads(texts["outputs"]) | {"inputs": json.loads(texts["inputs"])}
        case "claim":
            held = rows.claim_of(conn, city, subject)
            return None if held is None else plain(rows.claim_entry(held))
        case "monitoring":
            period = monitoring(conn, city, subject)
            if period is None:
                return None
            return plain({"co2e_t": period.co2e_t, "sequence": period.sequence})
        case "batch":
            made = any_batch(conn, city, subject)
            return None if made is None else plain(batch_entry(made))
        case "review":
            found = review(conn, city, subject)
            return json.loads(found.content) if found and found.content else None
    return None


def numbers(conn: Connection, city: str, report: Report) -> list[Number]:
    """Every number of a report beside what its source says now, in the report's order."""
    known: dict[tuple[str, str], Mapping[str, Any] | None] = {}
    checked = []
    for figure in figures(report):
        key = (figure.source.kind, figure.source.subject)
        if key not in known:
            known[key] = record(conn, city, figure.source)
        checked.append(Number(figure, _value(known[key], figure.source.pointer)))
    return checked


def _value(document: Mapping[str, Any] | None, pointer: str) -> Decimal | None:
    if document is None:
        return None
    try:
        return Decimal(str(pointed(document, pointer)))
    except (KeyError, InvalidOperation):
        return None
