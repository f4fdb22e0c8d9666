"""Who and what takes part in a simulated year: accounts, posts, queues, and schedules in ten zones."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any
from uuid import UUID

from uuid_utils.compat import uuid7

from shared.database import Connection, Pool
from shared.schedules import next_at, read_rule
from tests.simulation.rules import Promise

ZONES = (
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
    "Pacific/Apia",
    "Asia/Kolkata",
    "Europe/London",
    "America/Sao_Paulo",
    "Pacific/Auckland",
    "America/St_Johns",
)
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of schedule, of which every zone has one."""

    name: str
    accounts: int  # 1: an account by itself, else a group
    posts: int  # 1: the same post again and again, else a queue of so many
    weekdays: frozenset[int]
    times: tuple[time, ...]
    cron: str | None = None  # says the same as weekdays and times
    on_empty: str = "wait"
    gap: str = "shift"
    overlap: str = "first"
    misfire: str = "once"
    window_s: int = 0
    min_gap_s: float = 0.0
    max_lateness_s: int | None = 21_600


_DAILY = frozenset(range(7))
#: Fifty accounts a zone. The times around two are those that clocks skip and repeat.
KINDS = (
    Kind(name="workdays", accounts=10, posts=700, weekdays=frozenset(range(5)), times=(time(9), time(18, 30))),
    Kind(name="night", accounts=1, posts=1, weekdays=_DAILY, times=(time(2, 30),), overlap="both", misfire="skip"),
    Kind(
        name="repeat",
        accounts=5,
        posts=7,
        weekdays=_DAILY,
        times=(time(1, 45),),
        cron="45 1 * * *",
        on_empty="repeat",
        gap="skip",
    ),
    Kind(
        name="sunday",
        accounts=25,
        posts=60,
        weekdays=frozenset({6}),
        times=(time(20),),
        cron="0 20 * * 0",
        window_s=7_200,
        min_gap_s=30.0,
    ),
    Kind(name="weekend", accounts=8, posts=20, weekdays=frozenset({5, 6}), times=(time(10), time(14))),
    Kind(
        name="midnight",
        accounts=1,
        posts=1,
        weekdays=_DAILY,
        times=(time(0),),
        cron="0 0 * * *",
        overlap="second",
        max_lateness_s=None,
    ),
)


async def populate(pool: Pool, *, zones: tuple[str, ...], begin: datetime) -> list[Promise]:
    """One tenant for each zone, with a schedule of each kind; returns what they promise."""
    promises: list[Promise] = []
    async with pool.acquire() as connection, connection.transaction():
        for number, zone in enumerate(zones):
            user_id, media_id = uuid7(), uuid7()
            await connection.execute("INSERT INTO users (id, email) VALUES ($1, $2)", user_id, f"{number}@example.com")
            await connection.execute(
                """
                INSERT INTO media (id, user_id, key, kind, mime, bytes, width, height, sha256)
                VALUES ($1, $2, $3, 'image', 'image/jpeg', 1000, 1080, 1080, '00')
                """,
                media_id,
                user_id,
                f"{media_id}.jpg",
            )
            for place, kind in enumerate(KINDS):
                first = 1 + 1_000 * number + 100 * place
                promises.append(
                    await _schedule(connection, kind, user_id, media_id, zone=zone, begin=begin, first=first)
                )
    return promises


async def _schedule(
    tx: Connection, kind: Kind, user_id: UUID, media_id: UUID, *, zone: str, begin: datetime, first: int
) -> Promise:
    account_ids = [uuid7() for _ in range(kind.accounts)]
    await tx.executemany(
        "INSERT INTO accounts (id, user_id, instagram_user_id, username, state) VALUES ($1, $2, $3, $4, 'ACTIVE')",
        [(id_, user_id, str(first + n), f"account_{first + n}") for n, id_ in enumerate(account_ids)],
    )
    post_ids = [uuid7() for _ in range(kind.posts)]
    await tx.executemany(
        "INSERT INTO posts (id, user_id, type, caption, media_ids) VALUES ($1, $2, 'image', $3, $4)",
        [(id_, user_id, f"{kind.name} {n}", [media_id]) for n, id_ in enumerate(post_ids)],
    )
    row: dict[str, Any] = {
        "id": uuid7(),
        "user_id": user_id,
        "name": f"{kind.name} {zone}",
        "cron": kind.cron,
        "slots": None if kind.cron else _slots(kind),
        "timezone": zone,
        "dst_gap": kind.gap,
        "dst_overlap": kind.overlap,
        "starts_at": None,
        "ends_at": None,
        "misfire": kind.misfire,
        "account_id": account_ids[0] if kind.accounts == 1 else None,
        "group_id": None if kind.accounts == 1 else await _group(tx, kind, user_id, account_ids),
        "post_id": post_ids[0] if kind.posts == 1 else None,
        "post_queue_id": None if kind.posts == 1 else await _queue(tx, kind, user_id, post_ids),
        "window_s": kind.window_s,
        "min_gap_s": kind.min_gap_s,
        "max_lateness_s": kind.max_lateness_s,
        "made_until": begin,
    }
    row["next_at"] = next_at(read_rule(row), after=begin)
    names = ", ".join(row)
    places = ", ".join(f"${n}" for n in range(1, len(row) + 1))
    await tx.execute(f"INSERT INTO schedules ({names}) VALUES ({places})", *row.values())  # noqa: S608 - our own names
    return Promise(
        schedule_id=row["id"],
        zone=zone,
        weekdays=kind.weekdays,
        times=kind.times,
        gap=kind.gap,
        overlap=kind.overlap,
        misfire=kind.misfire,
        max_lateness_s=kind.max_lateness_s,
    )


def _slots(kind: Kind) -> str:
    return json.dumps(
        [
            {"weekday": _DAYS[day], "time": wall.strftime("%H:%M")}
            for day in sorted(kind.weekdays)
            for wall in kind.times
        ]
    )


async def _group(tx: Connection, kind: Kind, user_id: UUID, account_ids: list[UUID]) -> UUID:
    group_id = uuid7()
    await tx.execute("INSERT INTO groups (id, user_id, name) VALUES ($1, $2, $3)", group_id, user_id, kind.name)
    await tx.executemany(
        "INSERT INTO group_members (user_id, group_id, account_id) VALUES ($1, $2, $3)",
        [(user_id, group_id, account_id) for account_id in account_ids],
    )
    return group_id


async def _queue(tx: Connection, kind: Kind, user_id: UUID, post_ids: list[UUID]) -> UUID:
    queue_id = uuid7()
    await tx.execute(
        "INSERT INTO post_queues (id, user_id, name, on_empty) VALUES ($1, $2, $3, $4)",
        queue_id,
        user_id,
        kind.name,
        kind.on_empty,
    )
    await tx.executemany(
        "INSERT INTO post_queue_items (queue_id, user_id, post_id) VALUES ($1, $2, $3)",
        [(queue_id, user_id, post_id) for post_id in post_ids],
    )
    return queue_id
