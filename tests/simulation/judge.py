"""Judging a simulated year: every promise against the rows, and every row against the promises."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from shared.database import Pool, Row
from tests.simulation.rules import Due, Promise, promised

# The system looks every second; later than this, and a due time counts as slept through.
_LATE = timedelta(seconds=60)
_ENDED = {"published", "failed", "missed", "canceled"}
#: Why an occurrence that nothing kept from being processed may end without a distribution.
_PLAIN_REASONS = {"queue_empty", "no_account"}

_OCCURRENCES = """
    SELECT schedule_id, local_date, slot, due_at, state, reason, distribution_id, publications, conflict_count,
           processed_at
    FROM schedule_occurrences
"""
_DISTRIBUTIONS = "SELECT id, schedule_id, created_at FROM distributions"
_PUBLICATIONS = """
    SELECT distribution_id, account_id, post_id, state, reason, published_at FROM publications
    UNION ALL
    SELECT distribution_id, account_id, post_id, state, reason, published_at FROM publications_archive
"""


@dataclass(frozen=True, kw_only=True)
class Outage:
    """Nothing of the system ran between these moments."""

    begin: datetime
    end: datetime


@dataclass(kw_only=True)
class Verdict:
    """What a year came to."""

    occurrences: Counter[str] = field(default_factory=Counter)  # by state and reason
    publications: Counter[str] = field(default_factory=Counter)  # by state and, where it was missed, reason
    faults: list[str] = field(default_factory=list)  # what was promised and not kept
    latest_s: float = 0.0  # longest time from due to processed, outages apart

    def blame(self, text: str) -> None:
        """Note what went wrong."""
        self.faults.append(text)


async def judge(
    pool: Pool, promises: Sequence[Promise], *, begin: datetime, end: datetime, outages: Sequence[Outage]
) -> Verdict:
    """Compare what happened with what was promised."""
    verdict = Verdict()
    rows = {(row["schedule_id"], row["local_date"], row["slot"]): row for row in await pool.fetch(_OCCURRENCES)}
    for promise in promises:
        dues = promised(promise, begin, end)
        for outage in outages:
            _judge_outage(verdict, promise, [due for due in dues if _in(outage, due)], rows, outage)
        for due in dues:
            _judge_due(verdict, due, rows.pop(due.key, None), slept=any(_in(outage, due) for outage in outages))
    for key in rows:
        verdict.blame(f"{key} was never promised")
    await _judge_publications(verdict, pool)
    return verdict


def _in(outage: Outage, due: Due) -> bool:
    return outage.begin < due.due_at < outage.end


def _judge_due(verdict: Verdict, due: Due, row: Row | None, *, slept: bool) -> None:
    if row is None:
        verdict.blame(f"{due} has no row")
        return
    verdict.occurrences[f"{row['state']}:{row['reason'] or ''}"] += 1
    if row["due_at"] != due.due_at:
        verdict.blame(f"{due} was due at {row['due_at']}")
    if due.skipped:
        if (row["state"], row["reason"]) != ("skipped", "dst_gap"):
            verdict.blame(f"{due} is {row['state']}, {row['reason']}")
        return
    if slept:
        return
    verdict.latest_s = max(verdict.latest_s, (row["processed_at"] - due.due_at).total_seconds())
    if row["state"] != "distributed" and row["reason"] not in _PLAIN_REASONS:
        verdict.blame(f"{due} was on time and is {row['state']}, {row['reason']}")


def _judge_outage(
    verdict: Verdict, promise: Promise, slept: Sequence[Due], rows: dict[tuple[UUID, object, str], Row], outage: Outage
) -> None:
    """Of what was slept through at most the newest was made up for, and each of the others says why it was not."""
    late = [due for due in slept if outage.end - due.due_at > _LATE and not due.skipped]
    made = [due for due in late if due.key in rows and rows[due.key]["state"] == "distributed"]
    allowed = []
    if promise.misfire == "once" and late:
        newest = late[-1]
        lateness_s = (outage.end - newest.due_at).total_seconds()
        if promise.max_lateness_s is None or lateness_s <= promise.max_lateness_s:
            allowed = [newest]
    for due in set(made) - set(allowed):
        verdict.blame(f"{due} was slept through and yet made up for")
    for due in set(allowed) - set(made):
        if rows[due.key]["reason"] not in _PLAIN_REASONS:
            verdict.blame(f"{due} was to be made up for and is {rows[due.key]['reason']}")
    for due in late:
        if due not in allowed and due.key in rows and rows[due.key]["reason"] is None:
            verdict.blame(f"{due} was passed over without a word")


async def _judge_publications(verdict: Verdict, pool: Pool) -> None:
    """Each occurrence has the one distribution it tells of, with all its publications, and each of them has ended."""
    told = {row["distribution_id"]: row for row in await pool.fetch(_OCCURRENCES) if row["distribution_id"] is not None}
    for row in await pool.fetch(_DISTRIBUTIONS):
        if row["id"] not in told:
            verdict.blame(f"the distribution {row['id']} belongs to no occurrence")
    of_distribution: dict[UUID, Counter[UUID]] = defaultdict(Counter)
    for row in await pool.fetch(_PUBLICATIONS):
        reason = row["reason"] if row["state"] == "missed" else None
        verdict.publications[row["state"] if reason is None else f"{row['state']}:{reason}"] += 1
        of_distribution[row["distribution_id"]][row["account_id"]] += 1
        if row["state"] not in _ENDED:
            verdict.blame(f"a publication of {row['distribution_id']} is still {row['state']}")
        if row["state"] == "missed" and not row["reason"]:
            verdict.blame("a publication was missed without a word")
    for distribution_id, occurrence in told.items():
        made = of_distribution[distribution_id]
        if made.total() != occurrence["publications"] or any(count > 1 for count in made.values()):
            verdict.blame(f"{occurrence} has {made.total()} publications on {len(made)} accounts")
