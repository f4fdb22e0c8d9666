"""Why a server cannot be reached, in words, and what to do about it."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from urllib.parse import urlsplit

import aiohttp

from deploy.doctor.check import RefusedError


def place_of(url: str) -> str:
    """Host and port of a URL, without user and password."""
    return urlsplit(url).netloc.rpartition("@")[2]


def unreachable(error: BaseException, *, server: str, url: str, setting: str) -> RefusedError:
    """What to say where no conversation came about.

    Args:
        error: what the library raised.
        server: its name for people.
        url: where it was looked for.
        setting: the variable that says so.
    """
    half, do = _why(error, setting)
    return RefusedError(f"{server} at {place_of(url)} cannot be reached: {half}.", do=do)


def _why(error: BaseException, setting: str) -> tuple[str, str]:
    for cause in _chain(error):
        if isinstance(cause, socket.gaierror):
            return "its host name is not known", f"Correct the host in {setting}, or the name service of this machine."
        if isinstance(cause, ssl.SSLCertVerificationError):
            do = f"Give it a valid certificate for the host in {setting}, or trust its signer here (SSL_CERT_FILE)."
            return f"its certificate is not trusted ({cause.verify_message})", do
        if isinstance(cause, ssl.SSLError):
            return "it does not speak TLS as this machine does", f"Correct scheme and port in {setting}."
        if isinstance(cause, ConnectionRefusedError):
            return "nobody listens there", f"Start it, or correct host and port in {setting}."
        if isinstance(cause, aiohttp.ServerDisconnectedError):
            return "it hangs up without an answer", f"Correct scheme and port in {setting}, or see its log."
        if isinstance(cause, EOFError):
            return "it hangs up before it has answered", f"Correct scheme and port in {setting}, or see its log."
    if any(isinstance(cause, TimeoutError) for cause in _chain(error)):
        do = f"See whether it runs, whether a firewall is between, and whether host and port in {setting} are right."
        return "nothing answers in time", do
    return str(error) or type(error).__name__, f"See whether it runs, its log, and whether {setting} is right."


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error, what it came from, and what that came from; in place of aiohttp's errors what they are about."""
    while error is not None:
        if isinstance(error, aiohttp.ClientConnectorCertificateError):
            yield error.certificate_error
        elif isinstance(error, aiohttp.ClientConnectorError):
            yield error.os_error
        else:
            yield error
        error = error.__cause__ or error.__context__
