"""Tables as files that offices open: CSV with a byte-order mark, safe in a spreadsheet."""

import csv
from collections.abc import Iterable, Sequence
from datetime import datetime
from io import StringIO
from typing import Any

from django.http import HttpResponse

# A spreadsheet runs a cell that begins so as a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def cell(value: Any) -> Any:
    """A value as one cell: times in ISO 8601, texts that look like formulas disarmed."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, str) and value.startswith(_FORMULA):
        return "'" + value
    return value


def csv_text(header: Sequence[object], rows: Iterable[Sequence[Any]]) -> str:
    """The table as RFC 4180 text with a byte-order mark, which office programs need for Hangul."""
    out = StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow([str(h) for h in header])
    writer.writerows([cell(v) for v in row] for row in rows)
    return "\ufeff" + out.getvalue()


def csv_response(
    name: str, header: Sequence[object], rows: Iterable[Sequence[Any]]
) -> HttpResponse:
    """The table as a download named `<name>.csv`."""
    response = HttpResponse(csv_text(header, rows), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response
