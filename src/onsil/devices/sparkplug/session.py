"""An edge node's session (Eclipse Sparkplug 3.0 §6.4.5–§6.4.28): who is alive, what was lost.

Pure: a state and a message give the next state and what to do. Sequence numbers run 0–255 through
all messages of a node; a gap, a message before a birth, or an alias nobody was told of ask for a
rebirth, at most once in REBIRTH_EVERY. A death counts only for the session it belongs to (`bdSeq`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from onsil.devices.drivers.sparkplug import BIRTHS, DEATHS, births, parse
from onsil.devices.drivers.sparkplug_proto import Payload
from onsil.devices.terms import DecodeError

REBIRTH_EVERY = timedelta(seconds=10)
ROOT = "spBv1.0"


class Topic(NamedTuple):
    """`spBv1.0/<group>/<kind>/<edge>[/<device>]`; the group is the city."""

    city: str
    kind: str
    edge: str
    device: str

    @property
    def device_id(self) -> str:
        """Under what the register knows the sender: `<edge>` or `<edge>.<device>`."""
        return f"{self.edge}.{self.device}" if self.device else self.edge


def parse_topic(text: str) -> Topic | None:
    """A Sparkplug topic's parts, or None. An edge's name may not contain a dot."""
    parts = text.split("/")
    if len(parts) not in (4, 5) or parts[0] != ROOT or not all(parts) or "." in parts[3]:
        return None
    kind = parts[2]
    if kind not in ("NBIRTH", "NDATA", "NDEATH", "DBIRTH", "DDATA", "DDEATH"):
        return None
    if (kind[0] == "D") != (len(parts) == 5):
        return None
    return Topic(parts[1], kind, parts[3], parts[4] if len(parts) == 5 else "")


@dataclass(frozen=True)
class Edge:
    """What is known of a node. `metrics` are births by part: "" the node, else a device."""

    online: bool = False
    birth_sequence: int = -1
    sequence: int = -1
    doubtful: bool = False
    alive: frozenset[str] = frozenset()
    metrics: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    asked_at: datetime | None = None

    def as_json(self) -> dict[str, Any]:
        return {
            "online": self.online, "bdSeq": self.birth_sequence, "seq": self.sequence,
            "doubtful": self.doubtful, "alive": sorted(self.alive), "metrics": self.metrics,
            "askedAt": self.asked_at.isoformat() if self.asked_at else None,
        }  # fmt: skip

    @classmethod
    def of_json(cls, raw: Mapping[str, Any]) -> "Edge":
        asked = raw.get("askedAt")
        return cls(
            raw["online"], raw["bdSeq"], raw["seq"], raw["doubtful"], frozenset(raw["alive"]),
            raw["metrics"], datetime.fromisoformat(asked) if asked else None,
        )  # fmt: skip

    def memory(self, device: str) -> dict[str, Any]:
        """What a driver must know to read a message of the node or one of its devices."""
        return {"metrics": self.metrics.get(device, {}), "doubtful": self.doubtful}


class Heard(NamedTuple):
    """After a message: the new state, whether to decode, ask for a rebirth, who came and went."""

    edge: Edge
    decode: bool
    rebirth: bool = False
    online: frozenset[str] = frozenset()
    offline: frozenset[str] = frozenset()


def hear(edge: Edge, topic: Topic, raw: bytes, now: datetime) -> Heard:
    """What a message changes. Raises DecodeError for one that cannot be read."""
    payload = parse(raw)
    if topic.kind == "NBIRTH":
        return _node_born(edge, payload)
    if topic.kind == "NDEATH":
        return _node_died(edge, payload)
    if not payload.HasField("seq") or payload.seq > 255:
        raise _no_sequence()
    if not edge.online:
        return _asked(edge, now, decode=False)
    gap = payload.seq != (edge.sequence + 1) % 256
    edge = replace(edge, sequence=payload.seq, doubtful=edge.doubtful or gap)
    if topic.kind == "DBIRTH":
        edge = replace(
            edge, alive=edge.alive | {topic.device},
            metrics={**edge.metrics, topic.device: births(payload)},
        )  # fmt: skip
        heard = Heard(edge, True, online=frozenset({topic.device}))
    elif topic.kind == "DDEATH":
        gone = frozenset({topic.device})
        heard = Heard(replace(edge, alive=edge.alive - gone), False, offline=gone)
    elif topic.device and topic.device not in edge.alive:
        return _asked(edge, now, decode=False)
    else:
        heard = Heard(edge, True)
    if not gap:
        return heard
    asked = _asked(edge, now, decode=heard.decode)
    return heard._replace(edge=replace(heard.edge, asked_at=asked.edge.asked_at),
                          rebirth=asked.rebirth)  # fmt: skip


def _node_born(edge: Edge, payload: Any) -> Heard:
    """A birth begins everything anew: the devices must be born again, too."""
    taught = births(payload)
    birth_sequence = _birth_sequence(payload)
    sequence = payload.seq if payload.HasField("seq") and payload.seq <= 255 else 0
    born = Edge(True, birth_sequence, sequence, metrics={"": taught})
    return Heard(born, True, online=frozenset({""}), offline=edge.alive)


def _node_died(edge: Edge, payload: Any) -> Heard:
    """The will of an earlier session may come after the next one's birth: it kills nobody."""
    if not edge.online or _birth_sequence(payload) not in (edge.birth_sequence, -1):
        return Heard(edge, False)
    gone = edge.alive | {""}
    return Heard(replace(edge, online=False, alive=frozenset()), False, offline=gone)


