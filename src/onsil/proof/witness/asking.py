"""Asking a witness for its cosignature, as a log does (c2sp.org/tlog-witness)."""

import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http.client import HTTPException
from typing import Literal

from onsil.core.refusal import OperationError
from onsil.proof.checkpoint import Checkpoint
from onsil.proof.cosignature import Cosignature, check_cosignature
from onsil.proof.keys import NoteError
from onsil.proof.merkle import Hashes, consistency_proof
from onsil.proof.note import Signature, parse_lines
from onsil.proof.policy import PolicyWitness
from onsil.proof.witness.protocol import SIZE_TYPE, format_request

_ANSWER_BYTES_MAX = 256 * 1024
Post = Callable[[str, bytes, float], tuple[int, str, bytes]]


@dataclass(frozen=True)
class Answer:
    """What a witness made of a checkpoint.

    `cosigned`: `signature` is its line. `ahead`: it has seen `size` leaves, more than the
    checkpoint. `fork`: it has seen another tree of this size. `silent`: nobody answered.
    `refused`: it answered anything else; `words` say what.
    """

    state: Literal["cosigned", "ahead", "fork", "refused", "silent"]
    size: int = 0
    signature: Signature | None = None
    cosignature: Cosignature | None = None
    words: str = ""


def ask(
    witness: PolicyWitness, checkpoint: Checkpoint, hashes: Hashes, known_size: int, *,
    timeout_s: float = 10.0, post: Post | None = None,
) -> Answer:  # fmt: skip
    """Ask a witness that had cosigned `known_size` leaves, as far as is known here.

    When it is at another size than that, it is asked once more from there.
    """
    url = witness.url.rstrip("/") + "/add-checkpoint"
    known = min(known_size, checkpoint.size)
    for _ in range(2):
        try:
            proof = consistency_proof(hashes, known, checkpoint.size)
            body = format_request(known, proof, checkpoint)
            status, kind, answer = (post or _post)(url, body, timeout_s)
        except OSError as error:
            return Answer("silent", words=str(error) or type(error).__name__)
        except OperationError as error:
            return Answer("refused", words=str(error))
        if status == 200:
            return _cosigned(witness, checkpoint, answer)
        if status == 422:
            return Answer(
                "fork", known, words=f"the tree of {known} leaves it has cosigned differs"
            )
        if status != 409:
            words = answer[:200].decode("utf-8", "replace").strip()
            return Answer("refused", words=f"{status} {words}".strip())
        size = _size(kind, answer)
        if size is None:
            return Answer("refused", words="409 without a size")
        if size > checkpoint.size:
            return Answer("ahead", size)
        if size == known:
            return Answer("fork", size, words=f"another tree of {size} leaves has been cosigned")
        known = size
    return Answer("refused", words="its size changes between two requests")


def _size(kind: str, body: bytes) -> int | None:
    text = body.decode("ascii", "replace")
    if kind.partition(";")[0].strip() != SIZE_TYPE or not text.endswith("\n"):
        return None
    return int(text) if text[:-1].isdigit() and len(text) < 21 else None


def _cosigned(witness: PolicyWitness, checkpoint: Checkpoint, body: bytes) -> Answer:
    try:
        lines: Sequence[Signature] = parse_lines(body.decode())
        for line in lines:
            if (line.name, line.id) == (witness.key.name, witness.key.id):
                found = check_cosignature(checkpoint, line, witness.key)
                return Answer("cosigned", checkpoint.size, line, found)
    except (NoteError, UnicodeDecodeError) as error:
        return Answer("refused", words=str(error))
    return Answer("refused", words="it has cosigned with another key than the policy names")


def _post(url: str, body: bytes, timeout_s: float) -> tuple[int, str, bytes]:
    """(status, content type, body) of a POST. Raises OSError when there is no answer."""
    if not url.startswith(("http://", "https://")):
        raise ConnectionError(f"{url} is not an http or https address")
    request = urllib.request.Request(  # noqa: S310 - the scheme was checked
        url, data=body, headers={"Content-Type": "text/plain", "User-Agent": "onsil-log"}
    )
    try:
        with urllib.request.urlopen(request, timeout=timeout_s) as answer:  # noqa: S310
            return (
                answer.status,
                answer.headers.get("Content-Type", ""),
                answer.read(_ANSWER_BYTES_MAX),
            )
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers.get("Content-Type", ""), error.read(_ANSWER_BYTES_MAX)
    except HTTPException as error:
        raise ConnectionError(str(error) or type(error).__name__) from error
