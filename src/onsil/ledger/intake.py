"""Handing requests in and getting answers: the door between callers and the posting writer."""

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

import orjson

from onsil.core.database import Connection, cursor
from onsil.ledger import refusals, wire
from onsil.ledger.arrays import texts
from onsil.ledger.book import Decision
from onsil.ledger.form import check_form
from onsil.ledger.loading import load_keys
from onsil.ledger.refusals import from_row
from onsil.ledger.terms import Answer, TransferRequest
from onsil.ledger.wire import Marked

REQUESTS_CHANNEL = "onsil_ledger_requests"
ANSWERS_CHANNEL = "onsil_ledger_answers"
SUBMISSION_MAX = 1024
_PAYLOAD_MAX = 7_900
_PAYLOADS_MAX = 32


def chains(requests: Iterable[Marked]) -> list[list[Marked]]:
    """What stands or falls together: chains, and unlinked requests alone. Pure."""
    found: list[list[Marked]] = []
    linked = False
    for marked in requests:
        if linked:
            found[-1].append(marked)
        else:
            found.append([marked])
        linked = marked[0].linked
    return found


def submit(conn: Connection, city: str, requests: Iterable[TransferRequest]) -> dict[str, Answer]:
    """Hand requests to the posting writer, durable with the caller's transaction.

    Answers by key: mostly `pending`; at once `replayed` or `refused` for a key that was decided
    before, a malformed request, or another request under a key that is taken (`key-reused`). A
    chain goes in whole, or, when one of it is malformed, not at all.
    """
    given, good = sift([(request, request.fingerprint()) for request in requests])
    if not good:
        return given
    found = known_keys(conn, city, [r.key for group in good for r, _ in group])
    queued: list[list[Marked]] = []
    for group in good:
        if len(group) == 1:
            (request, mark) = group[0]
            known = found.get(request.key)
            if known is not None:
                given.setdefault(request.key, told(known, mark))
                continue
            found[request.key] = Decision(request.key, mark, None, None)
        queued.append(group)
        for request, _ in group:
            given.setdefault(request.key, Answer(request.key, "pending"))
    for part in _parts(queued):
        hand_in(conn, city, part)
    return given


def sift(marked: Iterable[Marked]) -> tuple[dict[str, Answer], list[list[Marked]]]:
    """The refusals of what is malformed, with the chain around it, and the chains and single
    requests that can be handed in. Pure."""
    refused: dict[str, Answer] = {}
    good: list[list[Marked]] = []
    for group in chains(marked):
        found = [check_form(request) for request, _ in group]
        if group[-1][0].linked:
            found[-1] = refusals.malformed("linked")
        if all(no is None for no in found):
            good.append(group)
            continue
        for (request, _), no in zip(group, found, strict=True):
            refusal = refusals.linked_failed() if no is None else no
            refused[request.key] = Answer(request.key, "refused", None, refusal)
    return refused, good


def _parts(groups: Sequence[Sequence[Marked]]) -> list[list[Marked]]:
    """Submissions of a bearable size that break no chain."""
    parts: list[list[Marked]] = []
    for group in groups:
        if not parts or len(parts[-1]) + len(group) > SUBMISSION_MAX:
            parts.append([])
        parts[-1] += group
    return parts


def hand_in(
    conn: Connection, city: str, requests: Sequence[Marked], token: UUID | None = None
) -> None:
    """Put a submission into the queue as it is and tell the writer, at the commit."""
    with cursor(conn) as run:
        run.execute(
            """WITH queued AS (
              INSERT INTO ledger_intake (city, token, size, keys, requests)
              VALUES (%(city)s, %(token)s, %(size)s, %(keys)s::text[], %(requests)s))
            SELECT pg_notify(%(channel)s, %(city)s)""",
            {
                "city": city, "token": token, "size": len(requests),
                "keys": texts([request.key for request, _ in requests]),
                "requests": wire.encode(requests).decode(), "channel": REQUESTS_CHANNEL,
            },
        )  # fmt: skip


