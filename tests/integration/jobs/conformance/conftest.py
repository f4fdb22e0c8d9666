"""Each test runs twice: on jobs in memory, and on the real servers."""

from contextlib import AsyncExitStack

import pytest

from tests.integration.jobs.conformance.drivers import Broker, Inline


@pytest.fixture
def inline_driver():
    return Inline()


@pytest.fixture
async def broker_driver(engine):
    async with AsyncExitStack() as stack:
        yield Broker(engine, stack)


@pytest.fixture(params=["inline", "broker"])
def driver(request):
    """Jobs in memory, then jobs on the real servers."""
    return request.getfixturevalue(f"{request.param}_driver")
