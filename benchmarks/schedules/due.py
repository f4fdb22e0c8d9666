"""Ten thousand schedules that fall due within one minute, or at one instant, and one scheduler that makes them."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

import asyncpg
import psutil

from benchmarks.bench import Bench
from benchmarks.processes import BenchmarkError
from benchmarks.rows import Row, percentile, row
from benchmarks.schedules.scheduler_process import scheduler_process
from benchmarks.subjects import INSTADISTRO

_SCHEDULES = 10_000
_OF_A_TENANT = 100
_MINUTE_S = 60.0
# Time to start a scheduler before they are due.
_AHEAD_S = 15
_LOOK_EVERY_S = 0.05
_DEADLINE_S = 900.0
#: Each schedule has an account and a post of its own. Wall times are whole minutes: to be spread, the schedules are
#: noticed one after the other.
_FILL = (
    """
    INSERT INTO users (id, email)
    SELECT md5('bench tenant ' || n)::uuid, 'schedules' || n || '@bench.example.com'
    FROM generate_series(0, ($1::int - 1) / $2::int) AS n
    """,
    """
    INSERT INTO accounts (id, user_id, instagram_user_id, username, state, token_expires_at)
    SELECT md5('bench account ' || n)::uuid, md5('bench tenant ' || n / $2::int)::uuid, (6e15::bigint + n)::text,
           'studio_' || n, 'ACTIVE', now() + interval '50 days'
    FROM generate_series(0, $1::int - 1) AS n
    """,
    """
    INSERT INTO posts (id, user_id, type, caption, media_ids)
    SELECT md5('bench post ' || n)::uuid, md5('bench tenant ' || n / $2::int)::uuid, 'image', 'Words',
           ARRAY[md5('none')::uuid]
    FROM generate_series(0, $1::int - 1) AS n
    """,
)
_SCHEDULE = """
    INSERT INTO schedules (id, user_id, name, cron, timezone, dst_gap, dst_overlap, misfire, account_id, post_id,
                           window_s, min_gap_s, made_until, next_at)
    SELECT md5('bench schedule ' || n)::uuid, md5('bench tenant ' || n / $2::int)::uuid, 'schedule ' || n,
           to_char(due AT TIME ZONE 'UTC', 'FMMI FMHH24') || ' * * *', 'UTC', 'shift', 'first', 'once',
           md5('bench account ' || n)::uuid, md5('bench post ' || n)::uuid, 0, 0, now(),
           due + n * interval '1 second' * $3::float8 / $1
    FROM generate_series(0, $1::int - 1) AS n
    CROSS JOIN (
        SELECT date_trunc('minute', now() + $4::int * interval '1 second') + interval '1 minute' AS due
    ) AS minute
"""
_DUE_IN = "SELECT extract(epoch FROM min(next_at) - clock_timestamp())::float8 FROM schedules"
_CLEAR = "TRUNCATE users, outbox, events CASCADE"
_COUNT = """
    SELECT count(*) AS made, count(*) FILTER (WHERE state <> 'pending') AS ended,
           count(*) FILTER (WHERE state = 'distributed') AS distributed
    FROM schedule_occurrences
"""


@dataclass(frozen=True, kw_only=True)
class Watched:
    """When the occurrences were seen, in seconds from the first due time, in their order."""

    made: list[float]
    ended: list[float]


async def spread(bench: Bench) -> list[Row]:
    """Their due times lie over one minute."""
    return await _measure(bench, "spread", over_s=_MINUTE_S)


async def instant(bench: Bench) -> list[Row]:
    """They are all due at the same second, as wall times are: the worst that can be."""
    return await _measure(bench, "instant", over_s=0.0)


async def _measure(bench: Bench, name: str, *, over_s: float) -> list[Row]:
    count = bench.scaled(_SCHEDULES)
    figures: dict[str, list[float]] = {}
    bench.report.begin(name, trials=bench.runs)
    for _ in range(bench.runs):
        took = await _run(bench, count, over_s=over_s)
        for metric, seconds in took.items():
            figures.setdefault(metric, []).append(seconds)
        bench.report.tell(", ".join(f"{metric} {seconds:.3g} s" for metric, seconds in took.items()))
    return [row(f"{name}, {count:,} schedules", INSTADISTRO, metric, "s", series) for metric, series in figures.items()]


async def _run(bench: Bench, count: int, *, over_s: float) -> dict[str, float]:
    connection = await asyncpg.connect(bench.servers.database, command_timeout=_DEADLINE_S)
    try:
        await connection.execute(_CLEAR)
        for statement in _FILL:
            await connection.execute(statement, count, _OF_A_TENANT)
        await connection.execute("ANALYZE")
        await connection.execute(_SCHEDULE, count, _OF_A_TENANT, over_s, _AHEAD_S)
        due = time.monotonic() + await connection.fetchval(_DUE_IN)
        async with scheduler_process(bench.servers) as process:
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            began = _processor_s(process)
            watched = await _watch(connection, count, due=due)
            processor_s = _processor_s(process) - began
    finally:
        await connection.execute(_CLEAR)
        await connection.close()
    # The longest due is made first, so the first that is seen is the first that was due.
    made = [seen - number * over_s / count for number, seen in enumerate(watched.made)]
    ended = [seen - number * over_s / count for number, seen in enumerate(watched.ended)]
    return {
        "made_p50": percentile(made, 50),
        "made_p99": percentile(made, 99),
        "distributed_p50": percentile(ended, 50),
        "distributed_p99": percentile(ended, 99),
        "cpu_scheduler": processor_s,
    }


async def _watch(connection: asyncpg.Connection, count: int, *, due: float) -> Watched:
    made: list[float] = []
    ended: list[float] = []
    distributed = 0
    async with asyncio.timeout(_DEADLINE_S):
        while len(ended) < count:
            await asyncio.sleep(_LOOK_EVERY_S)
            [(made_now, ended_now, distributed)] = await connection.fetch(_COUNT)
            now = time.monotonic() - due
            made += [now] * (made_now - len(made))
            ended += [now] * (ended_now - len(ended))
    if distributed != count:
        raise BenchmarkError(f"Of {count:,} occurrences {distributed:,} were distributed.")
    return Watched(made=made, ended=ended)


def _processor_s(process: psutil.Process) -> float:
    return float(sum(process.cpu_times()[:2]))
