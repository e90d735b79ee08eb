"""IRIs as numbers: each type and attribute name of a city is written down once."""

from collections.abc import Iterable

from onsil.core.database import Connection, cursor


def term_ids(conn: Connection, city: str, iris: Iterable[str]) -> dict[str, int]:
    """The numbers of known IRIs; unknown ones are left out."""
    with cursor(conn) as cur:
        cur.execute(
            "SELECT iri, term_id FROM hub_term WHERE city = %s AND iri = ANY(%s)",
            (city, sorted(set(iris))),
        )
        return dict(cur.fetchall())


def learn_terms(conn: Connection, city: str, iris: Iterable[str]) -> dict[str, int]:
    """The numbers of all these IRIs, new ones written down first."""
    wanted = set(iris)
    known = term_ids(conn, city, wanted)
    missing = sorted(wanted - known.keys())
    if missing:
        with cursor(conn) as cur:
            cur.execute(
                "INSERT INTO hub_term (city, iri) SELECT %s, iri FROM unnest(%s::text[]) iri"
                " ON CONFLICT DO NOTHING",
                (city, missing),
            )
        known |= term_ids(conn, city, missing)
    return known


def all_terms(conn: Connection, city: str) -> dict[int, str]:
    """The whole dictionary of a city by number."""
    with cursor(conn) as cur:
        cur.execute("SELECT term_id, iri FROM hub_term WHERE city = %s", (city,))
        return dict(cur.fetchall())
