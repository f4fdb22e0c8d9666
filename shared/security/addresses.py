"""Which network addresses a URL from outside may lead to: global ones, also by the address embedded in them."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

# Allowed by name rather than forbidden by name: what is new or odd in IPv6 stays outside.
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")
_SIX_TO_FOUR = IPv6Network("2002::/16")  # 6to4: the IPv4 address follows the prefix
_FORBIDDEN_V6 = (
    IPv6Network("2001::/23"),  # protocol assignments, Teredo among them
    IPv6Network("2001:db8::/32"),  # documentation
    IPv6Network("3fff::/20"),  # documentation
)
_FORBIDDEN_V4 = (
    IPv4Network("192.88.99.0/24"),  # the retired 6to4 relays
    IPv4Network("192.0.0.0/24"),  # protocol assignments
)
_ISATAP = (0x00005EFE, 0x02005EFE)  # the middle of an address that embeds an IPv4 address at its end


def is_public(address: str) -> bool:
    """Whether an address, in the form that sockets know, lies on the public internet."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    return _is_public_v4(parsed) if isinstance(parsed, IPv4Address) else _is_public_v6(parsed)


def _is_public_v4(address: IPv4Address) -> bool:
    return address.is_global and not address.is_multicast and not any(address in network for network in _FORBIDDEN_V4)


def _is_public_v6(address: IPv6Address) -> bool:
    translated = _translated(address)
    if translated is not None:
        return _is_public_v4(translated)
    tunnelled = _tunnelled(address)
    return (
        address in _GLOBAL_UNICAST
        and address.is_global
        and address.scope_id is None
        and not any(address in network for network in _FORBIDDEN_V6)
        and (tunnelled is None or _is_public_v4(tunnelled))
    )


def _translated(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that this one is only another spelling of."""
    return IPv4Address(int(address) & 0xFFFFFFFF) if address in _NAT64 else address.ipv4_mapped


def _tunnelled(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address at whose host a tunnel to this one ends."""
    value = int(address)
    if (value >> 32) & 0xFFFFFFFF in _ISATAP:
        return IPv4Address(value & 0xFFFFFFFF)
    return IPv4Address((value >> 80) & 0xFFFFFFFF) if address in _SIX_TO_FOUR else None
