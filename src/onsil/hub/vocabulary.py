"""IRIs as numbers: each type and attribute name of a city is written down once, and stays."""

from collections.abc import Iterable

from onsil.core.database import Connection
from onsil.hub.steps import Ask, Steps, run

_FIND = "SELECT iri, term_id FROM hub_term WHERE city = $1 AND iri = ANY($2::text[])"
_LEARN = (
    "INSERT INTO hub_term (city, iri) SELECT $1, iri FROM unnest($2::text[]) iri"
    " ON CONFLICT DO NOTHING"
)
_NAME = "SELECT iri, term_id FROM hub_term WHERE city = $1 AND term_id = ANY($2::int[])"


class Dictionary:
    """Numbers and IRIs known to a process, by city. Only what was committed gets in.

    Terms are never deleted, so what is known stays true.
    """

    def __init__(self) -> None:
        self._numbers: dict[str, dict[str, int]] = {}
        self._iris: dict[str, dict[int, str]] = {}

    def numbers(self, city: str) -> dict[str, int]:
        return self._numbers.setdefault(city, {})

    def iris(self, city: str) -> dict[int, str]:
        return self._iris.setdefault(city, {})

    def note(self, city: str, found: Iterable[tuple[str, int]]) -> None:
        """Remember committed terms."""
        numbers, iris = self.numbers(city), self.iris(city)
        for iri, number in found:
            numbers[iri] = number
            iris[number] = iri


def find(city: str, iris: Iterable[str], known: Dictionary | None = None) -> Steps[dict[str, int]]:
    """The numbers of known IRIs; unknown ones are left out."""
    wanted = set(iris)
    held = known.numbers(city) if known else {}
    found = {iri: held[iri] for iri in wanted if iri in held}
    missing = sorted(wanted - found.keys())
    if missing:
        rows = yield Ask(_FIND, (city, missing))
        if known:
            known.note(city, ((iri, number) for iri, number in rows))
        found |= {iri: number for iri, number in rows}
    return found


def learn(city: str, iris: Iterable[str], known: Dictionary | None = None) -> Steps[dict[str, int]]:
    """The numbers of all these IRIs, new ones written down first.

    One statement writes them in order, so that writers of a new tenant's first terms wait for one
    another and never in a circle. `known` may only hold what is committed: with it, call this once
    a transaction.
    """
    wanted = set(iris)
    held = known.numbers(city) if known else {}
    found = {iri: held[iri] for iri in wanted if iri in held}
    missing = sorted(wanted - found.keys())
    if not missing:
        return found
    rows = yield Ask(_FIND, (city, missing))
    if known:
        known.note(city, ((iri, number) for iri, number in rows))
    found |= {iri: number for iri, number in rows}
    missing = sorted(wanted - found.keys())
    if missing:
        yield Ask(_LEARN, (city, missing))
        rows = yield Ask(_FIND, (city, missing))
        found |= {iri: number for iri, number in rows}
    return found


def names(
    city: str, numbers: Iterable[int], known: Dictionary | None = None
) -> Steps[dict[int, str]]:
    """The IRIs of these numbers."""
    wanted = set(numbers)
    held = known.iris(city) if known else {}
    found = {number: held[number] for number in wanted if number in held}
    missing = sorted(wanted - found.keys())
    if missing:
        rows = yield Ask(_NAME, (city, missing))
        if known:
            known.note(city, ((iri, number) for iri, number in rows))
        found |= {number: iri for iri, number in rows}
    return found


def term_ids(conn: Connection, city: str, iris: Iterable[str]) -> dict[str, int]:
    """The numbers of known IRIs; unknown ones are left out."""
    return run(conn, find(city, iris))


def learn_terms(conn: Connection, city: str, iris: Iterable[str]) -> dict[str, int]:
    """The numbers of all these IRIs, new ones written down first."""
    return run(conn, learn(city, iris))
