"""Recurring jobs in memory: rows as PostgreSQL holds them, planned by the scheduler's own rules."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, cast

from shared.database import Row
from shared.jobs.recurring.add import Recurring, first_due_at
from shared.jobs.recurring.fire import plan_row
from shared.jobs.recurring.rows import write_options
from shared.jobs.repeat import Misfire
from shared.outbox import Message

_RHYTHM = ("every_ms", "cron", "zone")
# Firings that one sweep catches up with; the next sweep goes on.
_MOST_AT_ONCE = 500


class Timetable:
    """What recurs, by name."""

    def __init__(self) -> None:
        """Begin empty."""
        self._rows: dict[str, dict[str, Any]] = {}

    def add(self, recurring: Recurring, *, now: datetime) -> None:
        """Make a job recur, or change the one that has its name."""
        rule = recurring.rule
        row = {
            "name": recurring.name,
            "type": recurring.type.value,
            "payload": recurring.payload.decode(),
            "version": recurring.version,
            "options": write_options(recurring.type, recurring.options),
            "every_ms": rule.every_ms,
            "cron": rule.cron,
            "zone": rule.zone,
            "misfire": rule.misfire.value,
            "next_due_at": first_due_at(recurring, now),
        }
        known = self._rows.get(recurring.name)
        if known is not None:
            row["next_due_at"] = _next_due_at(known, row, now)
        self._rows[recurring.name] = row

    def fire(self, now: datetime) -> Iterator[tuple[Message, Misfire]]:
        """One sweep: what is due, the longest due first; each due time fires once."""
        rows = [row for row in self._rows.values() if row["next_due_at"] <= now]
        for row in sorted(rows, key=lambda row: row["next_due_at"]):
            due = plan_row(cast(Row, {**row, "now": now}), most=_MOST_AT_ONCE)
            row["next_due_at"] = due.plan.next_due_at
            yield from ((message, Misfire(row["misfire"])) for message in due.messages)

    def next_due(self) -> dict[str, datetime]:
        """When each job fires next, by name."""
        return {name: row["next_due_at"] for name, row in self._rows.items()}


def _next_due_at(known: dict[str, Any], new: dict[str, Any], now: datetime) -> datetime:
    """As `add_recurring` has it: one rhythm keeps its due time, another comes one period from now at the latest."""
    was: datetime = known["next_due_at"]
    first: datetime = new["next_due_at"]
    if [known[part] for part in _RHYTHM] == [new[part] for part in _RHYTHM]:
        return was
    if new["every_ms"] is not None:
        return min(was, first, now + timedelta(milliseconds=new["every_ms"]))
    return min(was, first) if was <= now else first
