"""What witnesses have said about a city's logs, as the database keeps it."""

from dataclasses import dataclass
from datetime import datetime

from onsil.core.database import Connection, cursor


@dataclass(frozen=True)
class WitnessState:
    """A witness's last word on one log: the size it cosigned, and what is wrong, if anything.

    `ahead` is a size that it has seen and that is not on record here.
    """

    year: int
    vkey: str
    name: str
    size: int
    cosigned_at: datetime | None
    asked_at: datetime
    ahead: int | None
    problem: str


@dataclass(frozen=True)
class AheadWitness:
    """A witness that knows more of a log than its operator does."""

    name: str
    size: int


def witness_states(conn: Connection, city: str) -> list[WitnessState]:
    """All that witnesses have said of a city's logs, by year and name."""
    with cursor(conn) as run:
        rows = run.execute(
            """SELECT year, vkey, name, size, cosigned_at, asked_at, ahead, problem
            FROM proof_witness WHERE city = %s ORDER BY year, name""",
            (city,),
        ).fetchall()
    return [WitnessState(*row) for row in rows]


def furthest_witness(conn: Connection, city: str, year: int) -> AheadWitness | None:
    """The witness that has seen most of what is not on record here."""
    with cursor(conn) as run:
        row = run.execute(
            """SELECT name, ahead FROM proof_witness WHERE city = %s AND year = %s
              AND ahead IS NOT NULL ORDER BY ahead DESC LIMIT 1""",
            (city, year),
        ).fetchone()
    return AheadWitness(*row) if row else None


def note_cosigned(
    conn: Connection, city: str, state: WitnessState, key_name: str, key_id: bytes
) -> None:
    """A witness has cosigned `state.size` at `state.cosigned_at`: keep both word and history."""
    with cursor(conn) as run:
        run.execute(
            """INSERT INTO proof_witness (city, year, vkey, name, size, cosigned_at, asked_at)
            VALUES (%s, %s, %s, %s, %s, %s, %s)
            ON CONFLICT (city, year, vkey) DO UPDATE SET name = excluded.name,
              size = greatest(proof_witness.size, excluded.size),
              cosigned_at = greatest(proof_witness.cosigned_at, excluded.cosigned_at),
              asked_at = excluded.asked_at, ahead = NULL, problem = ''""",
            (
                city, state.year, state.vkey, state.name, state.size, state.cosigned_at,
                state.asked_at,
            ),
        )  # fmt: skip
        run.execute(
            """INSERT INTO proof_cosignature (city, year, size, name, key_id, cosigned_at)
            VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING""",
            (city, state.year, state.size, key_name, key_id, state.cosigned_at),
        )


def note_problem(conn: Connection, city: str, state: WitnessState) -> None:
    """A witness did not cosign: keep why, and what it has seen beyond us."""
    with cursor(conn) as run:
        run.execute(
            """INSERT INTO proof_witness (city, year, vkey, name, asked_at, ahead, problem)
            VALUES (%s, %s, %s, %s, %s, %s, %s)
            ON CONFLICT (city, year, vkey) DO UPDATE SET name = excluded.name,
              asked_at = excluded.asked_at, problem = excluded.problem,
              ahead = excluded.ahead""",
            (city, state.year, state.vkey, state.name, state.asked_at, state.ahead, state.problem),
        )
