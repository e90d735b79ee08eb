"""The anchor role: once a day each city's newest checkpoint goes to every place that is set up.

It has a process of its own, so that a chain that is slow or away holds up neither signing nor
anything else, and web3 is loaded only once there is something to anchor.
"""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import timedelta
from hashlib import sha256
from typing import Any

from onsil import proof
from onsil.configuration import Configuration
from onsil.core.clock import Clock
from onsil.core.database import ALL_CITIES, Connection, connect
from onsil.core.refusal import OperationError, Refusal
from onsil.proof import anchors
from onsil.proof.anchors import Anchor, Anchoring, AnchorRecord
from onsil.proof.checkpoint import Checkpoint
from onsil.proof.home import PUBLISHED, WITNESSED, read_checkpoint
from onsil.proof.policy import NONE, Policy, check_policy
from onsil.supervisor.chain import CHAIN_ID, OFF, LocalChain
from onsil.supervisor.credentials import kept
from onsil.tenancy.cities import all_cities
from onsil.tenancy.witnesses import witness_plan

PERIOD_S = 5.0
PATIENCE_S = (5.0, 15.0, 60.0, 300.0)  # between tries while the place says no or nothing
RECHECK_S = 3600.0
FIRST_LOOK_S = 15.0  # the other roles' start comes first
FIRST_RECHECK_S = 60.0
_LOCAL_REPLACE_AFTER = timedelta(seconds=5)  # a local chain takes what is sent at once
_LOCAL_FUNDS_WEI = 10**21

logger = logging.getLogger(__name__)


def chain_folder(conf: Configuration):
    """Where deployed contracts are remembered, and the local chain keeps its blocks."""
    return conf.data_folder / "chain"


def settings_of(conf: Configuration) -> dict[str, Any]:
    """The settings as anchors read them: the local chain's where no node is named."""
    table = asdict(conf)
    if conf.evm_rpc_url == OFF:
        return table | {"evm_rpc_url": ""}
    local = LocalChain.of(conf)
    if local is not None:
        # Nobody else can reach this chain and nothing on it is worth a key of its own.
        secret = kept(conf.data_folder / "secrets" / "chain-key")
        table |= {
            "evm_rpc_url": local.url, "evm_chain_id": CHAIN_ID, "evm_confirmations": 1,
            "evm_key": sha256(secret.encode()).hexdigest(), "evm_key_file": "",
        }  # fmt: skip
    if not table["evm_contract"] and table["evm_chain_id"]:
        known = anchors.remembered(chain_folder(conf), table["evm_chain_id"])
        table["evm_contract"] = known.contract if known else ""
    return table


def open_places(conf: Configuration) -> list[Anchor]:
    """Every place that is set up. The local chain gets its contract when it has none yet."""
    table = settings_of(conf)
    if LocalChain.of(conf) is not None:
        table["evm_contract"] = _local_contract(conf, table)
    return anchors.open_anchors(table)


def _local_contract(conf: Configuration, table: dict[str, Any]) -> str:
    """The contract on the local chain, deployed now where it is missing or the chain is new."""
    node = anchors.Node(table["evm_rpc_url"])
    known = table["evm_contract"]
    if known and node.code(known):
        return known
    key = anchors.load_key(table["evm_key"], "", "")
    assert key is not None
    fund_locally(conf, node, key)
    made = anchors.deploy(
        node, key, chain_folder(conf), max_fee_wei=conf.evm_max_fee_gwei * anchors.GWEI, wait_s=10
    )
    if isinstance(made, Refusal):
        raise OperationError(f"local development chain: {made.en}", retry=True)
    return made.contract


def fund_locally(conf: Configuration, node: anchors.Node, key: anchors.SigningKey) -> None:
    """Give the key's account on the local chain what fees cost; nothing on any other chain."""
    if LocalChain.of(conf) is not None:
        with node.asked() as web3:
            balance = [key.account().address, hex(_LOCAL_FUNDS_WEI)]
            web3.provider.make_request("anvil_setBalance", balance)  # pyright: ignore


def newest_checkpoints(conf: Configuration, city: str, clock: Clock) -> list[Checkpoint]:
    """The newest checkpoint of each of a city's logs that may be anchored, oldest year first.

    Signatures are verified. Where today's policy asks for witnesses, only what a quorum of them
    has cosigned counts. Raises OperationError when a checkpoint or the policy is damaged.
    """
    years = proof.log_years(conf.log_home, city)
    if not years:
        return []
    key = proof.load_or_create_signer(conf.key_folder, city).public_key
    policy = witness_plan(conf, city).at(clock.now().date())
    name = PUBLISHED if policy.quorum == NONE else WITNESSED
    found = [read_checkpoint(proof.log_folder(conf.log_home, city, y), key, name) for y in years]
    return [one for one in found if one is not None and _is_witnessed(policy, one)]


