"""Gathering cosignatures: every witness is shown the newest checkpoint, none holds up another.

A log's checkpoint is put to all witnesses at once, a thread each; what they answer is noted in the
database and, once the policy's quorum is there, the checkpoint is shown with their lines. A witness
that is slow or dead is asked again later, from where it stood. None of it is on the way of posting
or signing, but for one thing: before the first signature after a start the witnesses are compared
with, and one that has seen more than is on record stops the signing.
"""

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from onsil.core.clock import Clock
from onsil.core.database import Connection
from onsil.proof.checkpoint import Checkpoint, origin
from onsil.proof.home import WITNESSED, Place, as_home, publish, signed_log
from onsil.proof.merkle import EMPTY_ROOT
from onsil.proof.note import Signature
from onsil.proof.policy import NONE, Policy, PolicyWitness
from onsil.proof.signer import Signer
from onsil.proof.tiles import TiledLog
from onsil.proof.witness.asking import Answer, ask
from onsil.proof.witness.plan import WitnessPlan
from onsil.proof.witness_state import (
    FORKED,
    WitnessState,
    forget_others,
    note_cosigned,
    note_problem,
    witness_states,
)

ROUND_S = 10.0
"""After so long a round is given up for a newer checkpoint, whoever has not answered."""
RETRY_S = (1.0, 60.0)
"""How soon a witness that did not cosign is asked again: at first, and at most after doubling."""
START_S = 10.0
"""How long the first signature waits for witnesses where a quorum is not waited for anyway."""
_THREADS = 8

logger = logging.getLogger(__name__)


@dataclass
class _Round:
    """One checkpoint before all witnesses; `tried` says when each was asked last."""

    checkpoint: Checkpoint
    log: TiledLog
    began: datetime
    lines: dict[str, Signature] = field(default_factory=dict)
    tried: dict[str, datetime] = field(default_factory=dict)
    shown: bool = False


