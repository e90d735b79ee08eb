"""The city data hub: NGSI-LD entities, and series of points that everything else is computed from.

What a device reads goes through `record`; what a methodology uses comes out of `snapshot`.
"""

from onsil.hub.daily import DayTotal, daily_totals
from onsil.hub.documents import DocumentError
from onsil.hub.entities import delete_entity, upsert_entities
from onsil.hub.history import (
    last_points,
    latest,
    linkage,
    linkage_by_series,
    linkage_rate,
    points,
    quarantine_counts,
    quarantine_list,
    revisions,
    rollups,
)
from onsil.hub.query.geo import GeoQuery, read_geo
from onsil.hub.query.reading import count_entities, entity, entity_types, query_entities
from onsil.hub.query.scanner import QueryError
from onsil.hub.record import LIVE_TOPIC, QuarantineDraft, quarantine_raw, record
from onsil.hub.registering import ensure_series
from onsil.hub.series import find_series
from onsil.hub.snapshots import points_digest, snapshot
from onsil.hub.terms import (
    LatestPoint,
    Linkage,
    Points,
    Quarantined,
    QuarantineEntry,
    Reading,
    RecordReport,
    Revision,
    Rollup,
    Series,
    SeriesSpec,
    Snapshot,
    UpsertResult,
    Writer,
    entity_uri,
    uri_city,
)

__all__ = [
    "LIVE_TOPIC",
    "DayTotal",
    "DocumentError",
    "GeoQuery",
    "LatestPoint",
    "Linkage",
    "Points",
    "QuarantineDraft",
    "QuarantineEntry",
    "Quarantined",
    "QueryError",
    "Reading",
    "RecordReport",
    "Revision",
    "Rollup",
    "Series",
    "SeriesSpec",
    "Snapshot",
    "UpsertResult",
    "Writer",
    "count_entities",
    "daily_totals",
    "delete_entity",
    "ensure_series",
    "entity",
    "entity_types",
    "entity_uri",
    "find_series",
    "last_points",
    "latest",
    "linkage",
    "linkage_by_series",
    "linkage_rate",
    "points",
    "points_digest",
    "quarantine_counts",
    "quarantine_list",
    "quarantine_raw",
    "query_entities",
    "read_geo",
    "record",
    "revisions",
    "rollups",
    "snapshot",
    "upsert_entities",
    "uri_city",
]
