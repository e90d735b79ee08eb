"""What lies inside what: a lamp group inside a building's meter, a building on a campus meter."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import psycopg

from onsil import proof
from onsil.core.clock import Clock
from onsil.core.database import Connection
from onsil.core.refusal import Refusal
from onsil.footprint.store import execute, savepoint
from onsil.footprint.store import rows as select


@dataclass(frozen=True)
class Inside:
    """A part within a whole. What is claimed of either stands in the way of the other."""

    part: str
    whole: str
    direct: bool
    actor: str
    created_at: datetime


def put_inside(
    conn: Connection, city: str, part: str, whole: str, actor: str, clock: Clock
) -> Inside | Refusal:
    """State that what is measured at `part` is also measured at `whole`.

    From then on savings at the part and savings of the whole in the same time, share and kind of
    quantity exclude each other, while parts beside each other do not. Stating it again gives what
    is there. It cannot be taken back: claims rest on it.

    Refused: `boundary-cycle`, and `boundary-conflict` when both sides are claimed already.
    """
    known = [one for one in insides(conn, city, part) if (one.part, one.whole) == (part, whole)]
    if known:
        return known[0]
    try:
        with savepoint(conn):
            execute(
                conn,
                "SELECT footprint_put_inside(%s, %s, %s, %s, %s)",
                (city, part, whole, actor, clock.now()),
            )
    except psycopg.errors.CheckViolation:
        return Refusal(
            "boundary-cycle",
            f"{part}은(는) {whole}의 안에 둘 수 없습니다. 자기 자신이거나 이미 그것을 포함합니다.",
            f"{part} cannot lie inside {whole}: it is the same, or contains it already.",
            {"part": part, "whole": whole},
        )
    except psycopg.errors.ExclusionViolation:
        return Refusal(
            "boundary-conflict",
            f"{part}와(과) {whole}이(가) 같은 기간에 이미 각각 청구되어 있습니다. "
            "한쪽의 청구를 먼저 해제해야 합니다.",
            f"{part} and {whole} are both claimed for the same time already: release one first.",
            {"part": part, "whole": whole},
        )
    proof.audit(
        conn, city, actor, "boundary.stated", "meter", part, None, {"inside": whole}
    )  # fmt: skip
    return next(one for one in insides(conn, city, part) if (one.part, one.whole) == (part, whole))


def insides(conn: Connection, city: str, meter: str = "") -> list[Inside]:
    """What is stated of a meter, as part and as whole; of all meters without one."""
    found = select(
        conn,
        """SELECT part, whole, direct, actor, created_at FROM footprint_boundary
        WHERE city = %(city)s
          AND (%(meter)s = '' OR part = %(meter)s OR whole = %(meter)s)
        ORDER BY whole, slot""",
        {"city": city, "meter": meter},
    )
    return [Inside(**row) for row in found]


def wholes(conn: Connection, city: str, meters: Sequence[str]) -> list[str]:
    """These meters and all that contain them, each once."""
    found = select(
        conn,
        "SELECT DISTINCT whole FROM footprint_boundary WHERE city = %s AND part = ANY(%s)",
        (city, list(meters)),
    )
    return sorted({*meters, *(row["whole"] for row in found)})
