"""`onsil …`: the operator's and the auditor's commands, one module each.

Bad input gets one clear line on standard error and exit status 2; a business refusal or a failed
check its sentence and exit status 1. Results go to standard output, progress to standard error.
"""

from onsil.cli.main import main

__all__ = ["main"]
