"""MQTT topics: `onsil/<city>/<device>/<attribute, up, ack or down>`, and Sparkplug's."""

import re
from typing import NamedTuple

ROOT = "onsil"
UP, ACK, DOWN = "up", "ack", "down"
SPARKPLUG = "spBv1.0"
SUBSCRIPTIONS = (
    f"{ROOT}/#",
    *(f"{SPARKPLUG}/+/{kind}/+" for kind in ("NBIRTH", "NDATA", "NDEATH")),
    *(f"{SPARKPLUG}/+/{kind}/+/+" for kind in ("DBIRTH", "DDATA", "DDEATH")),
)
_TOPIC = re.compile(
    rf"^{ROOT}/([a-z][a-z0-9-]{{0,39}})/([A-Za-z0-9][A-Za-z0-9._-]{{0,63}})/([A-Za-z0-9_:.#/-]{{1,200}})$"
)


class Topic(NamedTuple):
    """A topic taken apart; `attribute` is empty where the payload names the attributes."""

    city: str
    device_id: str
    attribute: str


def parse_topic(text: str) -> Topic | None:
    """A topic's parts, or None when it does not follow the convention."""
    match = _TOPIC.match(text)
    if not match:
        return None
    city, device_id, last = match.groups()
    return Topic(city, device_id, "" if last == UP else last)


def topic_of(city: str, device_id: str, attribute: str = UP) -> str:
    """Where a device publishes (`up`, an attribute, `ack`), or is told (`down`)."""
    return f"{ROOT}/{city}/{device_id}/{attribute}"
