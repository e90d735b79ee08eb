"""What a write did to an entity: handed to the history and to the subscriptions' outbox."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from onsil.hub.documents import Document

# What became of one attribute instance; the key is (attribute IRI, datasetId or "").
AttributeChange = Literal["created", "updated", "deleted"]


@dataclass(frozen=True)
class Change:
    """One entity's change within one transaction.

    `before` is None for a new entity, `after` None for a deleted one. `attributes` names each
    attribute instance that was written, also when its value stayed the same.
    """

    eid: int
    uri: str
    before: Document | None
    after: Document | None
    at: datetime
    attributes: dict[tuple[str, str], AttributeChange] = field(default_factory=dict)
