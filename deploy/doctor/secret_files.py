"""The files that secrets are read from: nobody else on this machine may read them."""

from __future__ import annotations

import stat
from collections.abc import Mapping
from pathlib import Path

from deploy.doctor.finding import Verdict, ok, warning
from deploy.doctor.setup import Setup
from deploy.doctor.veil import SECRETS
from deploy.doctor.words import count_of

# What a container is given there, it alone has.
_MOUNTED = Path("/run/secrets")
_IN_A_POD = "KUBERNETES_SERVICE_HOST"


async def look_at_files(setup: Setup) -> Verdict | list[Verdict]:
    """Secret files that every user of this machine can read."""
    named = {f"{name}_FILE": setup.environ.get(f"{name}_FILE") for name in SECRETS}
    files = {name: Path(path) for name, path in named.items() if path}
    found = [
        warning(
            f"Every user of this machine can read the secret that {name} names ({path}).",
            do=f"chmod o-r {path}, or close its directory to others. Make it anew if somebody may have read it.",
        )
        for name, path in files.items()
        if _is_open(path, setup.environ)
    ]
    return found or ok(
        f"{count_of(len(files), 'secret')} from files, none open to every user."
        if files
        else "No secret comes from a file."
    )


def _is_open(path: Path, environ: Mapping[str, str]) -> bool:
    if environ.get(_IN_A_POD) or _MOUNTED in path.parents:
        return False
    try:
        whole = path.resolve(strict=True)
        return bool(whole.stat().st_mode & stat.S_IROTH) and all(
            parent.stat().st_mode & stat.S_IXOTH for parent in whole.parents
        )
    except OSError:  # that it cannot be read is told with the values
        return False
