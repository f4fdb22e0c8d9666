"""A full disk, told apart from one that fails."""

from __future__ import annotations

import errno

from services.api.http import ProblemError

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
_RETRY_AFTER_S = "60"


def is_disk_full(error: Exception) -> bool:
    """Whether there was no room left.

    The object store's library hands the system's error on as text only; the number in it is the system's own.
    """
    return getattr(error, "errno", None) in _NO_ROOM or any(f"(os error {number})" in str(error) for number in _NO_ROOM)


def storage_full() -> ProblemError:
    """The problem of a full disk."""
    detail = "There is no room left where media are kept. Tell the operator; try again when there is."
    return ProblemError("storage_full", detail, headers={"Retry-After": _RETRY_AFTER_S})
