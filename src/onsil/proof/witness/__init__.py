"""A witness of transparency logs (c2sp.org/tlog-witness), and asking one.

A witness keeps the largest tree of each log that it was shown, cosigns only what extends it, and so
notices when two histories are told. It needs no database but a file, and nothing of an
installation.
"""

from onsil.proof.witness.asking import Answer, ask
from onsil.proof.witness.memory import WitnessMemory
from onsil.proof.witness.protocol import Request, format_request, parse_request
from onsil.proof.witness.service import witness_app

__all__ = [
    "Answer", "Request", "WitnessMemory", "ask", "format_request", "parse_request", "witness_app",
]  # fmt: skip
