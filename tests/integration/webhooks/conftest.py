"""A tenant with webhooks, and a receiver whose answers the test scripts."""

from __future__ import annotations

import pytest

from services.scheduler.call_receiver import open_receivers
from services.scheduler.deliver_webhook import Courier
from shared.database import create_pool
from tests.receivers import Receiver, Webhooks, serving
from tests.seeds import CIPHER, seed_tenant


@pytest.fixture
async def pool(database_url):
    async with await create_pool(database_url, application_name="test") as pool:
        yield pool


@pytest.fixture
async def tenant(pool):
    return await seed_tenant(pool)


@pytest.fixture
async def receiver():
    receiver = Receiver()
    async with serving(receiver):
        yield receiver


@pytest.fixture
def courier_of(pool):
    """What delivers, with receivers of the test's choice."""

    def make(receivers):
        return Courier(pool=pool, cipher=CIPHER, receivers=receivers)

    return make


@pytest.fixture
async def webhooks(pool, tenant, courier_of):
    """As where the operator lets webhooks lead into private networks."""
    async with open_receivers(private_networks=True) as receivers:
        yield Webhooks(pool, courier_of(receivers), tenant.user_id)
