"""Access to data sets that are not open: closed entities, requests, and the keys that open.

Steps of the caller's transaction. A key is told once, when it is made, and kept as its hash; a
request has one that opens at a time.
"""

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import astuple
from datetime import datetime
from typing import Any, NamedTuple

import orjson

from onsil.core.ids import new_id
from onsil.core.refusal import Refusal
from onsil.hub.datasets.registry import Dataset
from onsil.hub.datasets.requests import (
    Decision,
    UsageRequest,
    check_asking,
    check_key,
    decide,
)
from onsil.hub.documents import Document
from onsil.hub.query.finding import find
from onsil.hub.steps import Ask, Steps
from onsil.hub.vocabulary import names

KEY_MARK = "odk_"
# What a session sees of closed entities: nothing, everything, or those of one data set (its id).
NOTHING, EVERYTHING = "-", ""
_PAGE = 1000
_COLUMNS = (
    "request_id::text, dataset_id, person, organisation, purpose, days, state, asked_at,"
    " decided_at, decided_by, reason, expires_at"
)
_ASK = (
    "INSERT INTO hub_dataset_request (request_id, dataset_id, person, organisation, purpose, days,"
    " state, asked_at, city) VALUES ($1::text::uuid, $2, $3, $4, $5, $6, $7, $8, $9)"
)
_OPENS = """
SELECT r.dataset_id FROM hub_dataset_key k
  JOIN hub_dataset_request r ON r.city = $1 AND r.request_id = k.request_id
 WHERE k.city = $1 AND k.key_hash = $2 AND k.revoked_at IS NULL AND r.state = 'approved'
   AND r.expires_at > $3
"""


class Key(NamedTuple):
    """A key as lists show it: never itself."""

    made_at: datetime
    revoked_at: datetime | None


def veil(view: str = NOTHING) -> Steps[None]:
    """Until the end of the transaction, see of closed entities only those of this data set."""
    yield Ask("SELECT set_config('onsil.veil', $1, true)", (view,))


def close_entities(city: str, holders: Mapping[str, Sequence[str]]) -> Steps[None]:
    """Close entities by the data sets that hold them; those of none are opened."""
    if holders:
        texts = [orjson.dumps(list(ids)).decode() for ids in holders.values()]
        yield Ask("SELECT hub_close($1, $2::text[], $3::jsonb[])", (city, list(holders), texts))


def close_all(city: str, datasets: Sequence[Dataset]) -> Steps[None]:
    """Close what these data sets' restrictions say, and open all else."""
    rows = yield Ask(
        "SELECT uri FROM hub_entity WHERE city = $1 AND closed"
        " UNION SELECT uri FROM hub_temporal_entity WHERE city = $1 AND closed",
        (city,),
    )
    holders: dict[str, list[str]] = {uri: [] for (uri,) in rows}
    for one in sorted((one for one in datasets if not one.open), key=lambda one: one.id):
        for uri in (yield from _held(city, one)):
            holders.setdefault(uri, []).append(one.id)
    yield from close_entities(city, holders)


def _held(city: str, dataset: Dataset) -> Steps[set[str]]:
    """The ids of a data set's entities, and of histories without an entity whose type it has."""
    found: set[str] = set()
    while True:
        page = yield from find(city, dataset.wanted(), _PAGE, len(found))
        found |= {one.document.uri for one in page}
        if len(page) < _PAGE:
            break
    rows = yield Ask(
        "SELECT h.uri, h.type_ids FROM hub_temporal_entity h WHERE h.city = $1 AND NOT EXISTS"
        " (SELECT FROM hub_entity e WHERE e.city = $1 AND e.uri = h.uri)",
        (city,),
    )
    iris = yield from names(city, {n for _, types in rows for n in types})
    for uri, types in rows:
        if dataset.may_hold(Document(uri, [iris[n] for n in types])):
            found.add(uri)
    return found


def ask(
    city: str, dataset: Dataset, person: str, organisation: str, purpose: str, days: int,
    now: datetime,
) -> Steps[UsageRequest | Refusal]:  # fmt: skip
    """Ask for a data set. The same person's second open request for it is refused."""
    yield Ask("SELECT pg_advisory_xact_lock(hashtextextended($1, 7))", (f"{city} {person}",))
    earlier = [one for one in (yield from requests_of(city, person)) if one.dataset == dataset.id]
    refusal = check_asking(dataset, purpose, organisation, days, earlier, now)
    if refusal is not None:
        return refusal
    for one in earlier:
        if one.expired(now):  # makes room for another one; its term is over anyway
            yield from _save(city, one, "ended")
    made = UsageRequest(
        str(new_id()), dataset.id, person, organisation.strip(), purpose.strip(), days, "asked", now
    )
    yield Ask(_ASK, (*astuple(made)[:8], city))
    return made


