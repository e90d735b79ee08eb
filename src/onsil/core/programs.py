"""Running other programs so that their own words are in the error when they fail."""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from onsil.core.refusal import OperationError

_WORDS_MAX = 4_000  # characters; the end of what was said is what tells


def run_program(
    command: Sequence[str | Path],
    *,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    given: str | None = None,
    user: str | None = None,
    wait_s: float | None = None,
) -> str:
    """Run a program to its end; what it wrote to its standard output.

    `given` is what it reads, nothing unless told. Raises OperationError with what it said when it
    cannot be started, fails, or takes longer than `wait_s` seconds.
    """
    words = [str(word) for word in command]
    name = Path(words[0]).name
    try:
        done = subprocess.run(
            words, env=environment, cwd=folder, user=user, timeout=wait_s,
            input=given, stdin=subprocess.DEVNULL if given is None else None,
            capture_output=True, encoding="utf-8", errors="replace", check=False,
        )  # fmt: skip
    except OSError as error:
        raise OperationError(f"{name} cannot be started: {error}", retry=False) from None
    except subprocess.TimeoutExpired as error:
        said = b"".join((error.stdout or b"", error.stderr or b"")).decode("utf-8", "replace")
        told = said.strip()[-_WORDS_MAX:]
        raise OperationError(f"{name} took longer than {wait_s:g} s: {told}", retry=True) from None
    if done.returncode:
        told = f"{done.stdout}{done.stderr}".strip()[-_WORDS_MAX:] or "it said nothing"
        raise OperationError(f"{name} failed ({done.returncode}): {told}", retry=False)
    return done.stdout
