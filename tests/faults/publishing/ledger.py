"""The account of a run: what the database says of each publication beside what is live at the platform."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import asyncpg

from tests.faults.publishing.arrows import SEEN_ARROWS, illegal
from tests.faults.publishing.ground import Ground

_PUBLICATIONS = """
    SELECT publications.id::text AS id, publications.state, publications.reason, publications.epoch,
           accounts.instagram_user_id, posts.caption, posts.type, next_attempt_at > now() AS is_to_come
    FROM publications
    JOIN accounts ON accounts.id = publications.account_id
    JOIN posts ON posts.id = publications.post_id
"""
# A wait of hours, as for a used up quota, is a state with a reason: nobody waits for its end here.
_WAITING = """
    SELECT count(*) FROM publications
    WHERE state = 'publishing' OR (state = 'held' AND $1)
       OR (state = 'scheduled' AND (reason IS NULL OR next_attempt_at < now() + interval '20 minutes'))
"""
_STORY = "STORY"


@dataclass(kw_only=True)
class Ledger:
    """What came of everything."""

    publications: int = 0
    states: Counter[tuple[str, str | None]] = field(default_factory=Counter)  # of state and reason
    lost: list[str] = field(default_factory=list)  # told as published, but not live
    twice: list[str] = field(default_factory=list)  # live more than once, no worker frozen
    twice_frozen: list[str] = field(default_factory=list)  # the same, of a worker frozen between mark and call
    denied: list[str] = field(default_factory=list)  # live, but told as failed, missed or canceled
    unsettled: list[str] = field(default_factory=list)  # neither an end nor a reason
    illegal_arrows: int = 0
    moves: int = 0
    claims: int = 0

    @property
    def is_clean(self) -> bool:
        """Nothing lost, doubled, denied, left over or moved along no arrow. Frozen workers are counted apart."""
        return not (self.lost or self.twice or self.denied or self.unsettled or self.illegal_arrows)


async def waiting(ground: Ground, *, held_too: bool) -> int:
    """Publications that have not ended."""
    number: int = await ground.database.fetchval(_WAITING, held_too)
    return number


async def read_ledger(ground: Ground, *, frozen: set[str]) -> Ledger:
    """Compare everything that was wished for with everything that is live."""
    rows = await ground.database.fetch(_PUBLICATIONS)
    live = _live(await ground.emulator("GET", "media"))
    ledger = Ledger(publications=len(rows), claims=sum(row["epoch"] for row in rows))
    for row in rows:
        _enter(ledger, row, live[_name(row["instagram_user_id"], row["type"] == "story", row["caption"])], frozen)
    arrows = [tuple(row) for row in await ground.database.fetch(SEEN_ARROWS)]
    ledger.illegal_arrows, ledger.moves = illegal(arrows), sum(number for _, _, number in arrows)
    return ledger


def _enter(ledger: Ledger, row: asyncpg.Record, times_live: int, frozen: set[str]) -> None:
    state, publication_id = row["state"], row["id"]
    ledger.states[state, row["reason"]] += 1
    if state == "published" and times_live == 0:
        ledger.lost.append(publication_id)
    if times_live > 1:
        (ledger.twice_frozen if publication_id in frozen else ledger.twice).append(publication_id)
    if times_live and state in {"failed", "missed", "canceled"}:
        ledger.denied.append(publication_id)
    waits = state == "scheduled" and row["is_to_come"] and row["reason"]
    if (state in {"scheduled", "publishing"} and not waits) or (state != "published" and not row["reason"]):
        ledger.unsettled.append(publication_id)


def _live(media: Sequence[Mapping[str, Any]]) -> Counter[tuple[str, bool, str]]:
    """How often each post is live on each account."""
    return Counter(_name(one["ig_user_id"], one["media_product_type"] == _STORY, one["caption"] or "") for one in media)


def _name(ig_user_id: str, is_story: bool, caption: str) -> tuple[str, bool, str]:  # noqa: FBT001 - parts of a name
    return ig_user_id, is_story, "" if is_story else caption
