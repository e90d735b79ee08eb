"""The @context of a subscription's notifications, compiled and kept."""

import logging
from collections import OrderedDict
from typing import Any, Protocol

from onsil.hub.contexts import CORE, CORE_CONTEXT, Context, ContextError
from onsil.hub.subscriptions.rendering import Wording
from onsil.hub.subscriptions.terms import Subscription

log = logging.getLogger(__name__)
_KEPT_MAX = 2000


class Contexts(Protocol):
    """Who compiles contexts."""

    async def resolve(self, source: Any, city: str) -> Context: ...


class Words:
    """Finds the wording of a subscription's notifications."""

    def __init__(self, contexts: Contexts) -> None:
        self._contexts = contexts
        self._kept: OrderedDict[int, tuple[Subscription, Wording]] = OrderedDict()

    async def __call__(self, subscription: Subscription) -> Wording:
        """The context to be used. One that cannot be had leaves names as IRIs: nothing is lost."""
        kept = self._kept.get(id(subscription))
        if kept is not None and kept[0] is subscription:
            return kept[1]
        source, url = subscription.context
        try:
            context = await self._contexts.resolve(source, subscription.city)
            wording = Wording(context, _plain(source), url)
        except ContextError as error:
            log.warning("%s: %s", subscription.uri, error)
            return Wording(CORE, CORE_CONTEXT, CORE_CONTEXT)
        self._kept[id(subscription)] = (subscription, wording)
        while len(self._kept) > _KEPT_MAX:
            self._kept.popitem(last=False)
        return wording


def _plain(source: Any) -> Any:
    return source[0] if isinstance(source, list) and len(source) == 1 else source
