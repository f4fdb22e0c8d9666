"""The ground of the fault tests."""

import pytest

from tests.faults.ground import open_ground


@pytest.fixture
async def ground(database_url, amqp_url, tmp_path):
    """The ground on a virtual host and a database of the test's own."""
    async with open_ground(database_url=database_url, amqp_url=amqp_url, directory=tmp_path) as found:
        yield found
