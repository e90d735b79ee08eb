"""Batches: what each item of a list asks for (GS CIM 009 V1.9.1 §5.6.7-10, §5.6.20, §5.5.11).

Items are carried out in their order, so the later of two with one id sees what the earlier did.
"""

from datetime import datetime

from onsil.hub.documents import (
    NULL,
    Changed,
    Document,
    DocumentError,
    append,
    create,
    merge_entity,
    replace_entity,
    update,
    value_of,
)
from onsil.hub.writing import Intent, existing


def upserting(document: Document, *, replace: bool = True) -> Intent:
    """§5.6.8: made where there is none; else replaced, or updated as by §5.6.2."""

    def decide(before: Document | None, now: datetime) -> Changed:
        if before is None:
            if any(value_of(i) == NULL for found in document.attrs.values() for i in found):
                raise DocumentError(f"{NULL!r} removes what is there, and nothing is")
            return create(document, now)
        return (replace_entity if replace else update)(before, document, now)

    return Intent(document.uri, decide, creates=True)


def appending(document: Document, *, overwrite: bool = True) -> Intent:
    """§5.6.9, item by item §5.6.3: attributes added to an entity that is there."""
    return Intent(
        document.uri,
        existing(
            lambda before, now: append(before, document, now, overwrite=overwrite), document.uri
        ),
    )


def merging(document: Document) -> Intent:
    """§5.6.20, item by item §5.6.17."""
    return Intent(
        document.uri,
        existing(lambda before, now: merge_entity(before, document, now), document.uri),
    )
