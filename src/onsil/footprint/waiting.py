"""How much work waits for a person, in one query: what the officials' menu counts."""

from onsil.core.database import Connection
from onsil.footprint.store import rows

# What nobody decided yet. An inventory counts by its newest version alone.
_COUNTS = """SELECT
  (SELECT count(*) FROM footprint_monitoring
    WHERE city = %(city)s AND status = 'submitted') AS monitoring,
  (SELECT count(*) FROM footprint_registry_action
    WHERE city = %(city)s AND status = 'proposed') AS registry_action,
  (SELECT count(*) FROM footprint_factor_import
    WHERE city = %(city)s AND status = 'checked') AS factor_import,
  (SELECT count(*) FROM footprint_order
    WHERE city = %(city)s AND status = 'offered') AS offer,
  (SELECT count(*) FROM footprint_order
    WHERE city = %(city)s AND status = 'escrowed') AS escrowed_order,
  (SELECT count(*) FROM footprint_review
    WHERE city = %(city)s AND status = 'submitted') AS review,
  (SELECT count(*) FROM footprint_inventory_version v
    WHERE v.city = %(city)s AND v.missing = 0
      AND NOT EXISTS (SELECT FROM footprint_inventory_decision d
        WHERE d.city = v.city AND d.version_id = v.id)
      AND NOT EXISTS (SELECT FROM footprint_inventory_version later
        WHERE later.city = v.city AND later.inventory_id = v.inventory_id
          AND later.number > v.number)) AS inventory"""


def waiting_work(conn: Connection, city: str) -> dict[str, int]:
    """Counts by kind: monitoring, registry_action, factor_import, offer, escrowed_order, review,
    inventory (complete and neither sealed nor returned)."""
    (found,) = rows(conn, _COUNTS, {"city": city})
    return dict(found)