class WitnessRounds:
    """The witnesses of one city's logs. `tick` is called again and again by one thread.

    `asking` may be replaced by tests that need a witness to fail.
    """

    def __init__(
        self, city: str, place: Place, signer: Signer, plan: WitnessPlan, clock: Clock, *,
        asking: Callable[..., Answer] = ask, timeout_s: float = 10.0,
    ) -> None:  # fmt: skip
        self.city, self.plan = city, plan
        self._home, self._signer, self._clock = as_home(place), signer, clock
        self._ask, self._timeout_s = asking, timeout_s
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix=f"witness-{city}")
        self._flying: dict[tuple[int, str], tuple[_Round, Future[Answer]]] = {}
        self._rounds: dict[int, _Round] = {}
        self._began = clock.now()
        self._years: tuple[int, ...] = ()
        self._compared: set[tuple[int, str]] = set()
        self._failures: dict[tuple[int, str], int] = {}

    def close(self) -> None:
        """Wait for nobody any more."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    @property
    def today(self) -> date:
        return self._clock.now().date()

    def policy(self) -> Policy:
        """The policy in force now."""
        return self.plan.at(self.today)

    def may_sign(self) -> bool:
        """Whether enough witnesses have been compared with since the start.

        With a quorum to wait for, a quorum of them; else whoever answers within half a minute.
        """
        policy = self.policy()
        heard = {
            witness.name for witness in policy.witnesses
            if self._years and all((y, witness.name) in self._compared for y in self._years)
        }  # fmt: skip
        if len(heard) == len(policy.witnesses):
            return True
        if self.plan.waits(self.today):
            return policy.met_by(heard)
        return self._clock.now() - self._began >= timedelta(seconds=START_S)

    def tick(self, conn: Connection) -> None:
        """Note what was answered, show what is witnessed, ask whoever should be asked now.

        `conn` has its own transaction, committed by the caller. Raises OperationError when the log
        cannot be read.
        """
        policy = self.policy()
        forget_others(conn, self.city, [witness.key.text for witness in policy.witnesses])
        if not policy.witnesses:
            return
        self._take_answers(conn, policy)
        years = self._home.years(self.city)
        now = self._clock.now()
        states = {(s.year, s.vkey): s for s in witness_states(conn, self.city)}
        self._years = tuple(sorted({*years[-2:], max([now.year, *years[-1:]])}))
        for year in self._years:
            self._renew(year, policy, now)
            self._ask_all(year, policy, states, now)

    def _renew(self, year: int, policy: Policy, now: datetime) -> None:
        """Begin a round for a newer checkpoint when the last one is over."""
        held = self._rounds.get(year)
        over = held is None or now - held.began >= timedelta(seconds=ROUND_S)
        if held is not None and not over:
            over = (
                held.checkpoint.size == 0
                or len(held.lines) == len(policy.witnesses)
                or (held.shown and not any(key[0] == year for key in self._flying))
            )
        if not over:
            return
        found = signed_log(self._home, self.city, year, self._signer.public_key)
        newest = found.signed
        if newest is None:
            if held is None:
                empty = Checkpoint(origin(self.city, year), 0, EMPTY_ROOT)
                self._rounds[year] = _Round(
                    self._signer.sign_checkpoint(empty, now), found.log, now, shown=True
                )
            return
        if held is None or held.checkpoint.size < newest.size:
            self._rounds[year] = _Round(newest, found.log, now)

    def _ask_all(
        self, year: int, policy: Policy, states: dict[tuple[int, str], WitnessState], now: datetime
    ) -> None:
        held = self._rounds[year]
        for witness in policy.witnesses:
            key = (year, witness.name)
            tried = held.tried.get(witness.name)
            if key in self._flying or witness.name in held.lines:
                continue
            if tried is not None and now - tried < self._delay(key):
                continue
            state = states.get((year, witness.key.text))
            if held.checkpoint.size == 0 and key in self._compared:
                continue  # an empty tree is shown once, to compare
            held.tried[witness.name] = now
            self._flying[key] = (held, self._submit(witness, held, state.size if state else 0))

    def _delay(self, key: tuple[int, str]) -> timedelta:
        return timedelta(seconds=min(RETRY_S[1], RETRY_S[0] * 2 ** self._failures.get(key, 0)))

    def _submit(self, witness: PolicyWitness, held: _Round, known: int) -> "Future[Answer]":
        hashes = held.log.hashes(held.checkpoint.size)
        return self._pool.submit(
            self._ask, witness, held.checkpoint, hashes, known, timeout_s=self._timeout_s
        )

    def _take_answers(self, conn: Connection, policy: Policy) -> None:
        witnesses = {witness.name: witness for witness in policy.witnesses}
        for (year, name), (held, future) in list(self._flying.items()):
            if not future.done():
                continue
            del self._flying[year, name]
            if name in witnesses:
                self._take(conn, year, witnesses[name], held, future.result())
        for year, held in self._rounds.items():
            if not held.shown and policy.met_by(held.lines):
                self._show(year, held, policy)

    def _take(
        self, conn: Connection, year: int, witness: PolicyWitness, held: _Round, answer: Answer
    ) -> None:
        now = self._clock.now()
        ahead = None
        if answer.state == "ahead":
            found = signed_log(self._home, self.city, year, self._signer.public_key).signed
            ahead = answer.size if found is None or answer.size > found.size else None
        elif answer.state == "fork":
            ahead = FORKED
        state = WitnessState(
            year, witness.key.text, witness.name, answer.size,
            answer.cosignature.at if answer.cosignature else None, now, ahead, _words(answer),
        )  # fmt: skip
        key = (year, witness.name)
        self._failures[key] = 0 if answer.signature else self._failures.get(key, 0) + 1
        if answer.signature is not None:
            held.lines[witness.name] = answer.signature
            if held.checkpoint.size:
                note_cosigned(conn, self.city, state, witness.key.name, witness.key.id)
            if held.shown and held.checkpoint.size:
                self._show(year, held, self.policy())
        elif ahead is not None or answer.state != "ahead":
            note_problem(conn, self.city, state)
            if ahead is not None:
                logger.error("%s: the witness %s of the log of %s %s",
                             self.city, witness.name, year, state.problem)  # fmt: skip
        if answer.state != "silent":
            self._compared.add((year, witness.name))

    def _show(self, year: int, held: _Round, policy: Policy) -> None:
        """Publish the checkpoint with the lines it has."""
        witnessed = held.checkpoint.with_signatures(held.lines.values())
        public_key = self._signer.public_key
        publish(held.log, witnessed, public_key)
        if policy.quorum != NONE:
            publish(held.log, witnessed, public_key, WITNESSED)
        held.shown = True


def _words(answer: Answer) -> str:
    match answer.state:
        case "ahead":
            return f"has seen {answer.size} leaves, more than are on record here"
        case "fork":
            return answer.words
        case "silent":
            return f"does not answer: {answer.words}"
        case "cosigned":
            return ""
    return f"refuses: {answer.words}"


def show_unwitnessed(place: Place, city: str, signer: Signer) -> None:
    """Publish what is signed as it is: for a log whose policy asks for nobody (any more)."""
    for year in as_home(place).years(city):
        found = signed_log(place, city, year, signer.public_key)
        if found.signed and (found.published is None or found.published.size < found.signed.size):
            publish(found.log, found.signed, signer.public_key)
