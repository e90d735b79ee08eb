"""The context source registrations that subscriptions look at; the federation lends them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from onsil.hub.steps import Steps
from onsil.hub.subscriptions.outbox import insert_entries
from onsil.hub.subscriptions.sources import narrowed
from onsil.hub.subscriptions.terms import Subscription

Read = Callable[[str], Steps[Sequence[Mapping[str, Any]]]]
ENTRIES_MAX = 1000


def _none(_city: str) -> Steps[Sequence[Mapping[str, Any]]]:
    return []
    yield


_lent: dict[str, Read] = {"read": _none}


def lend_registrations(read: Read) -> None:
    """Say how a city's registrations are read: as JSON with IRIs for types and attribute names."""
    _lent["read"] = read


def matching_registrations(subscription: Subscription) -> Steps[list[dict[str, Any]]]:
    """All registrations that match a subscription, each with what matches in it."""
    registrations = yield from _lent["read"](subscription.city)
    found = (narrowed(subscription, one) for one in registrations)
    return [one for one in found if one is not None][:ENTRIES_MAX]


def enqueue_initial(subscription: Subscription, now: Any) -> Steps[None]:
    """Tell a new or changed subscription which context sources match it (§5.11.2.4, §5.11.7)."""
    if subscription.status(now) != "active":
        return
    found = yield from matching_registrations(subscription)
    if found:
        yield from insert_entries(
            subscription.city, subscription.number, now, found, "newlyMatching"
        )
