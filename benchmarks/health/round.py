"""A full round of checks: what a health process does for each of 100,000 accounts, beside the platform's time."""

from __future__ import annotations

import asyncio
import json
from uuid import UUID

import asyncpg

from benchmarks.bench import Bench
from benchmarks.peers.health.platform import TOKEN_PREFIX
from benchmarks.peers.health.round_process import CIPHER
from benchmarks.processes import BenchmarkError, answering
from benchmarks.rows import Row, row
from benchmarks.subjects import INSTADISTRO
from shared.accounts import TOKEN_COLUMN

_ACCOUNTS = 10_000
_ACCOUNTS_FULL = 100_000
#: What is told: seconds for so many.
_TOLD_FOR = 100_000
_SLOTS = 16
_START_S = 30.0
_ROUND_S = 1_800.0
_FILL = (
    "INSERT INTO users (id, email) VALUES (md5('bench round')::uuid, 'round@bench.example.com')",
    """
    INSERT INTO accounts (id, user_id, instagram_user_id, username, state, token_expires_at)
    SELECT md5('bench round ' || n)::uuid, md5('bench round')::uuid, (8e15::bigint + n)::text, 'studio_' || n, 'ACTIVE',
           now() + interval '20 days' + n % 30 * interval '1 day'
    FROM generate_series(1, $1) AS n
    """,
    """
    INSERT INTO health_checks (account_id, user_id)
    SELECT id, user_id FROM accounts WHERE user_id = md5('bench round')::uuid
    """,
)
_IDS = "SELECT id, user_id, instagram_user_id FROM accounts WHERE user_id = md5('bench round')::uuid"
_TOKEN_COLUMNS = ("account_id", "user_id", "key_id", "sealed")


async def full_round(bench: Bench) -> list[Row]:
    """Processor seconds of a round that asks for every account, of its calls alone, and of one that only judges."""
    count = _ACCOUNTS_FULL if bench.full else bench.scaled(_ACCOUNTS)
    bench.report.begin("round", trials=bench.runs)
    await _fill(bench.servers.database, count)
    figures: dict[str, list[float]] = {}
    for _ in range(bench.runs):
        took = await _measure(bench)
        took["cpu_beside"] = took["cpu_round"] - took["cpu_calls"]
        for metric, seconds in took.items():
            figures.setdefault(metric, []).append(seconds * _TOLD_FOR / count)
        bench.report.tell(", ".join(f"{metric} {series[-1]:.1f} s" for metric, series in figures.items()))
    case = f"round, for {_TOLD_FOR:,} accounts"
    return [row(case, INSTADISTRO, metric, "s", series) for metric, series in figures.items()]


async def _fill(database: str, count: int) -> None:
    connection = await asyncpg.connect(database, command_timeout=_ROUND_S)
    try:
        for statement in _FILL:
            await connection.execute(statement, *([count] if "$1" in statement else []))
        rows = await connection.fetch(_IDS)
        tokens = await asyncio.to_thread(lambda: [_token(*row) for row in rows])
        await connection.copy_records_to_table("account_tokens", columns=_TOKEN_COLUMNS, records=tokens)
        await connection.execute("ANALYZE")
    finally:
        await connection.close()


def _token(account_id: UUID, user_id: UUID, ig_user_id: str) -> tuple[UUID, UUID, str, bytes]:
    token = f"{TOKEN_PREFIX}{ig_user_id}"
    sealed = CIPHER.encrypt(token, user_id=user_id, row_id=account_id, column=TOKEN_COLUMN)
    return account_id, user_id, sealed.key_id, sealed.ciphertext


async def _measure(bench: Bench) -> dict[str, float]:
    async with answering("the platform", "benchmarks.peers.health.platform") as platform:
        url = (await platform.answer(deadline_s=_START_S))["url"]
        order = {"database": bench.servers.database, "redis": bench.servers.redis, "platform": url, "slots": _SLOTS}
        async with answering("health", "benchmarks.peers.health.round_process", json.dumps(order)) as process:
            figures: dict[str, float] = await process.answer(deadline_s=_ROUND_S)
    if left := figures.pop("left"):
        raise BenchmarkError(f"{left:,.0f} accounts were not looked at, or not found well.")
    return figures
