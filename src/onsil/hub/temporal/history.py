"""What a write leaves in the history: called by the write path, within its transaction."""

from collections.abc import Sequence

from onsil.hub.changes import Change
from onsil.hub.steps import Ask, Steps

_LEARN = """
INSERT INTO hub_temporal_entity (city, uri, created_at, modified_at)
SELECT $1, u, a, a FROM unnest($2::text[], $3::timestamptz[]) AS t(u, a) ORDER BY u
ON CONFLICT (city, uri) DO UPDATE SET modified_at = greatest(
  hub_temporal_entity.modified_at, EXCLUDED.modified_at)
"""


def append_changes(city: str, changes: Sequence[Change]) -> Steps[None]:
    """Note what became of entities in the temporal evolution. One change an entity at most."""
    last = {change.uri: change.at for change in changes}
    if last:
        yield Ask(_LEARN, (city, list(last), list(last.values())))
