"""Messages that are no jobs: they are parked, and the queue flows."""

from uuid import uuid4

import aio_pika
import pytest

from shared.jobs.topology import JOBS
from tests.faults.ground import QUEUE
from tests.faults.worker import Errand

KEY = "now.health.health:check"
TOO_LONG = "9" * 5_000  # digits; Python refuses to read so many
POISON = [
    (KEY, b"\x00\xff no JSON", {}),
    (KEY, b"[" * 5_000, {}),
    (KEY, b'{"lasts_s": "long"}', {}),
    ("now.health", b"{}", {}),
    ("now.health.unheard:of", b"{}", {}),
    *(
        (KEY, b"{}", headers)
        for headers in (
            {"x-job-id": None},
            {"x-version": "99"},
            {"x-version": "-1"},
            {"x-attempt": "0"},
            {"x-attempt": "-5"},
            {"x-attempt": bytearray(b"\xff\x00")},
            {"x-attempt": TOO_LONG},
            {"x-attempts": "0"},
            {"x-backoff-ms": "-1"},
            {"x-jitter": "nan"},
            {"x-subject": "half\0whole"},
            {"x-subject": "s" * 100_000},
        )
    ),
]
# Not what a job of ours would carry, and yet no reason to refuse it.
ODD = [
    {"x-due": TOO_LONG},
    {"x-deadline": TOO_LONG},
    {"x-away": "often"},
    {"x-failures": "[" * 5_000},
    {"traceparent": "\0"},
    {"x-job-id": {"a": ["table"]}},
]


@pytest.mark.parametrize("redelivered", [False, True], ids=["new", "redelivered"])
async def test_what_is_no_job_is_parked_and_the_queue_flows(ground, redelivered):
    """Before, between and behind good jobs; also where a worker died with all of it in hand."""
    good = await ground.add(*[Errand()] * 10)
    await send(ground, POISON, [(KEY, b"{}", headers) for headers in ODD])
    good += await ground.add(*[Errand()] * 10)
    if redelivered:
        await take_and_vanish(ground)

    async with ground.kept(slots=4):
        await ground.until_ended(good)
        dead = await ground.dead(len(POISON))
        await ground.until_ended(len(good) + len(ODD))

    assert {row["reason"] for row in dead} == {"unreadable", "undecodable", "unknown_version"}
    assert len(dead) == len(POISON)
    assert await ground.waiting() == []
    assert await ground.suspects() == 0


async def send(ground, *batches):
    async with await aio_pika.connect(ground.amqp_url) as connection:
        exchange = await (await connection.channel()).get_exchange(JOBS)
        for number, (key, body, headers) in enumerate(item for batch in batches for item in batch):
            own = {"x-job-id": str(uuid4()), **headers}
            told = {name: value for name, value in own.items() if value is not None}
            # Blanks make each body its own: letters that are alike in everything are one dead job.
            await exchange.publish(aio_pika.Message(body + b" " * number, headers=told, priority=3), key)


async def take_and_vanish(ground):
    """Take all that waits and end without a word, as a worker does that is killed."""
    async with await aio_pika.connect(ground.amqp_url) as connection:
        queue = await (await connection.channel()).get_queue(QUEUE)
        while await queue.get(fail=False):
            continue
