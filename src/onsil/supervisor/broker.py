"""The Mosquitto broker of an installation: its files, its passwords, and whether it answers.

It runs as an ordinary user. For root, whose home is closed to others, it runs as a system user of
its own and keeps its files below `/var/lib/onsil`, as the embedded PostgreSQL does.
"""

import asyncio
import base64
import hashlib
import os
import pwd
import shutil
import struct
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from onsil.configuration import ROOT_HOME, Configuration, embedded_home
from onsil.core.database import ALL_CITIES, connect
from onsil.core.refusal import OperationError
from onsil.supervisor.postgres import make_passable
from onsil.tenancy.cities import all_cities

if TYPE_CHECKING:  # at run time it is loaded when asked for: `onsil status` must be quick
    from onsil.devices import BrokerAccount

SYSTEM_USER = "onsil-broker"
LOCAL_HOSTS = ("127.0.0.1", "localhost", "::1")
_ITERATIONS = 10_000
_CONFIGURATION = """\
# Written by `onsil up` at every start; changes made here are lost.
listener {port} {host}
allow_anonymous false
password_file {home}/passwords
acl_file {home}/access
persistence true
persistence_location {home}/
autosave_interval 30
max_queued_messages 0
max_inflight_messages 0
max_packet_size 1048576
connection_messages false
log_dest stderr
log_type error
log_type warning
log_type notice
log_timestamp false
{tls}"""
# A device's certificate says who it is: its common name is its login, `<city>.<device>`.
_TLS = """\
listener {port}
cafile {ca}
certfile {cert}
keyfile {key}
require_certificate true
use_identity_as_username true
"""


def program() -> Path:
    """Mosquitto's program, which Debian keeps where ordinary users' PATH does not look."""
    found = shutil.which(
        "mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"
    )
    if found is None:
        raise OperationError(
            "Mosquitto is not installed (apt-get install mosquitto), and mqtt_host names no other"
            " broker",
            retry=False,
        )
    return Path(found)


def password_line(username: str, password: str, salt: bytes) -> str:
    """A line of Mosquitto's password file: PBKDF2 with SHA-512, its `$7$` form."""
    key = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, _ITERATIONS)
    parts = (base64.b64encode(part).decode() for part in (salt, key))
    return f"{username}:$7${_ITERATIONS}${'$'.join(parts)}"


@dataclass(frozen=True)
class Broker:
    """One Mosquitto for one data folder."""

    home: Path
    host: str
    port: int
    username: str
    password: str
    tls: str = ""

    @classmethod
    def of(cls, conf: Configuration) -> "Broker | None":
        """The installation's own broker; None when the settings name one elsewhere."""
        if conf.mqtt_host not in LOCAL_HOSTS:
            return None
        home = conf.data_folder / "broker"
        if os.geteuid() == 0:
            home = ROOT_HOME / "brokers" / embedded_home(conf.data_folder).name
        return cls(home, conf.mqtt_host, conf.mqtt_port, conf.mqtt_username, conf.mqtt_password,
                   _tls_listener(conf))  # fmt: skip

    @property
    def user(self) -> str | None:
        """The user it runs as; None: the one who starts it."""
        return SYSTEM_USER if os.geteuid() == 0 else None

    def prepare(self) -> tuple[str, ...]:
        """Write its files; the command that runs it in the foreground.

        Raises OperationError when Mosquitto is missing or the system user cannot be made.
        """
        command = (str(program()), "-c", str(self.home / "mosquitto.conf"))
        if self.user:
            _make_user(self.user)
            make_passable(self.home.parent)
        self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        text = _CONFIGURATION.format(home=self.home, host=self.host, port=self.port, tls=self.tls)
        (self.home / "mosquitto.conf").write_text(text)
        self.admit(())
        if self.user:
            entry = pwd.getpwnam(self.user)
            for path in (self.home, *self.home.iterdir()):
                os.chown(path, entry.pw_uid, entry.pw_gid)
        return command

    def admit(self, accounts: "Iterable[BrokerAccount]") -> None:
        """Write who may log in, and what each may publish: the platform all, a device its own.

        A running broker reads both files again when it gets SIGHUP.
        """
        devices = list(accounts)
        salt = hashlib.sha256(f"{self.home}:{self.password}".encode()).digest()[:12]
        passwords = [password_line(self.username, self.password, salt)]
        passwords += [account.password_line for account in devices if account.password_line]
        access = [f"user {self.username}", "topic readwrite #"]
        for account in devices:
            access += [f"user {account.username}", *(f"topic {one}" for one in account.access)]
        self._write("passwords", passwords)
        self._write("access", access)

    def _write(self, name: str, lines: list[str]) -> None:
        staging = self.home / f".{name}"
        staging.unlink(missing_ok=True)
        staging.touch(mode=0o600)
        staging.write_text("\n".join(lines) + "\n")
        if self.user:
            entry = pwd.getpwnam(self.user)
            os.chown(staging, entry.pw_uid, entry.pw_gid)
        staging.rename(self.home / name)

    async def answers(self) -> bool:
        """Whether it accepts our credentials."""
        return await accepts(self.host, self.port, self.username, self.password)


def _tls_listener(conf: Configuration) -> str:
    """The listener for client certificates, where its settings are all there."""
    if not conf.mqtt_tls_port:
        return ""
    files = (conf.mqtt_ca_file, conf.mqtt_cert_file, conf.mqtt_key_file)
    if not all(files):
        raise OperationError(
            "mqtt_tls_port needs mqtt_ca_file, mqtt_cert_file and mqtt_key_file", retry=False
        )
    ca, cert, key = files
    return _TLS.format(port=conf.mqtt_tls_port, ca=ca, cert=cert, key=key)


def device_accounts(dsn: str) -> "list[BrokerAccount]":
    """Every registered device's login, of all cities."""
    from onsil.devices import broker_accounts

    with connect(dsn, ALL_CITIES, autocommit=True) as conn:
        return [account for city in all_cities() for account in broker_accounts(conn, city)]


def _make_user(name: str) -> None:
    try:
        pwd.getpwnam(name)
    except KeyError:
        done = subprocess.run(
            ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", name],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode not in (0, 9):  # 9: somebody else has just made it
            raise OperationError(f"useradd {name}: {done.stderr.strip()}", retry=False) from None


def _field(text: str) -> bytes:
    raw = text.encode()
    return struct.pack("!H", len(raw)) + raw


async def accepts(host: str, port: int, username: str, password: str) -> bool:
    """Log in to a broker with one MQTT 3.1.1 CONNECT (OASIS standard §3.1) and leave again."""
    body = _field("MQTT") + bytes((4, 0b1100_0010)) + struct.pack("!H", 10) + _field("")
    body += _field(username) + _field(password)
    assert len(body) < 16_384
    length = (
        bytes((len(body),)) if len(body) < 128 else bytes((len(body) & 127 | 128, len(body) >> 7))
    )
    try:
        reader, writer = await asyncio.wait_for(asyncio.open_connection(host, port), 3)
        try:
            writer.write(b"\x10" + length + body)
            answer = await asyncio.wait_for(reader.readexactly(4), 3)
            writer.write(b"\xe0\x00")
            return answer == b"\x20\x02\x00\x00"
        finally:
            writer.close()
    except (OSError, TimeoutError, asyncio.IncompleteReadError):
        return False
