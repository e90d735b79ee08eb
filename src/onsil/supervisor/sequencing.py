"""The proof role: every second, new leaves of every city go into its log, which is signed."""

import logging
import threading

from onsil import proof
from onsil.configuration import Configuration
from onsil.core.clock import Clock
from onsil.core.database import Connection, connect, scope
from onsil.tenancy.cities import all_cities

PERIOD_S = 1.0

logger = logging.getLogger(__name__)


def sequence_once(conn: Connection, conf: Configuration, city: str, clock: Clock) -> bool:
    """Sequence and sign what one city has waiting, and commit; whether there was anything."""
    signer = proof.load_or_create_signer(conf.key_folder, city)
    with conn.transaction():
        scope(conn, city)
        return proof.sequence(conn, city, conf.log_folder, signer, clock) is not None


def run_sequencing(conf: Configuration, clock: Clock, stop: threading.Event) -> None:
    """Sequence every city's log until `stop` is set.

    A city whose log refuses (a restored backup behind its own checkpoint) is named in the log and
    left alone; the others go on. Database errors end the role.
    """
    from onsil.core.refusal import OperationError

    refused: dict[str, str] = {}
    with connect(conf.dsn, "", autocommit=True) as conn:
        while not stop.is_set():
            for city in all_cities():
                try:
                    sequence_once(conn, conf, city, clock)
                    refused.pop(city, None)
                except OperationError as error:
                    if refused.get(city) != str(error):
                        logger.error("%s: %s", city, error)
                    refused[city] = str(error)
            stop.wait(PERIOD_S)