def ask_again(edge: Edge, now: datetime) -> Heard:
    """The node used an alias nobody was told of: ask for a rebirth."""
    return _asked(edge, now, decode=False)


def _asked(edge: Edge, now: datetime, *, decode: bool) -> Heard:
    due = edge.asked_at is None or now - edge.asked_at >= REBIRTH_EVERY
    return Heard(replace(edge, asked_at=now) if due else edge, decode, rebirth=due)


def _birth_sequence(payload: Any) -> int:
    for metric in payload.metrics:
        if metric.name == "bdSeq":
            return metric.long_value or metric.int_value
    return -1


def _no_sequence() -> DecodeError:
    return DecodeError(
        "no-sequence", "Sparkplug 메시지에 순번(seq 0–255)이 없습니다.",
        "The Sparkplug message has no sequence number (seq, 0–255).",
    )  # fmt: skip


def unborn(topic: Topic) -> DecodeError:
    """Data of a node or device that was not born (or died) in this session."""
    return DecodeError(
        "unborn",
        f"{topic.device_id}의 출생 증명 없이 온 데이터입니다. 재출생을 요청했습니다.",
        f"Data of {topic.device_id} without a birth certificate. A rebirth was asked for.",
    )


def rebirth_request(now: datetime) -> bytes:
    """An NCMD's payload with `Node Control/Rebirth` true (§6.4.26)."""
    return command("Node Control/Rebirth", True, now)


def command(metric: str, value: bool | float | str, now: datetime) -> bytes:
    """An NCMD's or DCMD's payload: one metric, by name."""
    made: Any = Payload()
    made.timestamp = int(now.timestamp() * 1000)
    one = made.metrics.add(name=metric, timestamp=made.timestamp)
    if isinstance(value, bool):
        one.datatype, one.boolean_value = 11, value
    elif isinstance(value, int):
        one.datatype, one.long_value = 4, value & ((1 << 64) - 1)
    elif isinstance(value, float):
        one.datatype, one.double_value = 10, value
    else:
        one.datatype, one.string_value = 12, value
    return made.SerializeToString()


def is_life(kind: str) -> bool:
    """Whether a message is a birth or a death."""
    return kind in BIRTHS or kind in DEATHS
