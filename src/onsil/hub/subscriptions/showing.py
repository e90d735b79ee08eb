"""A stored subscription as it is shown: its names under the asked context, with its status."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from onsil.hub.contexts import Context
from onsil.hub.documents import parse_time, time_text
from onsil.hub.subscriptions.names import renamed
from onsil.hub.subscriptions.terms import DEFAULT_TRIGGERS, Kind, Names, State


def status_of(doc: Mapping[str, Any], now: datetime) -> str:
    """`active`, `paused` or `expired` (§5.2.12)."""
    if "expiresAt" in doc and parse_time(doc["expiresAt"]) <= now:
        return "expired"
    return "active" if doc.get("isActive", True) else "paused"


def show_subscription(
    uri: str,
    kind: Kind,
    doc: Mapping[str, Any],
    names: Mapping[str, Names],
    state: State,
    context: Context,
    now: datetime,
    *,
    system: bool = False,
) -> dict[str, Any]:
    """The Subscription data type (§5.2.12, §5.2.14.2) for the outside.

    `system` adds how often a notification could not be delivered.
    """
    term = context.term
    made: dict[str, Any] = {"id": uri, "type": "Subscription", **doc}
    if kind == "entities":
        made.setdefault("notificationTrigger", list(DEFAULT_TRIGGERS))
    for key in ("watchedAttributes", "q", "csf"):
        if key in doc:
            made[key] = renamed(doc[key], names.get(key, {}), term)
    if "entities" in doc:
        kept = names.get("entities", {})
        made["entities"] = [one | {"type": renamed(one["type"], kept, term)}
                            for one in doc["entities"]]  # fmt: skip
    if "geoproperty" in doc.get("geoQ", {}):
        kept = names.get("geoQ", {})
        made["geoQ"] = doc["geoQ"] | {
            "geoproperty": renamed(doc["geoQ"]["geoproperty"], kept, term)
        }
    made["notification"] = _notification(doc["notification"], names, state, context)
    if system and state.times_failed:
        made["notification"]["timesFailed"] = state.times_failed
    made["status"] = status_of(doc, now)
    return made


def _notification(
    doc: Mapping[str, Any], names: Mapping[str, Names], state: State, context: Context
) -> dict[str, Any]:
    made = dict(doc)
    kept = names.get("notification", {})
    for key in ("attributes", "pick", "omit"):
        if key in doc:
            made[key] = renamed(doc[key], kept, context.term)
    if state.times_sent:
        made["status"] = "failed" if state.failing else "ok"
        made["timesSent"] = state.times_sent
    for key, at in (
        ("lastNotification", state.last_notification),
        ("lastSuccess", state.last_success),
        ("lastFailure", state.last_failure),
    ):
        if at is not None:
            made[key] = time_text(at)
    return made
