"""A real EVM node for tests: anvil on a free port, driven over JSON-RPC."""

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from eth_account import Account

from onsil.proof import anchors
from onsil.supervisor.chain import program

ETHER = 10**18


class Anvil:
    """One anvil process. `--no-mining` and the like go into `arguments`."""

    def __init__(self, *arguments: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.arguments = arguments
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        found = program()
        assert found, "anvil is not installed; `make test` installs it"
        self.process = subprocess.Popen(
            [str(found), "--host", "127.0.0.1", "--port", str(self.port), "--quiet",
             "--accounts", "1", *self.arguments],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        deadline = time.monotonic() + 10
        while True:
            try:
                self.rpc("eth_chainId")
                return
            except httpx.TransportError:
                assert time.monotonic() < deadline, "anvil does not start"
                time.sleep(0.02)

    def stop(self) -> None:
        if self.process:
            self.process.kill()
            self.process.wait(10)
            self.process = None

    def rpc(self, method: str, *arguments: Any) -> Any:
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(arguments)}
        table = httpx.post(self.url, json=body, timeout=10).json()
        assert "error" not in table, table
        return table["result"]

    def mine(self, blocks: int = 1) -> None:
        self.rpc("anvil_mine", hex(blocks))

    def funded(self) -> anchors.SigningKey:
        """A fresh key with ten ether."""
        account = Account.create()
        self.rpc("anvil_setBalance", account.address, hex(10 * ETHER))
        return anchors.SigningKey(bytes(account.key))

    def with_contract(self, folder: Path, key: anchors.SigningKey) -> anchors.EvmAnchor:
        """A freshly deployed contract, owned by the key; one block confirms."""
        node = anchors.Node(self.url)
        made = anchors.deploy(node, key, folder, max_fee_wei=100 * anchors.GWEI, again=True)
        assert isinstance(made, anchors.Deployment), made
        return anchors.EvmAnchor(node, made.contract, node.chain_id, key, confirmations=1)


@contextmanager
def anvil(*arguments: str) -> Iterator[Anvil]:
    node = Anvil(*arguments)
    node.start()
    try:
        yield node
    finally:
        node.stop()
