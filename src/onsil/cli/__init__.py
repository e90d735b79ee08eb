"""`onsil …`: the operator's and the auditor's commands, one module each.

Bad input gets one clear line on standard error and exit status 2; a business refusal or a failed
check its sentence and exit status 1. Results go to standard output, progress to standard error.
"""

import sys


def main(arguments: list[str] | None = None) -> None:
    """Run one command; the process ends with its status."""
    given = sys.argv[1:] if arguments is None else arguments
    if given[:1] == ["hub"]:  # the broker alone starts in a second: without the other commands
        from onsil.cli.hub import run
    else:
        from onsil.cli.main import run
    sys.exit(run(given))
