"""What tests of wishes to publish say and look at."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


def in_hours(hours: float) -> str:
    return (datetime.now(UTC) + timedelta(hours=hours)).isoformat()


async def messages(gateway):
    return await gateway.rows(
        """
        SELECT outbox.subject, outbox.priority, outbox.payload, outbox.due_at = publications.publish_at AS on_time
        FROM outbox JOIN publications ON publications.id::text = outbox.subject
        WHERE outbox.type = 'post:publish'
        """
    )


async def nothing_written(gateway, answer, status: int, code: str):
    assert (answer.status, answer.body["code"]) == (status, code), answer.body
    assert await gateway.count("publications") == 0
    assert await gateway.count("distributions") == 0
    assert await messages(gateway) == []
