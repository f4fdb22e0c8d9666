"""Before something is removed: what waits to be published of it is told, or canceled if that is wished."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from services.api.http import Caller, Fault, ProblemError
from services.api.posts import store
from services.api.publications.contract import Removed
from shared.database import Connection
from shared.publications import Halt, stop_publications


async def awaited_faults(tx: Connection, post_ids: Sequence[UUID], *, caller: Caller) -> list[Fault]:
    """One fault if publications of these posts are to come or under way.

    Raises:
        ProblemError: one of them is on an account that the key may not act on.
    """
    found = await store.awaited(tx, post_ids, user_id=caller.user_id)
    if found is None or not found["number"]:
        return []
    caller.require_allowed(found["account_ids"])
    message = f"{found['number']:,} publication(s) are to come or under way, such as {_listed(found['examples'])}."
    return [Fault(code="in_use", message=message, existing_id=found["examples"][0])]


async def stop_posts(tx: Connection, post_ids: Sequence[UUID], *, user_id: UUID) -> Removed:
    """Cancel whatever of these posts is not live yet."""
    stopped = await stop_publications(tx, Halt.CANCEL, user_id=user_id, post_ids=post_ids)
    return Removed(canceled=stopped.stopped, in_flight=stopped.in_flight, sent=stopped.sent, paused_schedules=0)


def shown_fault(post_ids: Sequence[UUID]) -> Fault:
    """The fault of a medium that posts show."""
    message = f"{len(post_ids):,} post(s) show it, such as {_listed(post_ids[:3])}."
    return Fault(code="in_use", message=message, existing_id=post_ids[0])


def require_unused(faults: Sequence[Fault]) -> None:
    """Go on only if nothing depends on it.

    Raises:
        ProblemError: `in_use`, with what does.
    """
    if faults:
        detail = f"{faults[0].message} With cancel=true it is removed all the same, and what depends on it is stopped."
        raise ProblemError("in_use", detail, errors=faults)


def _listed(ids: Sequence[UUID]) -> str:
    return ", ".join(str(one) for one in ids)
