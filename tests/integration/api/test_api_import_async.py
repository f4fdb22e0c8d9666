"""An import may be done by a worker, and watched as an operation."""

from __future__ import annotations

import asyncio
import json
from uuid import UUID, uuid4

import pytest

from services.scheduler.import_accounts import Importer, end_parked_import, import_accounts
from services.scheduler.operations import OperationEndedError
from services.scheduler.resume_operations import resume_operations_once
from shared.jobs import Again, Dead, ImportAccounts, JobType, new_job
from tests.waiting import until

HEADER = "username,instagram_user_id,access_token"
TWO = f"{HEADER}\ncafe,1001,FIRST-TOKEN-not-real\nbar,1002,SECOND-TOKEN-not-real"
ASYNC = {"Content-Type": "text/csv", "Prefer": "return=minimal, Respond-Async"}


async def begin(client, text=TWO, *, query="", **headers):
    return await client.post(f"/v1/accounts/import{query}", data=text.encode(), headers={**ASYNC, **headers})


class Worker:
    """What the scheduler runs for the job, on the gateway's servers."""

    def __init__(self, gateway):
        deps = gateway.deps
        self.pool = deps.pool
        self.importer = Importer(pool=deps.pool, cache=deps.cache, cipher=deps.cipher, rescue_after_s=60.0)

    async def run(self, client, operation_id):
        job, payload = self.job(client, operation_id)
        return await import_accounts(self.importer, job, payload)

    async def give_up(self, client, operation_id):
        job, payload = self.job(client, operation_id)
        await end_parked_import(self.pool, job, payload, Dead(reason="exhausted", error="secret"))

    def job(self, client, operation_id):
        payload = ImportAccounts(user_id=UUID(client.user_id), operation_id=UUID(operation_id))
        return new_job(JobType.IMPORT_ACCOUNTS, payload, subject=operation_id), payload


@pytest.fixture
def worker(gateway):
    return Worker(gateway)


async def test_an_import_that_is_preferred_async_is_an_operation(gateway, alice, bob, worker):
    """It is accepted at once, done by its job, and its result says what became of each row."""
    accepted = await begin(alice)
    path = accepted.headers["Location"]
    waiting = await alice.get(path)
    [job] = await gateway.rows("SELECT type, subject, payload FROM outbox")
    await worker.run(alice, accepted.body["id"])
    done = await alice.get(path)

    assert (accepted.status, accepted.headers["Preference-Applied"]) == (202, "respond-async")
    assert waiting.body == accepted.body
    assert (waiting.body["state"], waiting.body["progress"], waiting.headers["Retry-After"]) == ("pending", 0, "1")
    assert (job["type"], job["subject"]) == ("import:accounts", accepted.body["id"])
    assert json.loads(job["payload"]) == {"user_id": alice.user_id, "operation_id": accepted.body["id"]}
    assert (done.body["state"], done.body["progress"], done.body["done"], done.body["total"]) == ("succeeded", 1, 2, 2)
    result = done.body["result"]
    accounts = result.pop("accounts")
    assert result == {"created": 2, "updated": 0, "unchanged": 0}
    assert "Retry-After" not in done.headers
    assert [(await alice.get(f"/v1/accounts/{one}")).body["username"] for one in accounts] == ["cafe", "bar"]
    assert (await bob.get(path)).status == 404
    [event] = await gateway.rows("SELECT payload FROM events WHERE type = 'import.finished'")
    assert json.loads(event["payload"])["operation_id"] == accepted.body["id"]


async def test_tokens_wait_encrypted_and_are_forgotten_when_the_work_has_ended(gateway, alice, worker):
    """Neither the operation nor its job shows a token, and nothing of the rows is left behind."""
    accepted = await begin(alice)
    [kept] = await gateway.rows("SELECT input, key_id FROM operations")
    [job] = await gateway.rows("SELECT payload FROM outbox")
    await worker.run(alice, accepted.body["id"])

    assert kept["key_id"] == "test"
    assert b"TOKEN" not in kept["input"]
    assert "TOKEN" not in job["payload"]
    [left] = await gateway.rows("SELECT input, key_id FROM operations")
    assert tuple(left) == (None, None)


async def test_rows_with_faults_are_told_at_once_and_no_operation_is_made(gateway, alice):
    """What would fail later is refused now; a dry run is answered now too."""
    bad = await begin(alice, f"{HEADER}\nno name,1,TOKEN-not-real")
    without = await begin(alice, "username,instagram_user_id\ncafe,1")
    dry_run = await begin(alice, query="?dry_run=true")

    assert [(answer.status, answer.body["errors"][0]["line"]) for answer in (bad, without)] == [(422, 2), (422, 2)]
    assert (dry_run.status, dry_run.body["created"]) == (200, 2)
    assert "Preference-Applied" not in dry_run.headers
    assert await gateway.count("operations") == 0
    assert await gateway.count("outbox") == 0


async def test_asking_twice_with_one_key_makes_one_operation(gateway, alice):
    """The repeated request gets the answer that the first one got, with its place."""
    answers = [await begin(alice, **{"Idempotency-Key": "monday"}) for _ in range(2)]

    assert answers[0].body == answers[1].body
    assert answers[1].headers["Location"] == answers[0].headers["Location"]
    assert await gateway.count("operations") == 1