def _is_witnessed(policy: Policy, checkpoint: Checkpoint) -> bool:
    try:
        return check_policy(policy, checkpoint).met
    except proof.NoteError as error:
        raise OperationError(f"{checkpoint.origin}: {error}", retry=False) from error


def anchoring(conf: Configuration, conn: Connection, city: str, anchor: Anchor, clock: Clock):
    """One city's way to one place."""
    way = Anchoring(conn, city, anchor, clock)
    local = LocalChain.of(conf) is not None and anchor.development
    return replace(way, replace_after=_LOCAL_REPLACE_AFTER) if local else way


def anchor_city_now(
    conf: Configuration, city: str, clock: Clock, *, wait_s: float
) -> list[AnchorRecord | Refusal]:
    """Anchor what a city's logs have grown by at every place, and wait until it is confirmed."""
    answers: list[AnchorRecord | Refusal] = []
    with connect(conf.dsn, city, autocommit=True) as conn:
        for place in open_places(conf):
            way = anchoring(conf, conn, city, place, clock)
            newest = newest_checkpoints(conf, city, clock)
            zone = all_cities()[city].zone
            answers += anchors.anchor_now(way, newest, zone, wait_s=wait_s)
    return answers


class AnchorRole:
    """Goes round the cities; what stands in the way is told once, and tried again later."""

    def __init__(
        self, conf: Configuration, conn: Connection, clock: Clock, first_look_s: float = 0.0
    ) -> None:
        self._conf, self._conn, self._clock = conf, conn, clock
        self._told: dict[str, str] = {}
        self._failures = 0
        self._next = time.monotonic() + first_look_s
        self._next_recheck = time.monotonic() + FIRST_RECHECK_S

    def turn(self) -> None:
        """One look at everything, unless there is nothing to do or it is too early to try again."""
        now = time.monotonic()
        if now < self._next:
            return
        try:
            trouble = self._go_round(recheck=now >= self._next_recheck)
        except OperationError as error:
            trouble = {"anchor": str(error)}
        for subject, words in trouble.items():
            if self._told.get(subject) != words:
                logger.error("%s: %s", subject, words)
        self._told = trouble
        self._failures = self._failures + 1 if trouble else 0
        if trouble:
            self._next = now + PATIENCE_S[min(self._failures, len(PATIENCE_S)) - 1]

    def _go_round(self, *, recheck: bool) -> dict[str, str]:
        """What stood in the way, by where."""
        cities = [city for city in all_cities() if recheck or self._has_work(city)]
        if not cities:
            return {}
        trouble: dict[str, str] = {}
        with _only_one(self._conn) as mine:
            for place in open_places(self._conf) if mine else ():
                for city in cities:
                    subject = f"{city} {place.place}"
                    try:
                        refusal = self._serve(city, place, recheck=recheck)
                    except OperationError as error:
                        trouble[subject] = str(error)
                    else:
                        if refusal is not None:
                            trouble[subject] = refusal.en
        if recheck:
            self._next_recheck = time.monotonic() + RECHECK_S
        return trouble

    def _has_work(self, city: str) -> bool:
        """Whether anything is due or on its way by our own records; no node is asked."""
        known = anchors.recent(self._conn, city, limit=1000)
        if any(record.state in ("sending", "pending", "vanished") for record in known):
            return True
        newest = newest_checkpoints(self._conf, city, self._clock)
        sizes = [(int(c.origin.rsplit("/", 1)[1]), c.size) for c in newest if c.size]
        now, zone = self._clock.now(), all_cities()[city].zone
        return any(
            anchors.due(sizes, [r for r in known if r.place == place], now, zone)
            for place in {record.place for record in known} or {""}
        )

    def _serve(self, city: str, place: Anchor, *, recheck: bool) -> Refusal | None:
        """Follow what is on its way and begin what is due; what was refused, if anything."""
        way = anchoring(self._conf, self._conn, city, place, self._clock)
        if recheck:
            for lost in way.recheck():
                logger.error("%s: size %d has vanished from %s", city, lost.size, lost.place)
        answers = list(way.follow())
        newest = newest_checkpoints(self._conf, city, self._clock)
        answers += [way.begin(one) for one in way.due(newest, all_cities()[city].zone)]
        return next((answer for answer in answers if isinstance(answer, Refusal)), None)


@contextmanager
def _only_one(conn: Connection) -> Iterator[bool]:
    mine = anchors.try_lock(conn)
    try:
        yield mine
    finally:
        if mine:
            anchors.unlock(conn)


def run_anchoring(conf: Configuration, clock: Clock, stop: threading.Event) -> None:
    """Keep every city's checkpoints anchored until `stop` is set. Database errors end the role."""
    with connect(conf.dsn, ALL_CITIES, autocommit=True) as conn:
        role = AnchorRole(conf, conn, clock, FIRST_LOOK_S)
        while not stop.is_set():
            role.turn()
            stop.wait(PERIOD_S)
