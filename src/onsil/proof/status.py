"""How far a city's log is, for screens and monitors."""

from dataclasses import dataclass
from datetime import datetime

from onsil.core.database import Connection, cursor
from onsil.core.refusal import OperationError
from onsil.proof.batches import placed_total
from onsil.proof.checkpoint import Checkpoint
from onsil.proof.home import Place, published_key, read_checkpoint
from onsil.proof.sequencer import log_folder, log_years


@dataclass(frozen=True)
class LogStatus:
    """The state of a city's log: newest checkpoint (None before the first) and what is waiting."""

    city: str
    checkpoint: Checkpoint | None
    signed_at: datetime | None
    entries: int
    pending: int
    problem: str = ""


def status(conn: Connection, city: str, folder: Place) -> LogStatus:
    """How far the log is; `problem` says what is wrong with the folder, if anything is."""
    with cursor(conn) as run:
        (pending,) = next(
            run.execute(
                "SELECT coalesce(sum(size), 0)::bigint FROM proof_pending WHERE city = %s", (city,)
            )
        )
        signed = run.execute(
            """SELECT signed_at FROM proof_checkpoint WHERE city = %s
            ORDER BY year DESC, size DESC LIMIT 1""",
            (city,),
        ).fetchone()
    entries = placed_total(conn, city)
    held, problem = None, ""
    years = log_years(folder, city)
    try:
        if years:
            key = published_key(folder, city, years[-1])
            held = read_checkpoint(log_folder(folder, city, years[-1]), key)
    except OperationError as error:
        problem = str(error)
    return LogStatus(city, held, signed[0] if signed else None, entries + pending, pending, problem)
