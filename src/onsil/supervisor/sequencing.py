"""The proof role: every second, new leaves of every city go into its log, which is signed and shown
to its witnesses."""

import logging
import threading

from onsil import proof
from onsil.configuration import Configuration
from onsil.core.clock import Clock
from onsil.core.database import Connection, connect, scope
from onsil.core.refusal import OperationError
from onsil.proof.checkpoint import origin
from onsil.proof.witness.rounds import WitnessRounds
from onsil.proof.witness.serving import open_witness
from onsil.tenancy.cities import all_cities
from onsil.tenancy.witnesses import LOCAL_NAME, local_witness_folder, witness_plan

PERIOD_S = 1.0
_PLAN_PERIOD = 30

logger = logging.getLogger(__name__)


class CityLog:
    """One city's log at work: signing, and asking its witnesses."""

    def __init__(self, conf: Configuration, city: str, clock: Clock) -> None:
        self.city = city
        self._conf, self._clock = conf, clock
        self._signer: proof.Signer | None = None
        self._rounds: WitnessRounds | None = None
        self._steps = 0
        self._told = ""

    def step(self, conn: Connection) -> bool:
        """Take answers of witnesses, sign what is waiting, commit; whether anything was signed.

        A log that refuses is named in the database and once in the journal, and left alone.
        """
        try:
            signer = self._signer or proof.load_or_create_signer(self._conf.key_folder, self.city)
            self._signer = signer
            rounds = self._witnesses(signer)
            with conn.transaction():
                scope(conn, self.city)
                rounds.tick(conn)
            if not rounds.may_sign():
                return False
            at_once = not rounds.plan.waits(rounds.today)
            with conn.transaction():
                scope(conn, self.city)
                signed = proof.sequence(
                    conn, self.city, self._conf.log_home, signer, self._clock,
                    publish_at_once=at_once,
                )  # fmt: skip
        except OperationError as error:
            self._refuse(conn, str(error))
            return False
        self._refuse(conn, "")
        return signed is not None

    def close(self) -> None:
        if self._rounds:
            self._rounds.close()

    def _witnesses(self, signer: proof.Signer) -> WitnessRounds:
        """The rounds of the plan in force; the plan's file is read again now and then."""
        self._steps += 1
        if self._rounds is None:
            plan = witness_plan(self._conf, self.city)
            self._rounds = WitnessRounds(self.city, self._conf.log_home, signer, plan, self._clock)
        elif self._steps % _PLAN_PERIOD == 0:
            self._rounds.plan = witness_plan(self._conf, self.city)
        return self._rounds

    def _refuse(self, conn: Connection, words: str) -> None:
        if words == self._told and self._steps > 1:
            return
        if words:
            logger.error("%s: %s", self.city, words)
        with conn.transaction():
            scope(conn, self.city)
            proof.note_refusal(conn, self.city, words, self._clock)
        self._told = words


def prepare_local_witness(conf: Configuration, clock: Clock) -> None:
    """Make the installation's own witness, and have it know the installation's logs."""
    if not conf.local_witness:
        return
    folder = local_witness_folder(conf)
    _, memory = open_witness(folder, LOCAL_NAME)
    about = folder / "about.txt"
    if not about.exists():
        about.write_text(
            "Witness run by the same installation as the logs it cosigns: not independent.\n",
            "utf-8",
        )
    for city in all_cities():
        try:
            signer = proof.load_or_create_signer(conf.key_folder, city)
        except OperationError:
            continue  # told when the city's turn to be signed comes
        key = proof.VerifierKey(origin(city, clock.now().year), signer.public_key)
        memory.add_log(key, every_year=True)


def sequence_once(conn: Connection, conf: Configuration, city: str, clock: Clock) -> bool:
    """Sequence and sign what one city has waiting, and commit; whether there was anything."""
    signer = proof.load_or_create_signer(conf.key_folder, city)
    with conn.transaction():
        scope(conn, city)
        return proof.sequence(conn, city, conf.log_home, signer, clock) is not None


def run_sequencing(conf: Configuration, clock: Clock, stop: threading.Event) -> None:
    """Sequence every city's log until `stop` is set. Database errors end the role."""
    prepare_local_witness(conf, clock)
    logs: dict[str, CityLog] = {}
    try:
        with connect(conf.dsn, "", autocommit=True) as conn:
            while not stop.is_set():
                for city in all_cities():
                    if city not in logs:
                        logs[city] = CityLog(conf, city, clock)
                    logs[city].step(conn)
                stop.wait(PERIOD_S)
    finally:
        for log in logs.values():
            log.close()
