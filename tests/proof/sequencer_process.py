"""A sequencer as a process for tests that kill it: `python sequencer_process.py DSN FOLDER`."""

import sys
import time
from pathlib import Path

from onsil import proof
from onsil.core.clock import SystemClock
from onsil.core.database import connect
from onsil.core.refusal import OperationError
from onsil.proof import LogHome

CITY = "pyeongtaek"


def main(dsn: str, folder: Path) -> None:
    home = LogHome(folder / "log", folder / "signed")
    signer = proof.load_or_create_signer(folder / "keys", CITY)
    with connect(dsn, CITY) as conn:
        while True:
            try:
                proof.sequence(conn, CITY, home, signer, SystemClock())
                conn.commit()
            except OperationError as error:
                print(error, flush=True)
                raise SystemExit(3) from None
            time.sleep(0.001)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
