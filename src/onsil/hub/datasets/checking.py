"""What the hub writes, checked against the models of its data sets, and the history of that.

A written entity is stored whether or not it fits; what was found is kept beside it. Only a data set
that is `strict` has entities refused. Where a city has no data set of an entity's type, a write
pays one look into an index.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import orjson

from onsil.hub.changes import Change
from onsil.hub.datasets.access import close_entities
from onsil.hub.datasets.models import DataModel
from onsil.hub.datasets.registry import Dataset
from onsil.hub.datasets.store import datasets_of_types
from onsil.hub.datasets.verifying import Finding, verify
from onsil.hub.documents import Document, DocumentError
from onsil.hub.steps import Ask, Steps

_NEWEST = """
SELECT DISTINCT ON (v.uri, v.model) v.uri, v.model, v.since, v.findings
  FROM unnest($2::text[], $3::text[]) AS w(uri, model)
  JOIN hub_verification v ON v.city = $1 AND v.uri = w.uri AND v.model = w.model
 ORDER BY v.uri, v.model, v.since DESC
"""
_WRITE = """
INSERT INTO hub_verification (city, uri, model, since, last_at, times, findings)
SELECT $1, t.uri, t.model, t.since, $2, 1, t.findings
  FROM unnest($3::text[], $4::text[], $5::timestamptz[], $6::jsonb[])
    AS t(uri, model, since, findings)
ON CONFLICT (city, uri, model, since) DO UPDATE
   SET last_at = excluded.last_at, times = hub_verification.times + 1,
       findings = excluded.findings
"""
_HISTORY = """
SELECT uri, model, since, last_at, times, findings FROM hub_verification
 WHERE city = $1 AND ($2 = '' OR uri = $2) ORDER BY since DESC, uri, model LIMIT $3
"""
_STANDING = """
SELECT * FROM (
  SELECT DISTINCT ON (uri, model) uri, model, since, last_at, times, findings
    FROM hub_verification WHERE city = $1 ORDER BY uri, model, since DESC
) newest WHERE NOT $2 OR findings <> '[]'::jsonb ORDER BY last_at DESC, uri LIMIT $3 OFFSET $4
"""


class Verification(NamedTuple):
    """One stretch of writes of an entity with the same findings; none: it fits the model."""

    uri: str
    model: str
    since: datetime
    last_at: datetime
    times: int
    findings: tuple[Finding, ...]


def verify_changes(city: str, changes: Sequence[Change]) -> Steps[dict[str, list[str]]]:
    """Check what was written; the answer says of each entity which data sets close it, where any
    could. Raises DocumentError for a strict data set's entity that does not fit; whatever the
    transaction did is undone then."""
    types = {iri for one in changes for side in (one.before, one.after) if side
             for iri in side.types}  # fmt: skip
    if not types:
        return {}
    datasets = yield from datasets_of_types(city, sorted(types))
    written = [(one, one.after) for one in changes if one.after is not None]
    yield from _verify(city, datasets, written)
    closing = sorted((one for one in datasets if not one.open), key=lambda one: one.id)
    if not closing:
        return {}
    sides = [(one.uri, one.after or one.before) for one in changes]
    return {uri: [one.id for one in closing if one.holds(side)] for uri, side in sides if side}


def close_history(city: str, uri: str, types: Sequence[str]) -> Steps[None]:
    """Close a history that begins without an entity, where a closed data set has its types."""
    datasets = yield from datasets_of_types(city, types)
    document = Document(uri, list(types))
    held = sorted(one.id for one in datasets if not one.open and one.may_hold(document))
    if held:
        yield from close_entities(city, {uri: held})


def _verify(
    city: str, datasets: Sequence[Dataset], written: Sequence[tuple[Change, Document]]
) -> Steps[None]:
    if not datasets:
        return
    checked: dict[tuple[str, str], tuple[datetime, list[Finding]]] = {}
    for change, document in written:
        for model, strict in _models(datasets, document):
            found = verify(document, model)
            if found and strict:
                raise DocumentError(f"{change.uri} does not fit {model.code}: {_told(found)}")
            checked[change.uri, model.code] = change.at, found
    if checked:
        yield from _note(city, checked)


def _models(datasets: Sequence[Dataset], document: Document) -> list[tuple[DataModel, bool]]:
    """The models that a document is to fit, each with whether it must."""
    held = [one for one in datasets if one.holds(document)]
    strict = {one.model for one in held if one.strict}
    by_code = {one.model: one.data_model for one in held}
    return [(model, code in strict) for code, model in sorted(by_code.items())]


def _told(findings: Sequence[Finding]) -> str:
    return " ".join(f"{one.attribute}: {one.en}" for one in findings)


def _note(city: str, checked: dict[tuple[str, str], tuple[datetime, list[Finding]]]) -> Steps[None]:
    keys = sorted(checked)
    rows = yield Ask(_NEWEST, (city, [uri for uri, _ in keys], [model for _, model in keys]))
    newest = {(uri, model): (since, findings) for uri, model, since, findings in rows}
    begun, texts = [], []
    for key in keys:
        at, found = checked[key]
        listed = [list(one) for one in found]
        before = newest.get(key)
        begun.append(before[0] if before and before[1] == listed else at)
        texts.append(orjson.dumps(listed).decode())
    last = max(at for at, _ in checked.values())
    uris, models = [uri for uri, _ in keys], [model for _, model in keys]
    yield Ask(_WRITE, (city, last, uris, models, begun, texts))


def _read(rows: Sequence[Sequence[Any]]) -> list[Verification]:
    return [
        Verification(uri, model, since, last_at, times, tuple(Finding(*one) for one in findings))
        for uri, model, since, last_at, times, findings in rows
    ]


def verification_history(city: str, uri: str, most: int = 100) -> Steps[list[Verification]]:
    """What was found of one entity, newest first; of all entities for an empty `uri`."""
    return _read((yield Ask(_HISTORY, (city, uri, most))))


def verification_standing(
    city: str, *, faulty: bool, limit: int, offset: int = 0
) -> Steps[list[Verification]]:
    """Each entity as it stands now, newest first; `faulty`: those only that do not fit."""
    return _read((yield Ask(_STANDING, (city, faulty, limit, offset))))
