"""Schedules, queues and occurrences that tests make, sweep and process."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from uuid_utils.compat import uuid7

from services.scheduler.make_occurrences import make_occurrences_once
from services.scheduler.process_schedule import process_occurrence
from shared.database import Pool, Row
from shared.jobs import JobType, ProcessOccurrence, new_job
from shared.schedules import next_at, read_rule

_USUAL: dict[str, Any] = {
    "name": "Mornings",
    "cron": None,
    "slots": None,
    "timezone": "UTC",
    "dst_gap": "shift",
    "dst_overlap": "first",
    "starts_at": None,
    "ends_at": None,
    "misfire": "once",
    "account_id": None,
    "group_id": None,
    "post_id": None,
    "post_queue_id": None,
    "window_s": 0,
    "min_gap_s": 0.0,
    "max_lateness_s": None,
}


async def add_schedule(pool: Pool, user_id: UUID, *, made_until: datetime | None = None, **fields: Any) -> UUID:
    """A schedule that is made up to a moment; daily at midnight unless the fields say otherwise."""
    row = {**_USUAL, "id": uuid7(), "user_id": user_id, **fields}
    if row["cron"] is row["slots"] is None:
        row["cron"] = "0 0 * * *"
    row["made_until"] = made_until or await read_now(pool)
    row["next_at"] = fields.get("next_at") or next_at(read_rule(row), after=row["made_until"])
    places = ", ".join(f"${number}" for number in range(1, len(row) + 1))
    await pool.execute(f"INSERT INTO schedules ({', '.join(row)}) VALUES ({places})", *row.values())  # noqa: S608
    schedule_id: UUID = row["id"]
    return schedule_id


async def add_queue(
    pool: Pool, user_id: UUID, post_ids: Sequence[UUID] = (), *, on_empty: str = "wait", name: str = "Next"
) -> UUID:
    """A queue with these posts."""
    queue_id = uuid7()
    await pool.execute(
        "INSERT INTO post_queues (id, user_id, name, on_empty) VALUES ($1, $2, $3, $4)",
        queue_id,
        user_id,
        name,
        on_empty,
    )
    await put_in(pool, queue_id, user_id, post_ids)
    return queue_id


async def put_in(pool: Pool, queue_id: UUID, user_id: UUID, post_ids: Sequence[UUID]) -> None:
    """Posts at the end of a queue."""
    for post_id in post_ids:
        await pool.execute(
            "INSERT INTO post_queue_items (queue_id, user_id, post_id) VALUES ($1, $2, $3)", queue_id, user_id, post_id
        )


async def posts_in(pool: Pool, queue_id: UUID) -> list[UUID]:
    """What waits in a queue, in its order."""
    rows = await pool.fetch("SELECT post_id FROM post_queue_items WHERE queue_id = $1 ORDER BY position", queue_id)
    return [row["post_id"] for row in rows]


async def add_posts(pool: Pool, user_id: UUID, count: int) -> list[UUID]:
    """Posts with the pictures of the tenant's others."""
    ids = [uuid7() for _ in range(count)]
    for post_id in ids:
        await pool.execute(
            """
            INSERT INTO posts (id, user_id, type, caption, media_ids)
            SELECT $1, $2, 'image', 'A picture.', array_agg(id) FROM media WHERE user_id = $2
            """,
            post_id,
            user_id,
        )
    return ids


async def add_group(pool: Pool, user_id: UUID, account_ids: Sequence[UUID]) -> UUID:
    """A group of these accounts."""
    group_id = uuid7()
    await pool.execute("INSERT INTO groups (id, user_id, name) VALUES ($1, $2, 'All')", group_id, user_id)
    await pool.executemany(
        "INSERT INTO group_members (user_id, group_id, account_id) VALUES ($1, $2, $3)",
        [(user_id, group_id, account_id) for account_id in account_ids],
    )
    return group_id


async def add_occurrence(pool: Pool, schedule_id: UUID, *, late_s: float = 0.0) -> UUID:
    """One that is pending, so long after it was due."""
    occurrence_id: UUID = await pool.fetchval(
        """
        INSERT INTO schedule_occurrences (id, user_id, schedule_id, local_date, slot, due_at, state)
        SELECT $1::uuid, user_id, id, now()::date, $1::uuid::text, now() - $3::float8 * interval '1 second', 'pending'
        FROM schedules WHERE id = $2
        RETURNING id
        """,
        uuid7(),
        schedule_id,
        late_s,
    )
    return occurrence_id


async def sweep(pool: Pool) -> float | None:
    """Sweep until nothing is due."""
    while True:
        wish = await make_occurrences_once(pool)
        if wish is None or wish > 1:
            return wish


async def process(pool: Pool, occurrence_id: UUID) -> Row:
    """Process an occurrence; answers its row."""
    payload = await payload_of(pool, occurrence_id)
    job = new_job(JobType.SCHEDULE_PROCESS, payload, subject=str(occurrence_id))
    await process_occurrence(pool, job, payload, rescue_after_s=60.0)
    [row] = await pool.fetch("SELECT * FROM schedule_occurrences WHERE id = $1", occurrence_id)
    return row


async def payload_of(pool: Pool, occurrence_id: UUID) -> ProcessOccurrence:
    """The payload of its job."""
    user_id = await pool.fetchval("SELECT user_id FROM schedule_occurrences WHERE id = $1", occurrence_id)
    return ProcessOccurrence(user_id=user_id, occurrence_id=occurrence_id)


async def occurrences_of(pool: Pool, schedule_id: UUID) -> list[Row]:
    """Its occurrences, in order."""
    return await pool.fetch(
        "SELECT * FROM schedule_occurrences WHERE schedule_id = $1 ORDER BY due_at, slot", schedule_id
    )


async def jobs(pool: Pool) -> list[str]:
    """The occurrences that have a job in the outbox."""
    rows = await pool.fetch("SELECT subject FROM outbox WHERE type = 'schedule:process' ORDER BY subject")
    return [row["subject"] for row in rows]


async def events(pool: Pool, type_: str) -> list[dict[str, Any]]:
    """What events of a type told, in order."""
    rows = await pool.fetch("SELECT payload FROM events WHERE type = $1 ORDER BY seq", type_)
    return [json.loads(row["payload"]) for row in rows]


async def live_alerts(pool: Pool) -> list[tuple[str, UUID]]:
    """The codes and subjects of what is wrong now."""
    rows = await pool.fetch("SELECT code, subject_id FROM alerts WHERE state <> 'resolved' ORDER BY code")
    return [(row["code"], row["subject_id"]) for row in rows]


async def read_now(pool: Pool) -> datetime:
    """The database's time."""
    now: datetime = await pool.fetchval("SELECT now()")
    return now


def cron_at(moment: datetime) -> str:
    """The daily line that is due at this minute, in UTC."""
    return f"{moment.minute} {moment.hour} * * *"


HOUR, DAY = timedelta(hours=1), timedelta(days=1)
