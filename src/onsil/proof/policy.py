"""Trust policies (c2sp.org/tlog-policy): which witnesses must have seen a checkpoint. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from onsil.proof.checkpoint import Checkpoint
from onsil.proof.cosignature import Cosignature, verified_cosignatures
from onsil.proof.keys import COSIGNATURE, ED25519, MLDSA44, NoteError, VerifierKey

NONE = "none"
_LINES_MAX = 1000


class PolicyError(ValueError):
    """A text that is no policy; the message names the line."""


@dataclass(frozen=True)
class PolicyLog:
    """A log whose checkpoints count, and where to reach it (may be empty)."""

    key: VerifierKey
    url: str = ""


@dataclass(frozen=True)
class PolicyWitness:
    """A witness under its name in the policy, and its submission prefix (may be empty)."""

    name: str
    key: VerifierKey
    url: str = ""


@dataclass(frozen=True)
class Group:
    """Witnessed when at least `threshold` of its members are."""

    threshold: int
    members: tuple[str, ...]


@dataclass(frozen=True)
class Policy:
    """Known logs and witnesses, and the quorum: the name of a witness or group, or `none`."""

    logs: tuple[PolicyLog, ...] = ()
    witnesses: tuple[PolicyWitness, ...] = ()
    groups: Mapping[str, Group] = field(default_factory=dict)
    quorum: str = NONE
    text: str = ""

    @classmethod
    def parse(cls, text: str) -> "Policy":
        """A policy from its file. Raises PolicyError, naming the line."""
        return _Parser(text).policy

    def met_by(self, names: Iterable[str]) -> bool:
        """Whether cosignatures of the witnesses so named are a quorum."""
        present = set(names)

        def witnessed(name: str) -> bool:
            group = self.groups.get(name)
            if group is None:
                return name in present
            return sum(witnessed(member) for member in group.members) >= group.threshold

        return self.quorum == NONE or witnessed(self.quorum)


class _Parser:
    def __init__(self, text: str) -> None:
        self._logs: list[PolicyLog] = []
        self._witnesses: list[PolicyWitness] = []
        self._groups: dict[str, Group] = {}
        self._names: set[str] = {NONE}
        self._members: set[str] = set()
        self._quorum: str | None = None
        if any(c < " " and c not in "\t\n" for c in text) or "\x7f" in text:
            raise PolicyError("a policy holds no control characters")
        lines = text.split("\n")
        if len(lines) > _LINES_MAX:
            raise PolicyError("the policy is too long")
        for number, line in enumerate(lines, 1):
            words = line.replace("\t", " ").split(" ")
            words = [word for word in words if word]
            if not words or words[0].startswith("#"):
                continue
            try:
                self._line(words)
            except NoteError as error:
                raise PolicyError(f"line {number}: {error}") from error
            except PolicyError as error:
                raise PolicyError(f"line {number}: {error}") from None
        if self._quorum is None:
            raise PolicyError("a policy has a quorum line")
        self.policy = Policy(
            tuple(self._logs), tuple(self._witnesses), self._groups, self._quorum, text
        )

    def _line(self, words: list[str]) -> None:
        match words:
            case ["log", key, *url] if len(url) <= 1:
                self._log(VerifierKey.parse(key), "".join(url))
            case ["witness", name, key, *url] if len(url) <= 1:
                self._witness(name, VerifierKey.parse(key), "".join(url))
            case ["group", name, threshold, *members] if members:
                self._group(name, threshold, members)
            case ["quorum", name]:
                self._set_quorum(name)
            case _:
                raise PolicyError(f"not a policy line: {words[0]}")

    def _log(self, key: VerifierKey, url: str) -> None:
        if any(log.key.key == key.key for log in self._logs):
            raise PolicyError("the log is there twice")
        if key.kind not in (ED25519, MLDSA44):
            raise PolicyError("not a log's key")
        self._logs.append(PolicyLog(key, url))

    def _witness(self, name: str, key: VerifierKey, url: str) -> None:
        if any(witness.key.key == key.key for witness in self._witnesses):
            raise PolicyError("the witness is there twice")
        if key.kind not in (COSIGNATURE, MLDSA44):
            raise PolicyError("not a witness's key")
        self._name(name)
        self._witnesses.append(PolicyWitness(name, key, url))

    def _group(self, name: str, threshold: str, members: list[str]) -> None:
        for member in members:
            if member == NONE or member not in self._names:
                raise PolicyError(f"{member} is not defined before")
            if member in self._members:
                raise PolicyError(f"{member} is in a group already")
            self._members.add(member)
        match threshold:
            case "all":
                needed = len(members)
            case "any":
                needed = 1
            case _ if threshold.isascii() and threshold.isdigit() and threshold[0] != "0":
                needed = int(threshold)
            case _:
                raise PolicyError(f"not a threshold: {threshold}")
        if not 1 <= needed <= len(members):
            raise PolicyError(f"{needed} of {len(members)} is no threshold")
        self._name(name)
        self._groups[name] = Group(needed, tuple(members))

    def _set_quorum(self, name: str) -> None:
        if self._quorum is not None:
            raise PolicyError("there is a quorum already")
        if name not in self._names:
            raise PolicyError(f"{name} is not defined before")
        self._quorum = name

    def _name(self, name: str) -> None:
        if name in self._names:
            raise PolicyError(f"{name} is defined already")
        self._names.add(name)


@dataclass(frozen=True)
class PolicyCheck:
    """Whether a checkpoint meets a policy, and which of the policy's witnesses have cosigned."""

    met: bool
    cosigned: Mapping[str, Cosignature]


def check_policy(policy: Policy, checkpoint: Checkpoint) -> PolicyCheck:
    """Which known witnesses have cosigned a checkpoint, and whether they are a quorum.

    The log's own signature is `open_checkpoint`'s to verify. Raises NoteError when a known
    witness's line does not hold.
    """
    names = {(w.key.name, w.key.id): w.name for w in policy.witnesses}
    given = verified_cosignatures(checkpoint, [w.key for w in policy.witnesses])
    cosigned = {names[c.key.name, c.key.id]: c for c in given}
    return PolicyCheck(policy.met_by(cosigned), cosigned)
