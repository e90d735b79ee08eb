"""Which addresses notifications may go to: nobody uses the broker to reach what it alone can see.

Names are looked up here and the connection goes to the address that was checked, so that a name
cannot point elsewhere a moment later.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Unreachable(OSError):
    """The endpoint's address may not be used, or cannot be found."""


@dataclass(frozen=True)
class Reach:
    """Where notifications may go besides public addresses; `hosts` are let through whatever they
    are. Link-local, multicast and unspecified addresses are never used."""

    private: bool = False
    loopback: bool = False
    hosts: frozenset[str] = field(default_factory=frozenset)

    def allows(self, address: Address) -> bool:
        mapped = getattr(address, "ipv4_mapped", None)
        if mapped is not None:
            return self.allows(mapped)
        if address.is_multicast or address.is_unspecified or address.is_link_local:
            return False
        if address.is_loopback:
            return self.loopback
        return address.is_global or (address.is_private and self.private)


PUBLIC = Reach()
LOCAL = Reach(private=True, loopback=True)


async def checked_addresses(
    host: str, port: int, reach: Reach, timeout_s: float | None = None
) -> Sequence[str]:
    """The addresses of a host that may be used. Raises Unreachable when there is none."""
    try:
        found = await asyncio.wait_for(
            asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM), timeout_s
        )
    except (socket.gaierror, UnicodeError) as error:
        raise Unreachable(f"{host} cannot be found") from error
    except TimeoutError:
        raise Unreachable(f"{host} was not found in time") from None
    return usable(host, [str(one[4][0]) for one in found], reach)


def usable(host: str, addresses: Collection[str], reach: Reach) -> list[str]:
    """Those of a host's addresses that may be used. Raises Unreachable when there is none."""
    if host.lower() in reach.hosts:
        return list(dict.fromkeys(addresses))
    good = [
        text for text in dict.fromkeys(addresses)
        if reach.allows(ipaddress.ip_address(text.partition("%")[0]))
    ]  # fmt: skip
    if not good:
        raise Unreachable(f"requests may not be sent to {host}")
    return good
