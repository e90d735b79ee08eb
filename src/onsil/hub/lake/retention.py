"""How long a data set's history is kept: dated decisions, and what follows from them.

A decision names the entity types the data set is of. Points of registered series are never part of
it: claims rest on them, they leave for the lake and stay there. What goes are plain points and
instances in the database; the lake's files are not changed.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from onsil.core.database import Connection, cursor
from onsil.hub.contexts import CORE


class Retention(NamedTuple):
    """The decision that holds; `keep_days` None: for ever. Types are IRIs."""

    dataset: str
    types: list[str]
    keep_days: int | None
    valid_from: datetime
    decided_by: str


class Forgotten(NamedTuple):
    """What keeping to a decision took away."""

    dataset: str
    points: int
    instances: int


def decide_retention(
    conn: Connection,
    city: str,
    dataset: str,
    types: Sequence[str],
    keep_days: int | None,
    *,
    valid_from: datetime,
    now: datetime,
    by: str,
) -> None:
    """Decide from when on a data set's history is kept for so many days. Earlier ones stay noted.

    Types are short names or IRIs. Raises ValueError for no types or no whole number of days.
    """
    if not types or (keep_days is not None and keep_days < 1):
        raise ValueError("a retention has types, and one day or more")
    with cursor(conn) as cur:
        cur.execute(
            "INSERT INTO hub_retention (city, dataset, types, keep_days, valid_from, decided_at,"
            " decided_by) VALUES (%s, %s, %s, %s, %s, %s, %s)",
            (city, dataset, [CORE.iri(one) for one in types], keep_days, valid_from, now, by),
        )


def retentions(conn: Connection, city: str, at: datetime) -> list[Retention]:
    """The decisions that hold at an instant, one a data set."""
    with cursor(conn) as cur:
        cur.execute(
            "SELECT DISTINCT ON (dataset) dataset, types, keep_days, valid_from, decided_by"
            " FROM hub_retention WHERE city = %s AND valid_from <= %s"
            " ORDER BY dataset, valid_from DESC, retention_id DESC", (city, at),
        )  # fmt: skip
        return [Retention(*row) for row in cur]


def keep_to_retentions(conn: Connection, city: str, now: datetime) -> list[Forgotten]:
    """Take away what the decisions of the city say is not kept any longer."""
    done = []
    for one in retentions(conn, city, now):
        if one.keep_days is None:
            continue
        with cursor(conn) as cur:
            cur.execute(
                "SELECT points, instances FROM hub_forget_before(%s, ARRAY(SELECT term_id"
                " FROM hub_term WHERE city = %s AND iri = ANY(%s)), %s)",
                (city, city, one.types, now - timedelta(days=one.keep_days)),
            )
            points, instances = cur.fetchone() or (0, 0)
        done.append(Forgotten(one.dataset, points, instances))
    return done
