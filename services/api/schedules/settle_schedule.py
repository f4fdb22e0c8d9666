"""What came due of a schedule gets its rows before it counts from now on: nothing is lost without a word."""

from __future__ import annotations

from services.api.http import ProblemError
from shared.database import Connection, Row
from shared.schedules import RuleError, UnsettledError, settle


async def settle_schedule(tx: Connection, current: Row) -> None:
    """Make the due times that have come of a locked schedule, until it was paused if it is.

    Args:
        tx: the transaction that holds it.
        current: as `store.lock` read it.

    Raises:
        ProblemError: they are too many for one request (`state_conflict`).
    """
    try:
        await settle(tx, current, now=current["now"])
    except (RuleError, ValueError, OverflowError):
        return  # what it would have named nobody can tell; its error says why
    except UnsettledError as error:
        raise ProblemError("state_conflict", str(error)) from error
