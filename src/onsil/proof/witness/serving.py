"""A witness as a process: its folder holds name, keys and memory, and nothing else is needed."""

import os
from pathlib import Path

from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels
from starlette.applications import Starlette

from onsil.core.clock import SystemClock
from onsil.core.refusal import OperationError
from onsil.proof.keys import NoteError, check_name
from onsil.proof.signer import Cosigner, load_or_create_cosigner
from onsil.proof.witness.memory import WitnessMemory
from onsil.proof.witness.service import witness_app

_FOLDER = "ONSIL_WITNESS_FOLDER"


def open_witness(folder: Path, name: str = "") -> tuple[Cosigner, WitnessMemory]:
    """The keys and the memory of the witness in `folder`, made at the first call with a name.

    Raises OperationError when there is none and no name is given, or when it has another name.
    """
    file = folder / "name"
    held = file.read_text("utf-8").strip() if file.exists() else ""
    if not (held or name):
        raise OperationError(f"{folder}: no witness here yet; give it a name", retry=False)
    if held and name and held != name:
        raise OperationError(f"{folder}: the witness here is {held}", retry=False)
    try:
        check_name(held or name)
    except NoteError as error:
        raise OperationError(str(error), retry=False) from error
    cosigner = load_or_create_cosigner(folder, held or name)
    if not held:
        file.write_text(f"{name}\n", "utf-8")
    keys = folder / "verifier-keys"
    if not keys.exists():
        keys.write_text("".join(f"{key.text}\n" for key in cosigner.keys), "utf-8")
    return cosigner, WitnessMemory(folder / "memory.sqlite")


def application() -> Starlette:
    """The ASGI application of the witness whose folder the environment names."""
    folder = Path(os.environ[_FOLDER])
    words = folder / "about.txt"
    cosigner, memory = open_witness(folder)
    return witness_app(
        cosigner, memory, SystemClock(),
        words=words.read_text("utf-8").strip() if words.exists() else "",
    )  # fmt: skip


def serve(folder: Path, host: str, port: int) -> None:
    """Serve the witness in `folder` until SIGTERM."""
    open_witness(folder)
    os.environ[_FOLDER] = str(folder)
    Granian(
        "onsil.proof.witness.serving:application",
        address=host,
        port=port,
        interface=Interfaces.ASGI,
        factory=True,
        log_level=LogLevels.error,
        websockets=False,
        workers_kill_timeout=2,
    ).serve()
