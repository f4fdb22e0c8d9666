"""Where a webhook may lead."""

from __future__ import annotations

from yarl import URL

from shared.security import UnsafeUrlError, check_url, parse_url


def check_receiver(url: str, *, private_networks: bool) -> URL:
    """The URL as the HTTP client reads it, if its form alone does not forbid it; names are judged when connecting.

    Args:
        url: what a client gave.
        private_networks: the operator lets webhooks lead anywhere, over http too.

    Raises:
        UnsafeUrlError: it must not be called. Tell the client.
    """
    parsed = parse_url(url)
    if not private_networks:
        check_url(parsed, exempt=())
    elif parsed.user is not None or parsed.password is not None:
        raise UnsafeUrlError("The URL holds a user name or password. Give one without.")
    return parsed
