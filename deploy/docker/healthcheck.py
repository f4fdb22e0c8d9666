"""The health check of a container: `python -m deploy.docker.healthcheck URL` exits 0 if the URL answers 200.

No shell, curl or proxy setting of the container plays a part in it.
"""

from __future__ import annotations

import http.client
import sys
from urllib.parse import urlsplit

_DEADLINE_S = 4.0
_SHOWN_BYTES = 500


def check(url: str) -> str | None:
    """Ask `url` once.

    Returns:
        None if it answered 200, else what was wrong, in one line for the container's health log.
    """
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=_DEADLINE_S)
    try:
        connection.request("GET", parts.path or "/")
        answer = connection.getresponse()
        if answer.status == http.HTTPStatus.OK:
            return None
        return f"{url} answered {answer.status}: {answer.read(_SHOWN_BYTES).decode(errors='replace')}"
    except (OSError, http.client.HTTPException) as error:
        return f"{url} did not answer: {error or type(error).__name__}"
    finally:
        connection.close()


def main() -> None:
    """Check the URL given as the only argument."""
    if len(sys.argv) != 2:  # noqa: PLR2004 - the program and its one argument
        sys.exit("usage: python -m deploy.docker.healthcheck URL")
    sys.exit(check(sys.argv[1]))


if __name__ == "__main__":
    main()
