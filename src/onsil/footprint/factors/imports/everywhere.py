"""Factors of the whole installation: approved once, in force in every city that has no own ones.

Imports of the city `*`. Handing in, confirming and returning are those of a city, under a
connection that sees all cities. The rule where a city brought in a set of the same id itself: from
its own first version on, its own stand there, and common versions from that number on are set
aside in that city alone. So what is in force in a city never stops by somebody else's act.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from onsil import proof
from onsil.core.clock import Clock
from onsil.core.database import ALL_CITIES, Connection
from onsil.core.ids import new_id
from onsil.core.refusal import Refusal
from onsil.footprint.factors.imports.records import (
    APPROVED,
    FactorImport,
    approve_import,
    content_sha256,
    import_of,
    imports,
    stands,
)
from onsil.footprint.store import rows


@dataclass(frozen=True)
class CommonFactors:
    """A common set as one city has it; `set_aside` when the city's own stand instead."""

    made: FactorImport
    set_aside: bool


def common_factors(conn: Connection, city: str) -> list[CommonFactors]:
    """Every approved common set or table, newest first, with its standing in a city."""
    own = [(one.set_id, one.version) for one in imports(conn, city, APPROVED)]
    return [
        CommonFactors(one, not stands(own, one.set_id, one.version))
        for one in imports(conn, ALL_CITIES, APPROVED)
    ]


def approve_common_import(
    conn: Connection, cities: Iterable[str], import_id: UUID, actor: str, clock: Clock
) -> FactorImport | Refusal:
    """A second person puts it in force in every city; each city's log gets a leaf.

    The connection must see all cities. Refused as `approve_import` refuses.
    """
    made = approve_import(conn, ALL_CITIES, import_id, actor, clock)
    if not isinstance(made, Refusal):
        tell_cities(conn, cities, actor, clock)
    return made


def tell_cities(conn: Connection, cities: Iterable[str], actor: str, clock: Clock) -> int:
    """A row, an audit record and a leaf for each approved common import in each city not yet told.

    For cities added later too; how many were written. Under `*`, or for the one city of the
    connection.
    """
    approved = sorted(imports(conn, ALL_CITIES, APPROVED), key=lambda one: one.id)
    return sum(_tell(conn, city, approved, actor, clock.now()) for city in cities)


def _tell(
    conn: Connection, city: str, approved: Sequence[FactorImport], actor: str, at: datetime
) -> int:
    told = 0
    for one in approved:
        made = new_id()
        written = rows(
            conn,
            """INSERT INTO footprint_common_factor
              (city, id, import_id, set_id, version, sha256, told_at)
            VALUES (%s,%s,%s,%s,%s,%s,%s) ON CONFLICT (city, import_id) DO NOTHING RETURNING id""",
            (city, made, one.id, one.set_id, one.version, one.sha256, at),
        )
        if not written:
            continue
        after = {"set": one.set_id, "version": one.version, "sha256": one.sha256}
        proof.audit(
            conn, city, actor, "common-factors.in-force", "common-factors", str(made), None, after
        )
        entry = common_entry(conn, city, made)
        assert entry is not None
        proof.append(conn, city, "common-factors", made, entry)
        told += 1
    return told


def common_entry(conn: Connection, city: str, told_id: UUID) -> dict[str, Any] | None:
    """What a city's log holds of common factors: the content as it stands now, who made it so."""
    found = rows(
        conn,
        """SELECT import_id, set_id, version, told_at FROM footprint_common_factor
        WHERE city = %s AND id = %s""",
        (city, told_id),
    )
    made = import_of(conn, ALL_CITIES, found[0]["import_id"]) if found else None
    if made is None:
        return None
    return {
        "import": made.id,
        "set": found[0]["set_id"],
        "version": found[0]["version"],
        "sha256": content_sha256(made),
        "maker": made.maker,
        "checker": made.checker,
        "decided_at": made.decided_at,
        "told_at": found[0]["told_at"],
    }
