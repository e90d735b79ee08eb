"""Names of operations that a context source may offer, and of groups of them (§4.20)."""

from collections.abc import Iterable

_READING = frozenset((
    "retrieveEntityTypes", "retrieveEntityTypeDetails", "retrieveEntityTypeInfo",
    "retrieveAttrTypes", "retrieveAttrTypeDetails", "retrieveAttrTypeInfo",
))  # fmt: skip
_SUBSCRIBING = frozenset((
    "createSubscription", "updateSubscription", "retrieveSubscription", "querySubscription",
    "deleteSubscription",
))  # fmt: skip
_MAPS = frozenset((
    "retrieveEntityMap", "updateEntityMap", "deleteEntityMap", "createEntityMapQueryEntity",
))  # fmt: skip
_UPDATING = frozenset(("updateEntity", "updateAttrs", "replaceEntity", "replaceAttrs"))
_RETRIEVING = frozenset(("retrieveEntity", "queryEntity"))
_IDENTITY = "retrieveContextSourceIdentity"

_ASSOCIATION = _RETRIEVING | _READING | _SUBSCRIBING | {"queryBatch", _IDENTITY}
GROUPS = {
    "federationOps": _ASSOCIATION | _MAPS,
    "associationOps": _ASSOCIATION,
    "updateOps": _UPDATING,
    "retrieveOps": _RETRIEVING,
    "redirectionOps": _UPDATING | _RETRIEVING | _READING | _MAPS | {
        "createEntity", "appendAttrs", "deleteAttrs", "deleteEntity", "mergeEntity", "purgeEntity",
        _IDENTITY,
    },
}  # fmt: skip
OPERATIONS = frozenset().union(*GROUPS.values()) | {
    "createBatch", "upsertBatch", "updateBatch", "deleteBatch", "mergeBatch", "upsertTemporal",
    "appendAttrsTemporal", "deleteAttrsTemporal", "updateAttrInstanceTemporal",
    "deleteAttrInstanceTemporal", "deleteTemporal", "retrieveTemporal", "queryTemporal",
    "createEntityMapQueryTemporal",
}  # fmt: skip
DEFAULT = GROUPS["federationOps"]
CONSUMING = frozenset(("retrieveOps", "retrieveEntity", "queryEntity"))  # what auxiliary ones take


def operations_of(names: Iterable[str] | None) -> frozenset[str]:
    """The operations that names of operations and of groups stand for; the default without any."""
    if names is None:
        return DEFAULT
    return frozenset().union(*(GROUPS.get(name, {name}) for name in names))
