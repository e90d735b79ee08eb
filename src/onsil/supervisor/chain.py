"""The local development chain: anvil, for trying anchoring out where no EVM node is configured.

Its operator can rewrite it at will, so it proves nothing to anybody else; everything that shows an
anchor on it says so.
"""

import asyncio
import json
import os
import platform
import shutil
from dataclasses import dataclass
from pathlib import Path

from onsil.configuration import Configuration

CHAIN_ID = 31337
OFF = "off"
_CHECKOUT = Path(__file__).parents[3]
_PACKAGE = f"@foundry-rs/anvil-{platform.system().lower()}-" + (
    {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
)


def program() -> Path | None:
    """anvil's program: npm's beside the source, or one on PATH; None when there is neither."""
    beside = _CHECKOUT / "node_modules" / _PACKAGE / "bin" / "anvil"
    if os.access(beside, os.X_OK):
        return beside
    found = shutil.which("anvil")
    return Path(found) if found else None


@dataclass(frozen=True)
class LocalChain:
    """One anvil for one data folder, its blocks kept there."""

    home: Path
    port: int
    host: str = "127.0.0.1"

    @classmethod
    def of(cls, conf: Configuration) -> "LocalChain | None":
        """The installation's own; None when the settings name a node, or anvil is not there."""
        if conf.evm_rpc_url or program() is None:
            return None
        return cls(conf.data_folder / "chain", conf.evm_port)

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    def prepare(self) -> tuple[str, ...]:
        """The command that runs it in the foreground; a half-written state is put aside."""
        found = program()
        assert found is not None, "asked for only where it is installed"
        self.home.mkdir(parents=True, exist_ok=True)
        state = self.home / "state.json"
        try:
            json.loads(state.read_bytes())
        except FileNotFoundError:
            pass
        except ValueError:
            state.replace(state.with_suffix(".damaged"))
        return (
            str(found), "--host", self.host, "--port", str(self.port), "--quiet",
            "--chain-id", str(CHAIN_ID), "--accounts", "1", "--no-cors",
            "--state", str(state), "--state-interval", "5",
        )  # fmt: skip

    async def answers(self) -> bool:
        """Whether it answers JSON-RPC, and is the chain it should be."""
        return await chain_id_at(self.host, self.port) == CHAIN_ID


async def chain_id_at(host: str, port: int) -> int | None:
    """What a node calls its chain; None when nothing answers within three seconds."""
    body = b'{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[]}'
    head = (
        f"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    try:
        reader, writer = await asyncio.wait_for(asyncio.open_connection(host, port), 3)
        try:
            writer.write(head.encode() + body)
            answer = await asyncio.wait_for(reader.read(65_536), 3)
        finally:
            writer.close()
        return int(json.loads(answer.partition(b"\r\n\r\n")[2])["result"], 16)
    except (OSError, TimeoutError, ValueError, KeyError, TypeError):
        return None
