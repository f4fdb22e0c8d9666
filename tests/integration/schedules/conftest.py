"""A database with one tenant of three accounts."""

import pytest

from shared.database import create_pool
from tests.seeds import seed_tenant

ACCOUNTS = [(f"1784140000000000{number}", f"token-{number}") for number in range(1, 4)]


@pytest.fixture
async def pool(database_url):
    """A pool on the test's own database."""
    async with await create_pool(database_url, application_name="test") as pool:
        yield pool


@pytest.fixture
async def tenant(pool):
    """A tenant of three accounts, with a post."""
    return await seed_tenant(pool, instagram=ACCOUNTS)
