"""Attribute instances with an end: when the next one of an entity goes (GS CIM 009 V1.9.1 §4.22).

Reading hides what has expired at once. This is what tells the sweep which entities to write anew,
so that neither index rows nor history hold it any longer.
"""

from collections.abc import Mapping
from datetime import datetime

from onsil.hub.documents import Document, parse_time
from onsil.hub.steps import Ask, Steps

_DUE = """
SELECT x.city, e.uri FROM hub_attr_expiry x
  JOIN hub_entity e ON e.city = x.city AND e.eid = x.eid
 WHERE x.expires_at <= $1 ORDER BY x.city, e.uri LIMIT $2
"""
_NOTE = """
INSERT INTO hub_attr_expiry (city, eid, expires_at)
SELECT $1, t.eid, t.expires_at FROM unnest($2::bigint[], $3::timestamptz[]) AS t(eid, expires_at)
ON CONFLICT (city, eid) DO UPDATE SET expires_at = EXCLUDED.expires_at
"""
_FORGET = "DELETE FROM hub_attr_expiry WHERE city = $1 AND eid = ANY($2::bigint[])"


def next_expiry(document: Document | None) -> datetime | None:
    """When the first of its attribute instances expires; None when none does."""
    if document is None:
        return None
    ends = [i["expiresAt"] for many in document.attrs.values() for i in many if "expiresAt" in i]
    return min(map(parse_time, ends)) if ends else None


def note_expiries(
    city: str, before: Mapping[int, Document], after: Mapping[int, Document]
) -> Steps[None]:
    """Keep what a write changed of it; entities by their numbers."""
    ends = {eid: end for eid, one in after.items() if (end := next_expiry(one)) is not None}
    gone = [eid for eid, one in before.items() if eid not in ends and next_expiry(one)]
    if ends:
        yield Ask(_NOTE, (city, list(ends), list(ends.values())))
    if gone:
        yield Ask(_FORGET, (city, gone))


def due(now: datetime, most: int) -> Steps[dict[str, list[str]]]:
    """Entities with attribute instances that have expired, by city; for a connection that sees
    all cities."""
    found: dict[str, list[str]] = {}
    for city, uri in (yield Ask(_DUE, (now, most))):
        found.setdefault(city, []).append(uri)
    return found
