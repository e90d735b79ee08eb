"""What periodic subscriptions are told: all that matches, changed or not (§5.8.6, §5.11.7)."""

from typing import Any

from onsil.hub.query.filters import Filter, Selector
from onsil.hub.query.finding import find
from onsil.hub.steps import Steps
from onsil.hub.subscriptions.linked import with_times
from onsil.hub.subscriptions.matching import document_entry
from onsil.hub.subscriptions.registrations import matching_registrations
from onsil.hub.subscriptions.terms import Subscription

ENTITIES_MAX = 1000


def entries_of(subscription: Subscription) -> Steps[list[dict[str, Any]]]:
    """The entities or context sources that a subscription selects, as they are now."""
    if subscription.kind == "sources":
        return (yield from matching_registrations(subscription))
    wanted = Filter(
        tuple(
            Selector(one.types, tuple(sorted(one.ids)), one.pattern_text)
            for one in subscription.selectors
        ),
        subscription.q,
        geo=subscription.geo,
        scopes=subscription.scope,
    )
    found = yield from find(subscription.city, wanted, ENTITIES_MAX)
    return [document_entry(with_times(one)) for one in found]
