"""Pages of a list that is kept oldest first and shown newest first."""

from __future__ import annotations

import base64
import binascii
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from deploy.emulator.error_table import INVALID_PARAMETER
from deploy.emulator.errors import GraphError

# Not settled upstream: these are what most edges of the Graph API use.
LIMIT_DEFAULT = 25
LIMIT_MAX = 100


@dataclass(frozen=True, kw_only=True)
class Page:
    """One page of ids, newest first."""

    ids: list[int]
    has_newer: bool
    has_older: bool


def page_limit(text: str | None) -> int:
    """The asked size of a page, at most 100.

    Raises:
        GraphError: it is no whole number of 1 or more.
    """
    if text is None:
        return LIMIT_DEFAULT
    if not text.isdecimal() or int(text[:10]) < 1:
        raise GraphError(INVALID_PARAMETER, "(#100) Param limit must be a whole number of 1 or more")
    return min(LIMIT_MAX, int(text[:10]))


def page_of(ids: Sequence[int], *, limit: int, after: str | None, before: str | None) -> Page:
    """The `limit` ids next older than the cursor `after`, or next newer than `before`, or the newest.

    Args:
        ids: in ascending order; a cursor's own id may be gone.
        limit: ids in the page.
        after: wins over `before`.
        before: a cursor of an earlier answer.

    Raises:
        GraphError: not a cursor of an earlier answer.
    """
    if after is None and before is not None:
        start = bisect_right(ids, _id_of(before))
        end = min(len(ids), start + limit)
    else:
        end = len(ids) if after is None else bisect_left(ids, _id_of(after))
        start = max(0, end - limit)
    return Page(ids=list(reversed(ids[start:end])), has_newer=end < len(ids), has_older=start > 0)


def cursor(any_id: int) -> str:
    """The opaque mark of a place in the list."""
    return base64.urlsafe_b64encode(str(any_id).encode()).decode().rstrip("=")


def _id_of(text: str) -> int:
    try:
        return int(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)[:20])
    except (binascii.Error, ValueError) as error:
        raise GraphError(INVALID_PARAMETER, "(#100) Invalid paging cursor") from error
