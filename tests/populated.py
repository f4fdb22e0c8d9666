"""A database of 50,000 rows, shaped as life shapes it: one tenant owns much, a thousand own little, states are skewed.

Ids are made of a word and a number, the same in SQL and here, so that samples need no query.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from tests.populated_rows import STATEMENTS


async def populate(database_url: str) -> None:
    """Fill a migrated database that is empty."""
    connection = await asyncpg.connect(database_url, command_timeout=60)
    try:
        for statement in STATEMENTS:
            await connection.execute(statement)
    finally:
        await connection.close()


def sample_arguments() -> Mapping[str, Any]:
    """What this database answers for each name of `SAMPLES`."""
    now = datetime.now(UTC)
    return {
        "user_id": _id("user", 1),
        "account_id": _id("account", 750),
        "account_text": str(_id("account", 750)),
        "account_ids": [_id("account", number) for number in range(1, 21)],
        "account_state": "NEEDS_REAUTH",
        "tag": "rare",
        "username": "Name750",
        "protocol_id": "cautious",
        "oauth_state_hash": hashlib.sha256(b"1").digest(),
        "instagram_user_id": "750",
        "instagram_user_ids": [str(number) for number in range(1, 21)],
        "api_key_id": "key1",
        "proxy_id": _id("proxy", 1),
        "proxy_ids": [_id("proxy", number) for number in range(1, 21)],
        "group_id": _id("group", 1),
        "group_name": "group1",
        "media_id": _id("media", 1),
        "media_ids": [_id("media", number) for number in range(1, 6)],
        "platform_media_ids": [f"media{number}" for number in range(750, 800)],
        "media_kind": "video",
        "sha256": hashlib.md5(b"2", usedforsecurity=False).hexdigest(),
        "post_id": _id("post", 1),
        "post_ids": [_id("post", number) for number in range(300, 303)],
        "post_type": "reel",
        "new_post_id": _id("post", 300),
        "distribution_id": _id("distribution", 1),
        "publication_id": _id("publication", 750),
        "publication_ids": [_id("publication", number) for number in range(1, 21)],
        "publication_state": "failed",
        "day_begin": now - timedelta(days=10),
        "day_end": now - timedelta(days=10) + timedelta(hours=1),
        "created_at": now - timedelta(minutes=300),
        "row_id": UUID(int=0),
        "outbox_ids": list(range(1, 21)),
        "outbox_subjects": [str(_id("publication", number)) for number in range(1, 21)],
        "dead_id": _id("dead", 1000),
        "dead_ids": [_id("dead", number) for number in range(1, 21)],
        "dead_type": "health:check",
        "dead_reason": "exhausted",
        "dead_subject": "subject1000",
        "died_at": now - timedelta(minutes=20_000),
        "recurring_name": "check1",
        "recurring_names": [f"check{number}" for number in range(1, 21)],
        "job_type": "health:check",
        "key_row_id": _id("key", 1),
        "idempotency_key": "request1",
        "operation_id": _id("operation", 1),
        "subject_type": "account",
        "subject_id": str(_id("account", 150)),
        "webhook_id": _id("webhook", 1),
        "delivery_id": _id("delivery", 1),
        "event_id": _id("event", 1),
        "post_publish": "post:publish",
        "schedule_id": _id("schedule", 1),
        "occurrence_id": _id("occurrence", 600),
        "post_queue_id": _id("queue", 1),
        "alert_id": _id("alert", 20),
        "alert_state": "open",
        "alert_code": "reauth_required",
        "alert_subjects": [_id("account", 40 * number) for number in range(1, 21)],
        "text": "text",
        "time": now,
    }


def _id(word: str, number: int) -> UUID:
    return UUID(hashlib.md5(f"{word}{number}".encode(), usedforsecurity=False).hexdigest())
