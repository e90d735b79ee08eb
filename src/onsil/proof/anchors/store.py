"""The journal of anchoring (`proof_anchor`): a row a change of state, the newest counts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from onsil.core.database import Connection, cursor
from onsil.core.refusal import Refusal
from onsil.proof.anchors.terms import AnchorProof, AnchorRecord, Receipt, State

_LOCK = "SELECT {}(hashtextextended('onsil.proof.anchors', 0))"


@dataclass(frozen=True)
class Course:
    """One checkpoint's way to a place: its newest record, and what was handed over, oldest first.

    What was handed over before a failure is left out: it is done with.
    """

    record: AnchorRecord
    receipts: tuple[Receipt, ...] = field(default=())


def try_lock(conn: Connection) -> bool:
    """Become the one who anchors, for as long as the session lasts or until `unlock`."""
    with cursor(conn) as run:
        row = run.execute(_LOCK.format("pg_try_advisory_lock")).fetchone()
    return bool(row and row[0])


def unlock(conn: Connection) -> None:
    with cursor(conn) as run:
        run.execute(_LOCK.format("pg_advisory_unlock"))


def record(
    conn: Connection, city: str, place: str, development: bool, year: int, size: int, root: bytes,
    state: State, at: datetime, receipt: Receipt | None = None,
    proof: AnchorProof | None = None, problem: Refusal | None = None,
) -> None:  # fmt: skip
    """Write down a change of state. On an autocommit connection it is durable on return."""
    with cursor(conn) as run:
        run.execute(
            """INSERT INTO proof_anchor
            (city, place, development, year, size, root, state, at, receipt, proof, problem)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)""",
            (
                city, place, development, year, size, root, state, at, Jsonb(dict(receipt or {})),
                None if proof is None else Jsonb(_packed(proof)),
                None if problem is None else Jsonb({"ko": problem.ko, "en": problem.en}),
            ),
        )  # fmt: skip


def courses(
    conn: Connection, city: str, *, place: str | None = None, states: tuple[State, ...] = (),
    limit: int = 1000,
) -> list[Course]:  # fmt: skip
    """Each checkpoint's way to each place, the newest begun first; only those now in `states`."""
    with cursor(conn, named=True) as run:
        rows = run.execute(
            """WITH newest AS (
              SELECT DISTINCT ON (place, year, size) place, year, size, state
              FROM proof_anchor
              WHERE city = %(city)s AND (%(place)s::text IS NULL OR place = %(place)s)
              ORDER BY place, year, size, number DESC),
            chosen AS (
              SELECT place, year, size FROM newest
              WHERE %(states)s::text[] = '{}' OR state = ANY(%(states)s)
              ORDER BY year DESC, size DESC LIMIT %(limit)s)
            SELECT a.* FROM proof_anchor a JOIN chosen USING (place, year, size)
            WHERE a.city = %(city)s ORDER BY a.year DESC, a.size DESC, a.place, a.number""",
            {"city": city, "place": place, "states": list(states), "limit": limit},
        ).fetchall()
    grouped: dict[tuple[str, int, int], list[dict[str, Any]]] = {}
    for row in rows:
        grouped.setdefault((row["place"], row["year"], row["size"]), []).append(row)
    return [_course(steps) for steps in grouped.values()]


def recent(conn: Connection, city: str, limit: int = 50) -> list[AnchorRecord]:
    """The city's anchored checkpoints, the newest log and largest size first."""
    return [course.record for course in courses(conn, city, limit=limit)]


def latest_confirmed(conn: Connection, city: str) -> AnchorRecord | None:
    """The largest confirmed checkpoint of the newest log; None before the first."""
    found = courses(conn, city, states=("confirmed",), limit=1)
    return found[0].record if found else None


def covering(conn: Connection, city: str, year: int, index: int, size: int) -> AnchorRecord | None:
    """The smallest confirmed checkpoint of a year's log with leaf `index`, of `size` at most.

    Of several places that hold it, one that proves something to outsiders comes first.
    """
    found = [
        course.record
        for course in courses(conn, city, states=("confirmed",))
        if course.record.year == year and index < course.record.size <= size
    ]
    return min(found, key=lambda r: (r.development, r.size), default=None)


def _course(steps: list[dict[str, Any]]) -> Course:
    last, sent, receipts = steps[-1], {}, []
    for step in steps:
        if step["state"] == "failed":
            receipts.clear()
        elif step["state"] == "sending":
            sent = step["receipt"]
            receipts.append(sent)
    problem: Mapping[str, str] = last["problem"] or {}
    return Course(
        AnchorRecord(
            city=last["city"], place=last["place"], development=last["development"],
            year=last["year"], size=last["size"], root=bytes(last["root"]), state=last["state"],
            at=last["at"], first_at=steps[0]["at"], receipt=sent,
            proof=_unpacked(last["proof"]) if last["proof"] else None,
            problem_ko=problem.get("ko", ""), problem_en=problem.get("en", ""),
        ),
        tuple(receipts),
    )  # fmt: skip


def _packed(proof: AnchorProof) -> dict[str, Any]:
    return {
        "size": proof.size, "root": proof.root.hex(), "block_number": proof.block_number,
        "block_hash": proof.block_hash, "transaction": proof.transaction, "depth": proof.depth,
        "block_time": proof.block_time.isoformat() if proof.block_time else None,
    }  # fmt: skip


def _unpacked(table: Mapping[str, Any]) -> AnchorProof:
    at = table["block_time"]
    return AnchorProof(
        table["size"], bytes.fromhex(table["root"]), table["block_number"], table["block_hash"],
        datetime.fromisoformat(at) if at else None, table["transaction"], table["depth"],
    )  # fmt: skip
