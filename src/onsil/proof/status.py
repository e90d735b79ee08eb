"""How far a city's log is and who has witnessed it, for screens and monitors."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from onsil.core.clock import Clock, SystemClock
from onsil.core.database import Connection, cursor
from onsil.core.refusal import OperationError
from onsil.proof.batches import placed_total
from onsil.proof.checkpoint import Checkpoint
from onsil.proof.home import (
    WITNESSED,
    Place,
    SignedLog,
    as_home,
    published_key,
    read_checkpoint,
    signed_log,
)
from onsil.proof.keys import NoteError
from onsil.proof.policy import NONE, Policy, check_policy
from onsil.proof.sequencer import log_years
from onsil.proof.witness.plan import Operator, WitnessPlan
from onsil.proof.witness_state import FORKED, WitnessState, witness_states


@dataclass(frozen=True)
class WitnessStatus:
    """How far one witness has cosigned the newest log; `own`: run by the installation itself.

    `behind` counts the leaves signed since; `lag` is the time since its last cosignature while
    anything newer is signed (zero when it has seen everything).
    """

    name: str
    vkey: str
    url: str
    operator_ko: str
    operator_en: str
    own: bool
    size: int
    cosigned_at: datetime | None
    behind: int
    lag: timedelta | None
    problem: str


@dataclass(frozen=True)
class LogStatus:
    """The state of a city's log: newest checkpoint shown (None before the first), what is waiting.

    `signed` may be ahead of `checkpoint` while a quorum is waited for; `witnessed` is the newest
    that has it. `quorum_met` is about `checkpoint`, and None where the policy asks for nobody.
    `problem` says what is wrong; `refusal` why nothing is signed.
    """

    city: str
    checkpoint: Checkpoint | None
    signed_at: datetime | None
    entries: int
    pending: int
    problem: str = ""
    signed: Checkpoint | None = None
    witnessed: Checkpoint | None = None
    witnesses: tuple[WitnessStatus, ...] = ()
    quorum: str = NONE
    quorum_met: bool | None = None
    policy: str = ""
    refusal: str = ""


@dataclass(frozen=True)
class GrowthPoint:
    """A checkpoint of the past, and the names of the witness keys that have cosigned it."""

    year: int
    size: int
    root: bytes
    signed_at: datetime
    cosigned_by: tuple[str, ...]


def status(
    conn: Connection, city: str, place: Place, plan: WitnessPlan | None = None,
    clock: Clock | None = None,
) -> LogStatus:  # fmt: skip
    """How far the log is; witnesses are those of `plan` today (none without it)."""
    with cursor(conn) as run:
        (pending,) = next(
            run.execute(
                "SELECT coalesce(sum(size), 0)::bigint FROM proof_pending WHERE city = %s", (city,)
            )
        )
        last = run.execute(
            """SELECT signed_at FROM proof_checkpoint WHERE city = %s
            ORDER BY year DESC, size DESC LIMIT 1""",
            (city,),
        ).fetchone()
        row = run.execute("SELECT words FROM proof_refusal WHERE city = %s", (city,)).fetchone()
    now = (clock or SystemClock()).now()
    policy = plan.at(now.date()) if plan else Policy()
    found, witnessed, met, problem = None, None, None, ""
    years = log_years(place, city)
    try:
        if years:
            key = published_key(place, city, years[-1])
            found = signed_log(place, city, years[-1], key)
            witnessed = read_checkpoint(as_home(place).log(city, years[-1]), key, WITNESSED)
            met = _met(policy, found.published)
    except OperationError as error:
        problem = str(error)
    unsigned = "" if row is None else row[0]
    states = [s for s in witness_states(conn, city) if years and s.year == years[-1]]
    return LogStatus(
        city, found.published if found else None, last[0] if last else None,
        placed_total(conn, city) + pending, pending, problem or unsigned,
        found.signed if found else None, witnessed,
        _witnesses(plan, policy, states, found, now), policy.quorum, met, policy.text, unsigned,
    )  # fmt: skip


def _met(policy: Policy, shown: Checkpoint | None) -> bool | None:
    if policy.quorum == NONE:
        return None
    try:
        return shown is not None and check_policy(policy, shown).met
    except NoteError:
        return False


def _witnesses(
    plan: WitnessPlan | None, policy: Policy, states: list[WitnessState],
    found: SignedLog | None, now: datetime,
) -> tuple[WitnessStatus, ...]:  # fmt: skip
    by_key = {state.vkey: state for state in states}
    signed = found.signed.size if found and found.signed else 0
    listed = []
    for witness in policy.witnesses:
        operator = plan.operators.get(witness.name, Operator()) if plan else Operator()
        state = by_key.get(witness.key.text)
        size = state.size if state else 0
        at = state.cosigned_at if state else None
        behind = max(0, signed - size)
        problem = state.problem if state else ""
        if state and state.ahead and not problem:
            problem = "another history" if state.ahead >= FORKED else f"{state.ahead} leaves seen"
        lag = timedelta() if not behind else (now - at if at else None)
        listed.append(
            WitnessStatus(
                witness.name, witness.key.text, witness.url, operator.ko, operator.en,
                operator.own, size, at, behind, lag, problem,
            )
        )  # fmt: skip
    return tuple(listed)


def note_refusal(conn: Connection, city: str, words: str, clock: Clock) -> None:
    """Keep why a city's log is not signed on; empty words: it is again."""
    with cursor(conn) as run:
        if words:
            run.execute(
                """INSERT INTO proof_refusal (city, since, words) VALUES (%s, %s, %s)
                ON CONFLICT (city) DO UPDATE SET words = excluded.words""",
                (city, clock.now(), words),
            )
        else:
            run.execute("DELETE FROM proof_refusal WHERE city = %s", (city,))


def checkpoint_history(
    conn: Connection, city: str, limit: int = 200, since: date | None = None
) -> list[GrowthPoint]:
    """At most `limit` checkpoints of the past, evenly chosen, the newest among them; oldest first.

    `since` leaves out what was signed before that day (UTC).
    """
    with cursor(conn) as run:
        rows = run.execute(
            """WITH numbered AS (
              SELECT year, size, root, signed_at,
                row_number() OVER (ORDER BY year DESC, size DESC) - 1 AS n,
                count(*) OVER () AS total
              FROM proof_checkpoint
              WHERE city = %(city)s AND (%(since)s::date IS NULL OR signed_at >= %(since)s::date))
            SELECT n.year, n.size, n.root, n.signed_at,
              array(SELECT DISTINCT c.name FROM proof_cosignature c
                    WHERE (c.city, c.year, c.size) = (%(city)s, n.year, n.size) ORDER BY 1)
            FROM numbered n WHERE n.n %% ((n.total - 1) / %(limit)s + 1) = 0
            ORDER BY n.year, n.size""",
            {"city": city, "since": since, "limit": limit},
        ).fetchall()
    return [GrowthPoint(r[0], r[1], bytes(r[2]), r[3], tuple(r[4])) for r in rows]
