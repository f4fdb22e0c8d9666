"""The database as the commands use it: opened from the settings, its faults told in a sentence."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

import asyncpg

from deploy.cli.environment import find_environment
from shared.database import Connection, Pool, create_pool
from shared.errors import InstaDistroError, NotReadyError
from shared.settings import Settings, load_settings

T = TypeVar("T")
_CONNECTIONS = 2


@asynccontextmanager
async def open_database(settings: Settings) -> AsyncIterator[Pool]:
    """A pool for one command.

    Raises:
        NotReadyError: the database is away or not migrated; the text says what to do.
    """
    pool = await create_pool(settings.database_url, application_name="jobs", max_size=_CONNECTIONS)
    try:
        yield pool
    except (asyncpg.UndefinedTableError, asyncpg.UndefinedColumnError) as error:
        raise NotReadyError("the database is not migrated yet; run `instadistro migrate`, or wait for `up`") from error
    except asyncpg.DataError as error:
        raise InstaDistroError(f"the database cannot hold what was given: {error}") from error
    except (
        OSError,
        asyncpg.OperatorInterventionError,
        asyncpg.PostgresConnectionError,
        asyncpg.InterfaceError,
    ) as error:
        raise NotReadyError(
            f"the database went away: {error or type(error).__name__}. What was done until then stays done;"
            " give the command again."
        ) from error
    finally:
        await pool.close()


def in_transaction(act: Callable[[Connection], Awaitable[T]]) -> T:
    """Do something in a transaction of its own, with the settings that are found."""

    async def run() -> T:
        async with (
            open_database(load_settings(find_environment())) as pool,
            pool.acquire() as connection,
            connection.transaction(),
        ):
            return await act(connection)

    return asyncio.run(run())


def with_pool(act: Callable[[Pool], Awaitable[T]]) -> T:
    """Do something that takes transactions of its own."""

    async def run() -> T:
        async with open_database(load_settings(find_environment())) as pool:
            return await act(pool)

    return asyncio.run(run())
