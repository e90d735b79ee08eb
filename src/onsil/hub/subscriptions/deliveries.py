"""What the sender reads from the outbox and writes down about deliveries, as steps."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from onsil.hub.steps import Ask, Steps
from onsil.hub.subscriptions.compiling import compiled
from onsil.hub.subscriptions.terms import Subscription

Lane = tuple[str, int]  # city, number of the subscription
_REASON_MAX = 300


class Row(NamedTuple):
    """One row of the outbox."""

    city: str
    outbox_id: int
    number: int
    notification_id: UUID
    at: datetime
    reason: str
    entries: list[dict[str, Any]]


class Active(NamedTuple):
    """A subscription as the sender needs it."""

    subscription: Subscription
    last_notification: datetime | None


@dataclass
class Tally:
    """What came of one subscription's deliveries since it was last written down."""

    sent: int = 0
    failed: int = 0
    failing: bool | None = None
    last_notification: datetime | None = None
    last_success: datetime | None = None
    last_failure: datetime | None = None
    reason: str = ""

    def then(self, later: "Tally") -> "Tally":
        """This and what came after it."""
        return Tally(
            self.sent + later.sent, self.failed + later.failed,
            self.failing if later.failing is None else later.failing,
            later.last_notification or self.last_notification,
            later.last_success or self.last_success, later.last_failure or self.last_failure,
            later.reason,
        )  # fmt: skip


_NEXT = """
(SELECT city, outbox_id, sub_no, notification_id::text, at, reason, entries
   FROM hub_outbox WHERE outbox_id > $1 ORDER BY outbox_id LIMIT $2)
UNION ALL
(SELECT city, outbox_id, sub_no, notification_id::text, at, reason, entries
   FROM hub_outbox WHERE outbox_id = ANY($3::bigint[]))
ORDER BY 2
"""
_OF_LANES = """
SELECT city, outbox_id, sub_no, notification_id::text, at, reason, entries
  FROM hub_outbox
 WHERE (city, sub_no) IN (SELECT * FROM unnest($1::text[], $2::int[])) AND outbox_id >= $3
 ORDER BY outbox_id LIMIT $4
"""


def read_rows(after: int, gaps: Sequence[int], limit: int) -> Steps[list[Row]]:
    """Rows with higher numbers than `after`, and those of `gaps` that were committed meanwhile."""
    rows = yield Ask(_NEXT, (after, limit, list(gaps)))
    return _rows(rows)


def read_lane_rows(lanes: Iterable[Lane], first: int, limit: int) -> Steps[list[Row]]:
    """Rows of some subscriptions from a number on."""
    chosen = list(lanes)
    columns = [city for city, _ in chosen], [number for _, number in chosen]
    rows = yield Ask(_OF_LANES, (*columns, first, limit))
    return _rows(rows)


def read_numbers(up_to: int) -> Steps[list[int]]:
    """The numbers of all rows up to one, as a check that none was overlooked."""
    rows = yield Ask("SELECT outbox_id FROM hub_outbox WHERE outbox_id <= $1", (up_to,))
    return [row[0] for row in rows]


def _rows(rows: Sequence[Sequence[Any]]) -> list[Row]:
    return [
        Row(city, number, sub_no, UUID(uuid), at, reason, entries)
        for city, number, sub_no, uuid, at, reason, entries in rows
    ]


def read_versions() -> Steps[dict[str, tuple[int, str]]]:
    """The version of each city's subscriptions."""
    rows = yield Ask("SELECT city, version, lineage::text FROM hub_subscription_version", ())
    return {row[0]: (row[1], row[2]) for row in rows}


def read_active(city: str) -> Steps[list[Active]]:
    """All subscriptions of a city, with when they were notified last."""
    rows = yield Ask(
        "SELECT u.sub_no, u.uri, u.kind, u.doc, u.names, u.context, u.created_at,"
        " s.last_notification FROM hub_subscription u LEFT JOIN hub_subscription_state s"
        " ON s.city = u.city AND s.sub_no = u.sub_no WHERE u.city = $1",
        (city,),
    )
    return [Active(compiled(city, *row[:7]), row[7]) for row in rows]


def write_down(done: Sequence[tuple[str, int]], tallies: dict[Lane, Tally]) -> Steps[None]:
    """Take what is done out of the outbox, and add up what came of it."""
    if done:
        yield Ask(
            "DELETE FROM hub_outbox o USING unnest($1::text[], $2::bigint[]) AS t(city, id)"
            " WHERE o.city = t.city AND o.outbox_id = t.id",
            ([city for city, _ in done], [number for _, number in done]),
        )
    if not tallies:
        return
    lanes = sorted(tallies)
    columns = [tallies[lane] for lane in lanes]
    yield Ask(
        "INSERT INTO hub_subscription_state AS s (city, sub_no, times_sent, times_failed, failing,"
        " last_notification, last_success, last_failure, reason)"
        " SELECT t.city, t.n, t.sent, t.failed, coalesce(t.failing, false), t.at, t.ok, t.bad,"
        " t.reason FROM unnest($1::text[], $2::int[], $3::bigint[], $4::bigint[], $5::bool[],"
        " $6::timestamptz[], $7::timestamptz[], $8::timestamptz[], $9::text[])"
        " AS t(city, n, sent, failed, failing, at, ok, bad, reason)"
        " JOIN hub_subscription u ON u.city = t.city AND u.sub_no = t.n"
        " ON CONFLICT (city, sub_no) DO UPDATE SET"
        " times_sent = s.times_sent + EXCLUDED.times_sent,"
        " times_failed = s.times_failed + EXCLUDED.times_failed, failing = EXCLUDED.failing,"
        " last_notification = coalesce(EXCLUDED.last_notification, s.last_notification),"
        " last_success = coalesce(EXCLUDED.last_success, s.last_success),"
        " last_failure = coalesce(EXCLUDED.last_failure, s.last_failure),"
        " reason = EXCLUDED.reason",
        (
            [city for city, _ in lanes], [number for _, number in lanes],
            [one.sent for one in columns], [one.failed for one in columns],
            [one.failing for one in columns], [one.last_notification for one in columns],
            [one.last_success for one in columns], [one.last_failure for one in columns],
            [one.reason[:_REASON_MAX].replace("\0", "") for one in columns],
        ),
    )  # fmt: skip