async def test_a_worker_that_dies_half_way_leaves_nothing_and_the_next_does_it_once(gateway, alice, worker):
    """Progress is seen while it runs, one worker is at it at a time, and all rows come with one commit."""
    lines = "\n".join(f"account_{number},{number},TOKEN-not-real" for number in range(1, 1_002))
    operation_id = (await begin(alice, f"{HEADER}\n{lines}")).body["id"]
    await gateway.rows(
        """
        CREATE FUNCTION stand_still() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF EXISTS (SELECT FROM accounts) THEN PERFORM pg_advisory_xact_lock(99); END IF;
            RETURN NULL;
        END $$
        """
    )
    await gateway.rows(
        "CREATE TRIGGER stand_still BEFORE INSERT ON accounts FOR EACH STATEMENT EXECUTE FUNCTION stand_still()"
    )

    async def seen():
        operation = (await alice.get(f"/v1/operations/{operation_id}")).body
        return operation if operation["done"] else None

    async with gateway.deps.pool.acquire() as connection, connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock(99)")
        first = asyncio.create_task(worker.run(alice, operation_id))
        running = await until(seen, what="progress of the import")
        second = await worker.run(alice, operation_id)
        first.cancel()
        await asyncio.wait([first])
    after_death = await gateway.count("accounts")
    await worker.run(alice, operation_id)
    await worker.run(alice, operation_id)

    assert (running["state"], running["done"], running["total"]) == ("running", 1_000, 1_001)
    assert isinstance(second, Again)
    assert after_death == 0
    done = (await alice.get(f"/v1/operations/{operation_id}")).body
    assert (done["state"], done["result"]["created"]) == ("succeeded", 1_001)
    assert await gateway.count("accounts") == 1_001
    assert len(await gateway.rows("SELECT FROM events WHERE type = 'import.finished'")) == 1


async def test_rows_that_fit_no_more_end_the_operation_with_its_problem(gateway, alice, worker):
    """What changed between acceptance and work is told with line and field; nothing is imported."""
    proxy_id = uuid4()
    await gateway.rows(
        "INSERT INTO proxies (id, user_id, name, scheme, host, port) VALUES ($1, $2, 'gone', 'http', '127.0.0.1', 1)",
        proxy_id,
        UUID(alice.user_id),
    )
    text = f"{HEADER},proxy_id\ncafe,1001,TOKEN-not-real,{proxy_id}"
    operation_id = (await begin(alice, text)).body["id"]
    await gateway.rows("DELETE FROM proxies")

    await worker.run(alice, operation_id)

    operation = (await alice.get(f"/v1/operations/{operation_id}")).body
    problem = operation["problem"]
    assert (operation["state"], operation["result"]) == ("failed", None)
    assert (problem["type"], problem["status"]) == ("urn:instadistro:problem:validation_failed", 422)
    assert [(fault["line"], fault["field"], fault["code"]) for fault in problem["errors"]] == [
        (2, "proxy_id", "not_found")
    ]
    assert await gateway.count("accounts") == 0
    assert [row["type"] for row in await gateway.rows("SELECT type FROM events")] == ["import.failed"]


async def test_a_parked_import_ends_its_operation(gateway, alice, worker):
    """Nobody waits for ever; the reason is told without what only the operator should see."""
    operation_id = (await begin(alice)).body["id"]

    await worker.give_up(alice, operation_id)
    await worker.run(alice, operation_id)

    operation = (await alice.get(f"/v1/operations/{operation_id}")).body
    assert (operation["state"], operation["problem"]["code"]) == ("failed", "internal_error")
    assert "exhausted" in operation["problem"]["detail"]
    assert "secret" not in operation["problem"]["detail"]
    assert await gateway.count("accounts") == 0
    [left] = await gateway.rows("SELECT input FROM operations")
    assert left["input"] is None


async def test_what_was_given_up_meanwhile_imports_nothing(gateway, alice, worker):
    """A worker that was slow finds that the operation has failed, and so all that it did is undone."""
    operation_id = (await begin(alice)).body["id"]
    user = "SELECT id FROM users WHERE id = $1 FOR UPDATE"

    async def is_running():
        return (await alice.get(f"/v1/operations/{operation_id}")).body["state"] == "running"

    async with gateway.deps.pool.acquire() as connection, connection.transaction():
        await connection.execute(user, UUID(alice.user_id))
        slow = asyncio.create_task(worker.run(alice, operation_id))
        await until(is_running, what="the worker is at it")
        await gateway.rows("UPDATE operations SET state = 'failed', key_id = NULL, input = NULL, finished_at = now()")
    with pytest.raises(OperationEndedError):
        await slow

    assert await gateway.count("accounts") == 0


async def test_an_operation_whose_job_is_lost_gets_another(gateway, alice):
    """A broker that was wiped takes no import with it; one that is worked on is left alone."""
    operation_id = (await begin(alice)).body["id"]
    await gateway.rows("DELETE FROM outbox")

    await resume_operations_once(gateway.deps.pool)
    too_early = await gateway.count("outbox")
    await gateway.rows("UPDATE operations SET updated_at = now() - interval '4 minutes'")
    for _ in range(2):
        await resume_operations_once(gateway.deps.pool)

    assert too_early == 0
    [job] = await gateway.rows("SELECT type, subject FROM outbox")
    assert tuple(job) == ("import:accounts", operation_id)


async def test_few_imports_run_at_a_time(gateway, alice, worker):
    """Each holds a connection throughout: what there is no place for comes again, and costs no try."""
    operation_id = (await begin(alice)).body["id"]
    places = worker.importer._places  # noqa: SLF001 - nobody outside is told
    async with places, places:
        full = await worker.run(alice, operation_id)
        before = await gateway.count("accounts")
    free = await worker.run(alice, operation_id)

    assert isinstance(full, Again)
    assert before == 0
    assert free is None
    assert await gateway.count("accounts") == 2
