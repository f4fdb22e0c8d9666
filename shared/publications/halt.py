"""A person's wish on a publication that a worker holds, and how the worker's next write obeys it.

The wish is written on the row under its lock, and the mark that comes before the irreversible call is refused where one
stands. So one of the two came first: the wish, and nothing is sent; or the call, and it is said so.
"""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from uuid import UUID

from shared.database import Connection
from shared.publications.change import Change
from shared.publications.states import Owner, PublicationState, Step

# Locked, wish or not: one that comes now waits, and finds what was written.
_READ = """
    SELECT halt, step, publish_sends
    FROM publications
    WHERE user_id = $1 AND id = $2
    FOR NO KEY UPDATE
"""


class Halt(StrEnum):
    """What a person wishes."""

    HOLD = "hold"  # wait until its distribution goes on
    CANCEL = "cancel"


#: Why a publication stands still after each wish.
REASON_OF = {Halt.HOLD: "distribution_paused", Halt.CANCEL: "canceled_by_user"}
#: Where each wish leads.
TARGET_OF = {Halt.HOLD: PublicationState.HELD, Halt.CANCEL: PublicationState.CANCELED}
_GIVEN_BACK = frozenset({PublicationState.SCHEDULED, PublicationState.HELD})


async def obey(tx: Connection, publication_id: UUID, change: Change, *, user_id: UUID) -> Change:
    """The change that is made where a worker gives a publication back: its own, or the one that a person wished for.

    While a publish call is open the post may be live: then it is found out first, and the wish waits on the row.
    """
    if change.owner is not Owner.PUBLISHER or change.to not in _GIVEN_BACK:
        return change
    row = await tx.fetchrow(_READ, user_id, publication_id)
    if row is None or row["halt"] is None:
        return change
    taken_back = change.drop_container or (change.unsend and row["publish_sends"] <= 1)
    if row["step"] == Step.PUBLISH_SENT and not taken_back:
        return change
    wish = Halt(row["halt"])
    return replace(
        change,
        to=TARGET_OF[wish],
        reason=REASON_OF[wish],
        give_back=max(change.give_back, 1),
        through_outbox=False,
    )