def decide_on(
    city: str, id: str, decision: Decision, by: str, reason: str, now: datetime
) -> Steps[UsageRequest | Refusal | None]:
    """Approve, refuse or end a request; its keys end with it. None: there is no such request."""
    request = yield from request_of(city, id, lock=True)
    if request is None:
        return None
    made = decide(request, decision, by, reason, now)
    if isinstance(made, Refusal):
        return made
    yield Ask(
        "UPDATE hub_dataset_request SET state = $3, decided_at = $4, decided_by = $5, reason = $6,"
        " expires_at = $7 WHERE city = $1 AND request_id = $2::text::uuid",
        (city, id, made.state, made.decided_at, made.decided_by, made.reason, made.expires_at),
    )
    if made.state == "ended":
        yield from _revoke(city, id, now)
    return made


def withdraw(city: str, id: str, person: str, now: datetime) -> Steps[UsageRequest | None]:
    """Take one's own request back, or give one's access back. None: there is none to take back."""
    request = yield from request_of(city, id, lock=True)
    if request is None or request.person != person or request.state not in ("asked", "approved"):
        return None
    yield from _save(city, request, "withdrawn")
    yield from _revoke(city, id, now)
    return request


def make_key(city: str, id: str, person: str, now: datetime) -> Steps[str | Refusal | None]:
    """A new key for an approved request, told this once; the one before ends."""
    request = yield from request_of(city, id, lock=True)
    if request is None:
        return None
    refusal = check_key(request, person, now)
    if refusal is not None:
        return refusal
    yield from _revoke(city, id, now)
    key = KEY_MARK + secrets.token_urlsafe(32)
    yield Ask(
        "INSERT INTO hub_dataset_key (city, key_hash, request_id, made_at)"
        " VALUES ($1, $2, $3::text::uuid, $4)",
        (city, key_hash(key), id, now),
    )
    return key


def opened_by(city: str, key: str, now: datetime) -> Steps[str | None]:
    """The data set that a key opens; None for one that is unknown, revoked or over."""
    if not key.startswith(KEY_MARK) or len(key) > 100:
        return None
    rows = yield Ask(_OPENS, (city, key_hash(key), now))
    return rows[0][0] if rows else None


def key_hash(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()


def may_read(city: str, dataset: Dataset, person: str, now: datetime) -> Steps[bool]:
    """Whether a signed-in person has access to a data set now."""
    if dataset.open:
        return True
    own = yield from requests_of(city, person)
    return any(one.dataset == dataset.id and one.open(now) for one in own)


def request_of(city: str, id: str, *, lock: bool = False) -> Steps[UsageRequest | None]:
    rows = yield Ask(
        f"SELECT {_COLUMNS} FROM hub_dataset_request WHERE city = $1"  # noqa: S608
        f" AND request_id = $2::text::uuid{' FOR UPDATE' if lock else ''}",
        (city, id),
    )
    return UsageRequest(*rows[0]) if rows else None


def requests_of(city: str, person: str) -> Steps[list[UsageRequest]]:
    """A person's own requests, newest first."""
    return _read((yield Ask(
        f"SELECT {_COLUMNS} FROM hub_dataset_request WHERE city = $1 AND person = $2"  # noqa: S608
        " ORDER BY asked_at DESC, request_id", (city, person),
    )))  # fmt: skip


def all_requests(city: str, most: int = 200) -> Steps[list[UsageRequest]]:
    """The city's requests: those that wait first, oldest above; then the newest."""
    return _read((yield Ask(
        f"SELECT {_COLUMNS} FROM hub_dataset_request WHERE city = $1"  # noqa: S608
        " ORDER BY state <> 'asked', CASE WHEN state = 'asked' THEN asked_at END, asked_at DESC"
        " LIMIT $2", (city, most),
    )))  # fmt: skip


def keys_of(city: str, id: str) -> Steps[list[Key]]:
    """The keys made for a request, newest first."""
    rows = yield Ask(
        "SELECT made_at, revoked_at FROM hub_dataset_key WHERE city = $1"
        " AND request_id = $2::text::uuid ORDER BY made_at DESC",
        (city, id),
    )
    return [Key(*row) for row in rows]


def _read(rows: Sequence[Sequence[Any]]) -> list[UsageRequest]:
    return [UsageRequest(*row) for row in rows]


def _save(city: str, request: UsageRequest, state: str) -> Steps[None]:
    yield Ask(
        "UPDATE hub_dataset_request SET state = $3 WHERE city = $1 AND request_id = $2::text::uuid",
        (city, request.id, state),
    )


def _revoke(city: str, id: str, now: datetime) -> Steps[None]:
    yield Ask(
        "UPDATE hub_dataset_key SET revoked_at = $3 WHERE city = $1"
        " AND request_id = $2::text::uuid AND revoked_at IS NULL",
        (city, id, now),
    )
