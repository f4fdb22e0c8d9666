"""Clinics on real servers."""

from contextlib import AsyncExitStack

import pytest

from tests.clinics import open_clinic
from tests.judged import open_world


@pytest.fixture
async def open_clinics(database_url, redis_url):
    """Opens a clinic with so many accounts."""
    async with AsyncExitStack() as stack:
        yield lambda **wishes: stack.enter_async_context(open_clinic(database_url, redis_url, **wishes))


@pytest.fixture
async def clinic(open_clinics):
    """One account that was never looked at."""
    return await open_clinics()


@pytest.fixture
async def world(database_url, redis_url):
    """One tenant with one account that nobody has judged."""
    async with open_world(database_url, redis_url) as world:
        yield world
