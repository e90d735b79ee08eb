"""Verifying a log as the public sees it: from its static files alone, in a folder or at a URL.

Needs no database and nothing of the operator but the public key. What the leaves stand for is not
shown by it: they are commitments.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from onsil.core.refusal import OperationError
from onsil.proof.checkpoint import Checkpoint, open_checkpoint
from onsil.proof.cosignature import Cosignature, check_cosignature
from onsil.proof.home import PUBLISHED
from onsil.proof.keys import ED25519, NoteError, VerifierKey
from onsil.proof.merkle import Frontier, consistency_proof, fold, leaf_hash, verify_consistency
from onsil.proof.policy import Policy, check_policy
from onsil.proof.store import HttpStore, LogStore
from onsil.proof.tiles import WIDTH, TiledLog

Progress = Callable[[int, int], None]


@dataclass
class PublishedCheck:
    """What a look at a published log has shown; `findings` are (Korean, English)."""

    checkpoint: Checkpoint | None = None
    leaves: int = 0
    cosigned: dict[str, Cosignature] = field(default_factory=dict)
    quorum_met: bool | None = None
    findings: list[tuple[str, str]] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.findings


def verify_published(
    place: str | LogStore, keys: Sequence[VerifierKey], *, policy: Policy | None = None,
    seen: Sequence[Checkpoint] = (), leaves: bool = True, progress: Progress | None = None,
) -> PublishedCheck:  # fmt: skip
    """Verify the log at an address (or in a store): signatures, witnesses, every tile and leaf.

    `keys` are the log's own, at least one of them Ed25519; every one of them must have signed.
    `seen` are checkpoints from before: the log must have grown out of each. With `leaves` False
    only the signatures are verified, and the way from `seen`. Never raises for what the log says.
    """
    log = TiledLog(HttpStore(place) if isinstance(place, str) else place)
    check = PublishedCheck()
    try:
        held = _signed(log, keys)
        check.checkpoint = held
        if policy is not None:
            found = check_policy(policy, held)
            check.cosigned, check.quorum_met = dict(found.cosigned), found.met
            if not found.met:
                check.findings.append(
                    ("필요한 만큼의 증인이 공동 서명하지 않았습니다.",
                     "Not enough witnesses have cosigned the checkpoint.")
                )  # fmt: skip
        for before in seen:
            _grown(log, held, before, check)
        if leaves:
            _walk(log, held, check, progress)
    except (OperationError, NoteError, ValueError) as error:
        check.findings.append(
            (f"로그가 손상되었거나 서명이 맞지 않습니다: {error}",
             f"The log is damaged or its signature does not hold: {error}")
        )  # fmt: skip
    return check


def _signed(log: TiledLog, keys: Sequence[VerifierKey]) -> Checkpoint:
    main = next((key for key in keys if key.kind == ED25519), None)
    if main is None:
        raise NoteError("an Ed25519 key of the log is needed")
    note = log.text(PUBLISHED)
    if note is None:
        raise NoteError(f"{log.place}: no checkpoint")
    held = open_checkpoint(note, main.key)
    if held.origin != main.name:
        raise NoteError(f"the checkpoint is of {held.origin}, not of {main.name}")
    lines = {(line.name, line.id): line for line in held.signatures}
    for key in keys:
        line = lines.get((key.name, key.id))
        if line is None:
            raise NoteError(f"{key.name} has not signed with the key {key.id.hex()}")
        if key.kind != ED25519:
            check_cosignature(held, line, key)
    return held


def _grown(log: TiledLog, held: Checkpoint, before: Checkpoint, check: PublishedCheck) -> None:
    proven = before.size <= held.size
    if proven:
        way = consistency_proof(log.hashes(held.size), before.size, held.size)
        proven = verify_consistency(before.size, held.size, before.root, held.root, way)
    if not proven:
        check.findings.append(
            (f"잎 {before.size}개였던 예전 체크포인트에서 자라난 로그가 아닙니다.",
             f"This log has not grown out of the checkpoint over {before.size} leaves.")
        )  # fmt: skip


def _walk(
    log: TiledLog, held: Checkpoint, check: PublishedCheck, progress: Progress | None
) -> None:
    frontier = Frontier()
    for number in range(-(-held.size // WIDTH)):
        row = log.tile(0, number, held.size)
        for hashed, entry in zip(row, log.entries(number, held.size), strict=True):
            if leaf_hash(entry) != hashed:
                raise OperationError(f"leaf {frontier.size} is not its tile's", retry=False)
            frontier.add(hashed)
        check.leaves = frontier.size
        if progress:
            progress(frontier.size, held.size)
    if frontier.root() != held.root:
        raise OperationError("the leaves do not give the signed root", retry=False)
    verify_upper_tiles(log, held.size)


def verify_upper_tiles(log: TiledLog, size: int) -> None:
    """Tiles above the leaves hold what the tiles below them hash to; raises OperationError."""
    level = 1
    while count := size >> (8 * level):
        for number in range(-(-count // WIDTH)):
            for offset, hashed in enumerate(log.tile(level, number, size)):
                if fold(log.tile(level - 1, number * WIDTH + offset, size)) != hashed:
                    raise OperationError(f"{log.place}: damaged tile {level}/{number}", retry=False)
        level += 1
