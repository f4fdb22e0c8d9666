"""Whether a proxy can be what a client says it is."""

from __future__ import annotations

import re
from ipaddress import ip_address

from services.api.http import invalid
from services.api.proxies.contract import Credentials
from services.api.proxies.store import ProxyWrite
from shared.security import Origin

_NAME_CHARS_MAX = 100
_HOST_CHARS_MAX = 253
_LABEL = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST = re.compile(rf"{_LABEL}(\.{_LABEL})*", re.ASCII)
# Four numbers that are no address, or a number alone, which resolvers take for one.
_NUMERIC = re.compile(r"(.*\.)?(0x[0-9a-f]*|[0-9]+)", re.ASCII)
_USERNAME = re.compile(r"[ -9;-~]{1,255}", re.ASCII)
_PASSWORD = re.compile(r"[ -~]{0,255}", re.ASCII)


def check_proxy(*, name: str, scheme: str, host: str, port: int, graph_url: str) -> ProxyWrite:
    """What a client wants, if it can be had.

    Args:
        name: of the proxy.
        scheme: how it is spoken to.
        host: its name or address. One in a private network is fit.
        port: of it.
        graph_url: the platform's API. Only where that is this machine itself, a proxy may be too.

    Raises:
        ProblemError: a value is out of bounds.
    """
    cleaned = name.strip()
    if not 1 <= len(cleaned) <= _NAME_CHARS_MAX or not cleaned.isprintable():
        raise invalid("invalid_value", f"A name has 1 to {_NAME_CHARS_MAX} printable characters.", path="name")
    return ProxyWrite(name=cleaned, scheme=scheme, host=_checked_host(host, graph_url=graph_url), port=port)


def check_credentials(credentials: Credentials) -> str:
    """The credentials as one text, as they are sealed.

    Raises:
        ProblemError: they cannot be sent to a proxy.
    """
    if not _USERNAME.fullmatch(credentials.username):
        message = "A user name has 1 to 255 printable ASCII characters, and no colon."
        raise invalid("invalid_value", message, path="credentials.username")
    if not _PASSWORD.fullmatch(credentials.password):
        message = "A password has at most 255 printable ASCII characters."
        raise invalid("invalid_value", message, path="credentials.password")
    return f"{credentials.username}:{credentials.password}"


def _checked_host(host: str, *, graph_url: str) -> str:
    cleaned = host.strip().lower()
    try:
        address = ip_address(cleaned)
    except ValueError:
        if len(cleaned) > _HOST_CHARS_MAX or not _HOST.fullmatch(cleaned) or _NUMERIC.fullmatch(cleaned):
            message = "A host is a name such as proxy.example.com, or an IP address: without scheme, port and path."
            raise invalid("invalid_value", message, path="host") from None
        return _unless_local(cleaned, is_local=_is_local_name(cleaned), graph_url=graph_url)
    mapped = getattr(address, "ipv4_mapped", None) or address
    if mapped.is_link_local or mapped.is_multicast or mapped.is_unspecified or "%" in cleaned:
        message = "No proxy stands at this address: it is link-local, multicast, or means none."
        raise invalid("invalid_value", message, path="host")
    return _unless_local(cleaned, is_local=mapped.is_loopback, graph_url=graph_url)


def _unless_local(host: str, *, is_local: bool, graph_url: str) -> str:
    if is_local and not _is_local_host(Origin.of(graph_url).host):
        message = "This means another machine to each service. Give the address that all of them reach it by."
        raise invalid("invalid_value", message, path="host")
    return host


def _is_local_name(host: str) -> bool:
    return host == "localhost" or host.endswith(".localhost")


def _is_local_host(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return _is_local_name(host)
