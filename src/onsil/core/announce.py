"""Tell open pages that something happened: a notification sent when the transaction commits."""

import json
from collections.abc import Mapping
from typing import Any

from onsil.core.database import Connection, cursor

CHANNEL = "onsil_live"
PAYLOAD_MAX_BYTES = 7_500  # PostgreSQL refuses 8,000


def announce(conn: Connection, city: str, topic: str, message: Mapping[str, Any]) -> None:
    """Send `message` to the pages of `city` that listen to `topic`, when the caller commits.

    The message is a hint to look, not a record: a page that was closed never gets it. It is JSON
    of at most PAYLOAD_MAX_BYTES.
    """
    with cursor(conn) as cur:
        cur.execute("SELECT pg_notify(%s, %s)", (CHANNEL, payload(city, topic, message)))


def payload(city: str, topic: str, message: Mapping[str, Any]) -> str:
    """What is sent on CHANNEL, for who asks PostgreSQL for the notification itself."""
    text = json.dumps(
        {"city": city, "topic": topic, "message": message}, ensure_ascii=False, default=str
    )
    assert len(text.encode()) <= PAYLOAD_MAX_BYTES, "a live message is a hint, not a document"
    return text
