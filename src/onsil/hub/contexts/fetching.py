"""Fetching contexts, for allowed hosts only: no private address, no large or slow answer.

An entry of the allow-list is a host (`example.org`: https and public addresses only), an origin
(`http://10.1.2.3:8087`: exactly that, wherever it is), `loopback`: whatever this machine itself
serves, or `*`: any, at private addresses, too, but not link-local ones. Redirects are checked like
first requests.
"""

import asyncio
import ipaddress
import re
import socket
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urljoin, urlsplit

from onsil.core.loopback import LOOPBACK, is_loopback
from onsil.hub.contexts.compiled import ContextError
from onsil.hub.contexts.library import SIZE_MAX, read_document

if TYPE_CHECKING:  # it comes in late: who fetches nothing starts sooner without it
    import httpx

TIMEOUT_S = 3.0
_REDIRECTS_MAX = 3
_AGE_S = 86_400
_AGE_LEAST_S, _AGE_MOST_S = 60, 7 * 86_400
_MAX_AGE = re.compile(r"max-age=(\d{1,9})")
# IPv6 addresses that stand for IPv4 ones elsewhere (RFC 6052, RFC 8215).
_TRANSLATED = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("64:ff9b:1::/48"))
_PORTS = {"http": 80, "https": 443}


Addresses = Callable[[str, int], Awaitable[Sequence[str]]]


class Fetched(NamedTuple):
    """A context's document and how many seconds it may be kept."""

    document: Any
    age_s: int


async def addresses_of(host: str, port: int) -> Sequence[str]:
    """The addresses a name stands for. Raises OSError."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


class Fetcher:
    """Gets contexts from the network. `addresses` and `transport` are for tests."""

    def __init__(
        self,
        allowed: Sequence[str] = (),
        *,
        addresses: Addresses = addresses_of,
        transport: "httpx.AsyncBaseTransport | None" = None,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        entries = [entry.strip().rstrip("/").lower() for entry in allowed if entry.strip()]
        self._anywhere = "*" in entries
        self._loopback = LOOPBACK in entries
        self._origins = frozenset(e for e in entries if "://" in e)
        self._hosts = frozenset(e for e in entries if "://" not in e)
        self._addresses, self._transport, self._timeout_s = addresses, transport, timeout_s

    async def fetch(self, url: str) -> Fetched:
        """The document at a URL.

        Raises ContextError: `unavailable`, or not for a document without a context (§5.5.6).
        """
        import httpx

        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._fetch(url)
        except TimeoutError:
            raise _away(url, f"no answer within {self._timeout_s:g} s") from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
            if isinstance(error, ContextError):
                raise
            raise _away(url, type(error).__name__) from error

    async def _fetch(self, url: str) -> Fetched:
        import httpx

        at = url
        for _ in range(_REDIRECTS_MAX + 1):
            target, host = await self._checked(url, at)
            async with (
                httpx.AsyncClient(
                    transport=self._transport, trust_env=False, timeout=self._timeout_s
                ) as client,
                client.stream(
                    "GET", target, follow_redirects=False,
                    headers={
                        "Host": host, "Accept": "application/ld+json, application/json;q=0.9",
                        "Accept-Encoding": "identity",
                    },
                    extensions={"sni_hostname": urlsplit(at).hostname},
                ) as response,
            ):  # fmt: skip
                if response.is_redirect:
                    at = urljoin(at, response.headers.get("Location", ""))
                    continue
                if response.status_code != 200:
                    raise _away(url, f"status {response.status_code}")
                return Fetched(
                    read_document(await _content(response, url), url),
                    _age_s(response.headers.get("Cache-Control", "")),
                )
        raise _away(url, "too many redirects")

    async def _checked(self, url: str, at: str) -> tuple[str, str]:
        """The URL with a checked address for its name, and the Host header. Raises ContextError."""
        parts = urlsplit(at)
        host = (parts.hostname or "").lower()
        port = parts.port or _PORTS.get(parts.scheme, 0)
        if not host or not port or parts.username is not None:
            raise _away(url, "not a URL to fetch from")
        named = f"{parts.scheme}://{parts.netloc.lower()}"
        trusted = named in self._origins
        listed = host in self._hosts and parts.scheme == "https" and port == 443
        here = self._loopback and is_loopback(host)
        if not (trusted or listed or here or self._anywhere):
            raise _away(url, f"{named} is not among the allowed hosts")
        found = await self._addresses(host, port)
        if not found:
            raise _away(url, "no address")
        usable = _is_usable if self._anywhere else is_loopback if here else _is_public
        if not trusted and not all(usable(address) for address in found):
            raise _away(url, f"{host} is not at an address to fetch from")
        # The checked address itself is asked, so that the name cannot turn to another meanwhile.
        address = f"[{found[0]}]" if ":" in found[0] else found[0]
        return parts._replace(netloc=f"{address}:{port}", fragment="").geturl(), parts.netloc


def _is_public(address: str) -> bool:
    found = ipaddress.ip_address(address.partition("%")[0])
    mapped = getattr(found, "ipv4_mapped", None) or getattr(found, "sixtofour", None)
    if mapped is not None:
        found = mapped
    return found.is_global and not found.is_multicast and not any(found in n for n in _TRANSLATED)


def _is_usable(address: str) -> bool:
    """Whether an address may be asked where any host may: public, private or this machine's."""
    found = ipaddress.ip_address(address.partition("%")[0])
    found = getattr(found, "ipv4_mapped", None) or found
    if found.is_link_local or found.is_multicast or found.is_unspecified:
        return False
    return found.is_loopback or found.is_private or _is_public(address)


async def _content(response: "httpx.Response", url: str) -> bytes:
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise _away(url, "it is compressed")  # its size would not be known
    chunks, size = [], 0
    async for chunk in response.aiter_bytes():
        size += len(chunk)
        if size > SIZE_MAX:
            raise _away(url, f"it is larger than {SIZE_MAX} bytes")
        chunks.append(chunk)
    return b"".join(chunks)


def _age_s(cache_control: str) -> int:
    """How long a document may be kept, by what its server says (RFC 9111), within our limits."""
    found = _MAX_AGE.search(cache_control.lower())
    if "no-store" in cache_control.lower() or "no-cache" in cache_control.lower():
        return _AGE_LEAST_S
    return min(max(int(found[1]), _AGE_LEAST_S), _AGE_MOST_S) if found else _AGE_S


def _away(url: str, why: str) -> ContextError:
    return ContextError(f"context {url[:200]} is not available: {why}", unavailable=True)
