"""Snapshots: the points of a period, fixed by hashes anyone can compute again.

The manifest names each series by entity and attribute, never by this database's own numbers. A
series' `sha256` is taken over one ASCII line for each point, in order of time: the instant in RFC
3339 UTC, a space, the value as a plain decimal, a line feed. The snapshot's digest is the SHA-256
of the manifest's canonical bytes (RFC 8785).
"""

import hashlib
from collections.abc import Iterable
from decimal import Decimal

from onsil.core.canonical import decimal_text, digest, instant_text
from onsil.core.database import Connection
from onsil.core.periods import Period
from onsil.hub.history import points
from onsil.hub.series import find_series
from onsil.hub.terms import Points, Snapshot

FORMAT = "onsil-snapshot-1"


def points_digest(series_points: Points) -> str:
    """SHA-256 of a series' points, one line each, in lower-case hex."""
    lines = (
        f"{instant_text(time)} {decimal_text(value)}\n"
        for time, value in zip(series_points.times, series_points.values, strict=True)
    )
    return hashlib.sha256("".join(lines).encode("ascii")).hexdigest()


def snapshot(conn: Connection, city: str, series_ids: Iterable[int], period: Period) -> Snapshot:
    """The points of these series in the period, with manifest and digest.

    The same points give the same digest in any database and in any order of arrival.
    """
    series = find_series(conn, city, ids=series_ids)
    taken = {one.id: points(conn, city, one.id, period) for one in series}
    manifest = {
        "format": FORMAT,
        "city": city,
        "start": period.start,
        "end": period.end,
        "series": [
            {
                "entity": one.entity,
                "attribute": one.attribute,
                "unit": one.unit,
                "kind": one.kind,
                "interval_s": one.interval_s,
                "source": one.source,
                "count": len(taken[one.id]),
                "sum": sum(taken[one.id].values, Decimal(0)),
                "sha256": points_digest(taken[one.id]),
            }
            for one in series
        ],
    }
    return Snapshot(digest(manifest), manifest, taken)