def known_keys(conn: Connection, city: str, keys: Sequence[str]) -> dict[str, Decision]:
    """What the keys stand for: decided, or waiting in the queue or schedule (then with neither a
    transfer nor a refusal)."""
    found = load_keys(conn, city, keys)
    missing = [key for key in keys if key not in found and "\x00" not in key]
    if missing:
        with cursor(conn) as run:
            rows = run.execute(
                """(SELECT requests FROM ledger_intake
                 WHERE city = %(city)s AND id IN (
                   SELECT i.id FROM ledger_intake i, unnest(i.keys) AS waiting (key)
                   WHERE i.city = %(city)s
                     AND waiting.key IN (SELECT unnest(%(keys)s::text[])))
                 ORDER BY id)
                UNION ALL
                SELECT requests FROM ledger_scheduled
                WHERE city = %(city)s AND key = ANY(%(keys)s::text[])""",
                {"city": city, "keys": texts(missing)},
            ).fetchall()
        wanted = set(missing)
        for (text,) in rows:
            for request, mark in wire.decode(text):
                if request.key in wanted:
                    found.setdefault(request.key, Decision(request.key, mark, None, None))
    return found


def told(known: Decision, mark: bytes) -> Answer:
    """The answer to who hands in a request whose key stands for something already."""
    if known.fingerprint == mark and known.transfer_id is None and known.refusal is None:
        return Answer(known.key, "pending")
    return known.repeat(mark).answer


def answers(
    conn: Connection, city: str, wanted: Iterable[str | TransferRequest]
) -> dict[str, Answer]:
    """What became of requests, by key; keys nobody has handed in are left out.

    Asked with the request itself rather than its key, another request's decision under that key
    is told as `key-reused`.
    """
    marks = {
        (w if isinstance(w, str) else w.key): (None if isinstance(w, str) else w.fingerprint())
        for w in wanted
    }
    return answers_to(conn, city, marks)


def answers_to(conn: Connection, city: str, marks: Mapping[str, bytes | None]) -> dict[str, Answer]:
    """The same, asked with keys and, where they are known, the requests' fingerprints."""
    known = known_keys(conn, city, list(marks))
    return {key: outcome(decision, marks[key]) for key, decision in known.items()}


def outcome(decision: Decision, mark: bytes | None) -> Answer:
    """What a key stands for, told to somebody who may mean another request by it."""
    if mark is not None and mark != decision.fingerprint:
        return Answer(decision.key, "refused", None, refusals.key_reused(decision.key))
    if decision.transfer_id is None and decision.refusal is None:
        return Answer(decision.key, "pending")
    return decision.answer


def announcements(
    city: str, submissions: Sequence[tuple[UUID | None, Sequence[Decision]]]
) -> list[str]:
    """What to tell those who wait, as payloads: [city, token, answers], the answers as
    [key, fingerprint, transfer, refusal, repeated]. Answers null: too many, look for yourself."""
    payloads: list[str] = []
    if sum(len(decisions) for _, decisions in submissions) > 40 * _PAYLOADS_MAX:
        return [orjson.dumps([city, None, None]).decode()]
    for token, decisions in submissions:
        rows = [
            [d.key, d.fingerprint.hex(), d.transfer_id,
             None if d.refusal is None else [d.refusal.code, d.refusal.ko, d.refusal.en,
                                             dict(d.refusal.facts)], d.repeated]
            for d in decisions
        ]  # fmt: skip
        raw = orjson.dumps([city, token, rows])
        if len(raw) > _PAYLOAD_MAX:
            raw = orjson.dumps([city, None, None])
        payloads.append(raw.decode())
    if len(payloads) > _PAYLOADS_MAX:
        return [*payloads[:_PAYLOADS_MAX], orjson.dumps([city, None, None]).decode()]
    return payloads


def heard(payload: str) -> tuple[str, str | None, list[Decision] | None]:
    """City, token and decisions of an announcement; no decisions: look for yourself."""
    city, token, rows = orjson.loads(payload)
    if rows is None:
        return city, token, None
    return city, token, [
        Decision(
            key, bytes.fromhex(mark), None if transfer is None else UUID(transfer),
            None if refusal is None else from_row(*refusal), None, False, repeated,
        )
        for key, mark, transfer, refusal, repeated in rows
    ]  # fmt: skip


def announce(conn: Connection, payloads: Sequence[str]) -> None:
    """Tell those who wait, at the commit."""
    with cursor(conn) as run:
        run.execute(
            "SELECT pg_notify(%s, payload) FROM unnest(%s::text[]) AS payload",
            (ANSWERS_CHANNEL, texts(payloads)),
        )
