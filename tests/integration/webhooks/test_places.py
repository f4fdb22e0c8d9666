"""Places for calls: receivers that hang stop nobody else's deliveries."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from functools import partial
from uuid import uuid4

from services.scheduler.deliver_webhook import CALLS
from services.scheduler.rescue_deliveries import rescue_deliveries_once
from shared.jobs import Again
from tests.waiting import until


async def test_a_slow_receiver_takes_few_places(webhooks, receiver):
    """What it has no place for waits without costing a try."""
    receiver.hold = asyncio.Event()
    webhook_id = await webhooks.add(receiver.url)
    made = [await webhooks.add_delivery(webhook_id) for _ in range(6)]
    tasks = [asyncio.create_task(webhooks.deliver(new.id)) for new in made]
    await until(partial(receiver.got, 4), what="the receiver is called four times")

    async def two_find_no_place():
        return sum(task.done() for task in tasks) == 2

    await until(two_find_no_place, what="two find no place")
    receiver.hold.set()
    answers = await asyncio.gather(*tasks)

    assert sum(isinstance(answer, Again) for answer in answers) == 2
    assert len(receiver.requests) == 4


async def test_a_tenant_whose_receivers_hang_leaves_places_to_others(webhooks):
    """One that has failed holds a single place, and those of a tenant a quarter; what is left is given again."""
    courier, tenant, places = webhooks.courier, uuid4(), ExitStack()

    def place(user_id, webhook_id, *, fails=False):
        return places.enter_context(courier.place(webhook_id, user_id=user_id, fails=fails))

    with places:
        failing = uuid4()
        once = [place(tenant, failing, fails=True) for _ in range(2)]
        hung = [place(tenant, uuid4()) for _ in range(20)]
        other = place(uuid4(), uuid4())
        many = [place(uuid4(), uuid4()) for _ in range(CALLS)]

    assert once == [True, False]
    assert hung.count(True) == 11
    assert other
    assert many.count(True) == CALLS - 13
    with courier.place(failing, user_id=tenant, fails=True) as is_free:
        assert is_free
    assert courier._calls == {}  # noqa: SLF001 - nothing is kept of calls that have ended


async def test_a_delivery_that_waits_for_a_place_gets_no_second_job(webhooks):
    """However long a receiver hangs: two jobs would send the same event twice, and more with each sweep."""
    new = await webhooks.add_delivery(await webhooks.add())
    await webhooks.pool.execute("DELETE FROM outbox")
    await webhooks.pool.execute("UPDATE webhook_deliveries SET next_attempt_at = now() - interval '16 minutes'")
    with ExitStack() as places:
        for _ in range(4):
            places.enter_context(webhooks.courier.place(new.webhook_id, user_id=new.user_id, fails=False))
        waits = await webhooks.deliver(new.id)
    await rescue_deliveries_once(webhooks.pool)

    assert isinstance(waits, Again)
    assert await webhooks.pool.fetchval("SELECT count(*) FROM outbox") == 0
