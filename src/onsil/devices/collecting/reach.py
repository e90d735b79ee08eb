"""Which addresses we ask: public ones for pulls, and the networks the operator has named.

A name is resolved here, every address it has is judged, and the connection goes to the judged
address: a name that changes its mind in between (DNS rebinding) gains nothing.
"""

import asyncio
import socket
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from onsil.core.refusal import OperationError
from onsil.devices.collecting.faults import Fault

Network = IPv4Network | IPv6Network


def networks(text: str) -> tuple[Network, ...]:
    """Networks from a setting, separated by commas. Raises OperationError."""
    try:
        return tuple(ip_network(one.strip()) for one in text.split(",") if one.strip())
    except ValueError as error:
        raise OperationError(f"not a network: {error}", retry=False) from error


def allowed(address: str, named: Sequence[Network], *, public: bool) -> bool:
    """Whether an address may be asked: in a named network, or public where that counts."""
    ip = ip_address(address)
    if isinstance(ip, IPv6Address) and ip.ipv4_mapped:
        ip = ip.ipv4_mapped
    if any(ip in network for network in named if network.version == ip.version):
        return True
    return public and ip.is_global and not ip.is_multicast


async def resolve(host: str, port: int, named: Sequence[Network], *, public: bool) -> str:
    """The address to connect to. Raises Fault for a name that leads nowhere or where none may."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Fault(
            "no-address", f"{host}의 주소를 찾을 수 없습니다. 이름을 확인하세요.",
            f"There is no address for {host}. Check the name.",
        ) from error  # fmt: skip
    addresses = [str(one[4][0]) for one in found]
    if not addresses or not all(allowed(one, named, public=public) for one in addresses):
        raise Fault(
            "forbidden-address",
            f"{host}은(는) 물을 수 있는 망에 있지 않습니다. 운영자 설정을 확인하세요.",
            f"{host} is not in a network that may be asked. See the operator's settings.",
        )  # fmt: skip
    return addresses[0]
