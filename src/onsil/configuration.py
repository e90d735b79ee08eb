"""The installation's settings: defaults, then `onsil.toml`, then the environment.

`ONSIL_CONFIG` names the TOML file (default: `onsil.toml` in the working folder). Every field below
may be set there under its own name, or as `ONSIL_<NAME>` in the environment, which wins.
"""

import os
import tempfile
import tomllib
from dataclasses import dataclass, field, fields
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from onsil.core.refusal import OperationError

if TYPE_CHECKING:
    from onsil.proof.home import LogHome

ROOT_HOME = Path("/var/lib/onsil")


@dataclass(frozen=True)
class Configuration:
    """What an operator may set. Paths are absolute once loaded.

    `database_url` empty means the embedded PostgreSQL below the data folder. `owner` is for the
    migrations alone: it keeps the connecting user's own rights.
    """

    data_folder: Path = Path(".data")
    cities_folder: Path = Path("cities")
    lake_folder: str = ""
    temporal_page: int = 30
    database_url: str = ""
    default_city: str = "pyeongtaek"
    host: str = "127.0.0.1"
    web_port: int = 8400
    hub_port: int = 8401
    live_port: int = 8402
    hub_contexts: str = ""
    hub_context_hosts: str = ""
    hub_source_hosts: str = ""
    hub_notify_hosts: str = ""
    hub_alias: str = ""
    mqtt_host: str = "127.0.0.1"
    mqtt_port: int = 8403
    mqtt_username: str = ""
    mqtt_password: str = ""
    mqtt_tls_port: int = 0
    mqtt_ca_file: str = ""
    mqtt_cert_file: str = ""
    mqtt_key_file: str = ""
    device_proxies: str = ""
    modbus_networks: str = "10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16"
    pull_networks: str = ""
    public_url: str = ""
    hub_url: str = ""
    live_url: str = ""
    secret_key: str = ""
    debug: bool = False
    owner: bool = False
    language: str = "ko"
    log_url: str = ""
    log_token: str = field(default="", repr=False)
    signed_folder: str = ""
    witnesses: Path = Path("witnesses.toml")
    local_witness: bool = True
    witness_port: int = 8405
    evm_rpc_url: str = field(default="", repr=False)  # may hold an access key
    evm_port: int = 8404
    evm_chain_id: int = 0
    evm_contract: str = ""
    evm_key_file: str = ""
    evm_key: str = field(default="", repr=False)
    evm_key_password: str = field(default="", repr=False)
    evm_confirmations: int = 12
    evm_max_fee_gwei: int = 100

    @property
    def web_address(self) -> str:
        return self.public_url or f"http://localhost:{self.web_port}"

    @property
    def hub_address(self) -> str:
        return self.hub_url or f"http://localhost:{self.hub_port}"

    @property
    def live_address(self) -> str:
        return self.live_url or f"http://localhost:{self.live_port}"

    @property
    def log_folder(self) -> Path:
        """Where the transparency log's tiles and checkpoints are kept."""
        return self.data_folder / "log"

    @property
    def log_home(self) -> "LogHome":
        """The logs, in the folder or at `log_url`, with the records of what was signed last."""
        from onsil.proof.home import LogHome

        if self.log_url:
            return LogHome(self.log_url, token=self.log_token)
        records = Path(self.signed_folder) if self.signed_folder else self.data_folder / "signed"
        return LogHome(self.log_folder, records)

    @property
    def lake_home(self) -> Path:
        """Where closed months lie as Parquet files."""
        return Path(self.lake_folder or self.data_folder / "lake").resolve()

    @property
    def key_folder(self) -> Path:
        """Signing keys, one file a city; readable by the operator alone."""
        return self.data_folder / "keys"

    @property
    def dsn(self) -> str:
        """The database of record: the one set, or the embedded server's."""
        if self.database_url:
            return self.database_url
        return embedded_dsn(embedded_home(self.data_folder))


def embedded_home(data_folder: Path) -> Path:
    """The embedded server's folder for an installation whose own data lie in `data_folder`.

    Root's home is closed to the user the server runs as, so root's clusters lie elsewhere.
    """
    if os.geteuid() != 0:
        return data_folder / "postgres"
    return ROOT_HOME / "clusters" / _mark(data_folder)


def embedded_socket_folder(home: Path) -> Path:
    """A short folder for the server's socket, whose path may have 107 bytes at most."""
    return Path(tempfile.gettempdir()) / f"onsil-{_mark(home)}"


def embedded_dsn(home: Path, database: str = "onsil") -> str:
    return f"postgresql://onsil@/{database}?host={embedded_socket_folder(home)}"


def _mark(path: Path) -> str:
    return sha256(str(path.resolve()).encode()).hexdigest()[:12]


def _coerce(name: str, kind: object, raw: object) -> object:
    try:
        if kind in (bool, "bool"):
            return raw if isinstance(raw, bool) else str(raw).lower() in ("1", "true", "yes", "on")
        if kind in (int, "int"):
            return int(str(raw))
        if kind in (Path, "Path"):
            return Path(str(raw)).expanduser().resolve()
        return str(raw)
    except ValueError as error:
        words = {int: "a whole number"}.get(kind, "valid")  # pyright: ignore
        raise OperationError(f"setting {name}: {raw!r} is not {words}", retry=False) from error


def load(environment: dict[str, str]) -> Configuration:
    """Read the settings. Raises OperationError for a broken file or a bad setting."""
    path = Path(environment.get("ONSIL_CONFIG", "onsil.toml"))
    table: dict[str, object] = {}
    if path.exists():
        try:
            table = tomllib.loads(path.read_text("utf-8"))
        except tomllib.TOMLDecodeError as error:
            raise OperationError(f"{path}: {error}", retry=False) from error
    elif "ONSIL_CONFIG" in environment:
        raise OperationError(f"{path}: no such file (named by ONSIL_CONFIG)", retry=False)
    known = {field.name: field for field in fields(Configuration)}
    unknown = sorted(set(table) - set(known))
    if unknown:
        raise OperationError(f"{path}: unknown settings {', '.join(unknown)}", retry=False)
    values: dict[str, object] = {}
    for name, setting in known.items():
        raw = environment.get(f"ONSIL_{name.upper()}", table.get(name, setting.default))
        values[name] = _coerce(name, setting.type, raw)
    return Configuration(**values)  # pyright: ignore[reportArgumentType]


@cache
def configuration() -> Configuration:
    """The settings of this process, read once; engine rooms find theirs in the environment."""
    made = load(dict(os.environ))
    os.environ["ONSIL_LAKE_HOME"] = str(made.lake_home)
    os.environ["ONSIL_TEMPORAL_PAGE"] = str(made.temporal_page)
    return made
