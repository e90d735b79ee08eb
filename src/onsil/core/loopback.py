"""This machine as a host: apart, as the broker asks for it before anything large is loaded."""

import ipaddress

LOOPBACK = "loopback"  # in lists of hosts: this machine, by whatever name


def is_loopback(name: str) -> bool:
    """Whether a host's name or address stands for this machine alone."""
    if name == "localhost":
        return True
    try:
        found = ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return False
    return (getattr(found, "ipv4_mapped", None) or found).is_loopback
