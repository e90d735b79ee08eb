"""Tokens of devices: issued, rotated with a time of grace, revoked; and broker logins of them."""

import base64
import hashlib
import secrets
from datetime import datetime, timedelta
from typing import NamedTuple

from onsil.core.clock import Clock, SystemClock
from onsil.core.database import Connection, cursor

# Tokens are 256 random bits: there is nothing to guess, so a plain hash keeps them well.
_BROKER_ITERATIONS = 101
SPARKPLUG = "spBv1.0"


class Token(NamedTuple):
    """A token as the register shows it: never itself."""

    id: int
    issued_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None

    def opens(self, now: datetime) -> bool:
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > now)


class BrokerAccount(NamedTuple):
    """What a broker needs to let one device in, on its own topics only.

    `password_line` is empty for a device that has a certificate and no token.
    """

    username: str
    password_line: str
    topic: str
    access: tuple[str, ...] = ()


def token_hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def issue_token(
    conn: Connection,
    city: str,
    device_id: str,
    clock: Clock | None = None,
    *,
    valid_for: timedelta | None = None,
    grace: timedelta = timedelta(0),
) -> str:
    """Give a registered device a new token, told this once; its earlier ones end after `grace`.

    `valid_for`: the new one's own life; without it, until it is replaced or revoked. At the MQTT
    broker, which knows one password a login, the new one counts at once.
    """
    now = (clock or SystemClock()).now()
    token = secrets.token_urlsafe(32)
    salt = secrets.token_bytes(12)
    key = hashlib.pbkdf2_hmac("sha512", token.encode(), salt, _BROKER_ITERATIONS)
    parts = (base64.b64encode(part).decode() for part in (salt, key))
    broker = f"$7${_BROKER_ITERATIONS}${'$'.join(parts)}"
    with cursor(conn) as cur:
        cur.execute(
            "UPDATE devices_token SET expires_at = least(expires_at, %s),"
            " revoked_at = CASE WHEN %s THEN %s ELSE revoked_at END"
            " WHERE city = %s AND device_id = %s AND revoked_at IS NULL",
            (now + grace, not grace, now, city, device_id),
        )
        cur.execute(
            "INSERT INTO devices_token (city, device_id, token_hash, broker_hash, issued_at,"
            " expires_at) VALUES (%s, %s, %s, %s, %s, %s)",
            (city, device_id, token_hash(token), broker, now,
             now + valid_for if valid_for else None),
        )  # fmt: skip
    return token


def revoke_tokens(conn: Connection, city: str, device_id: str, clock: Clock | None = None) -> int:
    """Make every token of a device void at once; how many it were."""
    now = (clock or SystemClock()).now()
    with cursor(conn) as cur:
        cur.execute(
            "UPDATE devices_token SET revoked_at = %s WHERE city = %s AND device_id = %s"
            " AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > %s)",
            (now, city, device_id, now),
        )
        return cur.rowcount


def tokens(conn: Connection, city: str, device_id: str) -> list[Token]:
    """A device's tokens, newest first."""
    with cursor(conn) as cur:
        cur.execute(
            "SELECT token_id, issued_at, expires_at, revoked_at FROM devices_token"
            " WHERE city = %s AND device_id = %s ORDER BY token_id DESC",
            (city, device_id),
        )
        return [Token(*row) for row in cur]


def broker_accounts(conn: Connection, city: str, clock: Clock | None = None) -> list[BrokerAccount]:
    """Each device's login for an MQTT broker: `<city>.<device>` with its token as password.

    `password_line` is for Mosquitto's password file (PBKDF2 with SHA-512, `$7$`), `access` for its
    access list (`user …` / `topic …`). The name is also what a client certificate's common name
    must be on a listener with `use_identity_as_username`.
    """
    now = (clock or SystemClock()).now()
    with cursor(conn) as cur:
        cur.execute(
            "SELECT d.device_id, d.driver, t.broker_hash FROM devices_device d"
            " LEFT JOIN LATERAL (SELECT broker_hash FROM devices_token t"
            "  WHERE t.city = d.city AND t.device_id = d.device_id AND t.revoked_at IS NULL"
            "  AND (t.expires_at IS NULL OR t.expires_at > %s) ORDER BY token_id DESC LIMIT 1) t"
            " ON true WHERE d.city = %s AND (t.broker_hash IS NOT NULL"
            "  OR ((d.certificate_sha256 IS NOT NULL OR d.certificate_subject IS NOT NULL)"
            "      AND (d.certificate_until IS NULL OR d.certificate_until > %s)))"
            " ORDER BY d.device_id",
            (now, city, now),
        )
        return [_account(city, *row) for row in cur]


def _account(city: str, device_id: str, driver: str, key: str | None) -> BrokerAccount:
    name = f"{city}.{device_id}"
    base = f"onsil/{city}/{device_id}"
    access = [f"write {base}/#", f"read {base}/down"]
    if driver == "sparkplug-b":
        edge = device_id.partition(".")[0]
        access += [f"write {SPARKPLUG}/{city}/+/{edge}", f"write {SPARKPLUG}/{city}/+/{edge}/+",
                   f"read {SPARKPLUG}/{city}/NCMD/{edge}", f"read {SPARKPLUG}/{city}/DCMD/{edge}/+",
                   f"read {SPARKPLUG}/STATE/+"]  # fmt: skip
    return BrokerAccount(name, f"{name}:{key}" if key else "", f"{base}/#", tuple(access))
