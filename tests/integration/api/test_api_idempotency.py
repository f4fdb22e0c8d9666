"""`Idempotency-Key`: what was asked for twice is done once, whatever dies in between."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import asynccontextmanager
from dataclasses import replace
from uuid import UUID

import aiohttp
import pytest

from deploy.local import free_ports
from services.api.http import ProblemError, answer
from services.api.idempotency.replay import Repeatable, ReplayError
from tests.waiting import until

KEY = {"Idempotency-Key": "wish-1"}
GROUP = {"name": "everybody"}
NEW_KEY = {"name": "x", "scopes": ["read"]}


def refused(answer, status, code):
    return (answer.status, answer.body["code"]) == (status, code)


@asynccontextmanager
async def replica(settings, kill_points):
    """Another gateway, in a process of its own."""
    with free_ports() as ports:
        environment = {
            "DATABASE_URL": settings.database_url,
            "REDIS_URL": settings.redis_url,
            "AMQP_URL": settings.amqp_url[0],
            "TOKEN_KEYS": "test:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
            "CURSOR_SECRET": settings.cursor_secret.decode(),
            "API_KEY_PEPPER": settings.api_key_pepper.decode(),
            "MEDIA_STORE": settings.media_store,
            "API_PORT": str(ports.api),
            "API_INTERNAL_PORT": str(ports.api_internal),
            "KILL_POINTS_DIR": str(kill_points),
        }
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "services.api", env={**os.environ, **environment}, stdout=asyncio.subprocess.DEVNULL
        )
        try:
            yield process, f"http://127.0.0.1:{ports.api}"
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()


async def test_an_answer_that_died_on_its_way_is_given_by_another_process(settings, gateway, alice, tmp_path):
    """Killed between commit and answer: whoever asks again gets the answer that was kept, and nothing is made twice."""
    async with replica(settings, tmp_path) as (process, url):
        dying = replace(alice, url=url)
        await until(lambda: answers(dying), what="the second gateway")
        (tmp_path / "api.committed").touch()
        with pytest.raises(aiohttp.ClientError):
            await dying.post("/v1/groups", json=GROUP, headers=KEY)
        assert await process.wait() == -9

    again = await alice.post("/v1/groups", json=GROUP, headers=KEY)

    assert (again.status, again.headers["Idempotency-Replayed"]) == (201, "true")
    assert again.headers["Location"] == f"/v1/groups/{again.body['id']}"
    assert (await alice.get(f"/v1/groups/{again.body['id']}")).body == again.body
    assert await gateway.count("groups") == 1
    assert await gateway.count("audit_log") == 1


async def answers(client):
    try:
        return (await client.get("/healthz")).status == 200
    except aiohttp.ClientError:
        return False


@asynccontextmanager
async def tenant_held(gateway):
    """While it lasts, whatever changes keys waits for the tenant's row."""
    async with gateway.deps.pool.acquire() as connection, connection.transaction():
        await connection.execute("SELECT FROM users FOR NO KEY UPDATE")
        yield


async def waiting(gateway):
    return await gateway.rows(
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )


async def test_the_same_request_at_the_same_time_is_told_so_at_once(gateway, alice):
    """The second one does not wait for the first; once that is done, it gets the same answer."""
    async with tenant_held(gateway):
        first = asyncio.create_task(alice.post("/v1/api-keys", json=NEW_KEY, headers=KEY))
        await until(lambda: waiting(gateway), what="the first request to wait")
        second = await alice.post("/v1/api-keys", json=NEW_KEY, headers=KEY)
        bare = await alice.post("/v1/groups", json=GROUP)

    made = await first
    third = await alice.post("/v1/api-keys", json=NEW_KEY, headers=KEY)

    assert refused(second, 409, "idempotency_in_flight")
    assert second.headers["Retry-After"] == "1"
    assert bare.status == 201
    assert (made.status, third.status, third.content) == (201, 201, made.content)
    assert await gateway.count("api_keys") == 2


async def test_a_request_that_failed_is_made_anew(gateway, alice):
    """A transaction that was cut off keeps neither its work nor its answer."""
    async with tenant_held(gateway):
        first = asyncio.create_task(alice.post("/v1/api-keys", json=NEW_KEY, headers=KEY))
        [row] = await until(lambda: waiting(gateway), what="the first request to wait")
        await gateway.rows("SELECT pg_terminate_backend($1)", row["pid"])
        cut = await first

    again = await alice.post("/v1/api-keys", json=NEW_KEY, headers=KEY)

    assert refused(cut, 503, "not_ready")
    assert again.status == 201
    assert "Idempotency-Replayed" not in again.headers
    assert await gateway.count("api_keys") == 2


async def test_a_secret_is_kept_encrypted(gateway, alice):
    """The table of answers holds no key that works, and the repeated answer does."""
    made = await alice.post("/v1/api-keys", json=NEW_KEY, headers=KEY)
    again = await alice.post("/v1/api-keys", json=NEW_KEY, headers=KEY)

    [row] = await gateway.rows("SELECT * FROM idempotency_keys")
    assert again.body["key"] == made.body["key"]
    assert (row["key_id"], row["status"]) == ("test", 201)
    assert made.body["key"].rpartition("_")[2].encode() not in row["body"]
    assert b"scopes" not in row["body"]


async def test_a_secret_is_shown_again_to_its_maker_alone(alice):
    """Another key of the user learns no key that may do more than itself by repeating how it was made."""
    made = await alice.post("/v1/api-keys", json=NEW_KEY, headers=KEY)
    admin = await alice.post("/v1/api-keys", json={"name": "y", "scopes": ["admin"]})

    other = await replace(alice, api_key=admin.body["key"]).post("/v1/api-keys", json=NEW_KEY, headers=KEY)

    assert made.status == 201
    assert refused(other, 422, "idempotency_mismatch")


async def test_a_secret_whose_encryption_key_has_gone_is_not_made_again(settings, gateway, alice, run_gateway):
    """What cannot be shown again is told so; nothing is done twice to make up for it."""
    await alice.post("/v1/api-keys", json=NEW_KEY, headers=KEY)
    async with run_gateway(replace(settings, token_keys={"other": bytes(32)})) as other:
        again = await replace(alice, url=other.url).post("/v1/api-keys", json=NEW_KEY, headers=KEY)

    assert refused(again, 409, "state_conflict")
    assert await gateway.count("api_keys") == 2


async def test_a_key_stands_for_one_request_of_one_tenant_for_a_day(gateway, alice, bob):
    """Another body or path is refused, another tenant's key is its own, and after 24 hours it may be used again."""
    first = await alice.post("/v1/groups", json=GROUP, headers=KEY)

    assert refused(await alice.post("/v1/groups", json={"name": "x"}, headers=KEY), 422, "idempotency_mismatch")
    assert refused(await alice.post("/v1/api-keys", json=NEW_KEY, headers=KEY), 422, "idempotency_mismatch")
    theirs = await bob.post("/v1/groups", json=GROUP, headers=KEY)
    assert theirs.status == 201
    assert theirs.body["id"] != first.body["id"]
    await gateway.rows("UPDATE idempotency_keys SET created_at = now() - interval '24 hours 1 second'")
    assert (await alice.post("/v1/groups", json={"name": "x"}, headers=KEY)).status == 201


async def test_a_refusal_is_not_kept(alice):
    """Whoever mends what was wrong may use the same key: nothing was done under it."""
    wrong = await alice.post("/v1/groups", json={"name": ""}, headers=KEY)
    right = await alice.post("/v1/groups", json=GROUP, headers=KEY)

    assert (wrong.status, right.status) == (422, 201)


async def test_a_key_is_quoted_or_bare(alice):
    """Both are the same key; what is neither is refused."""
    made = await alice.post("/v1/groups", json=GROUP, headers={"Idempotency-Key": '"wish-1"'})
    again = await alice.post("/v1/groups", json=GROUP, headers=KEY)
    wrong = [("Idempotency-Key", text) for text in ("", "a b", "x" * 201, '"half', '""')]
    answers = [await alice.post("/v1/groups", json=GROUP, headers=dict([pair])) for pair in wrong]

    assert again.body == made.body
    assert [(answer.status, answer.body["errors"][0]["path"]) for answer in answers] == [
        (422, "Idempotency-Key")
    ] * len(wrong)


def repeatable(gateway, client, fingerprint=b"1"):
    return Repeatable(
        pool=gateway.deps.pool,
        cipher=gateway.deps.cipher,
        user_id=UUID(client.user_id),
        key="wish-1",
        fingerprint=fingerprint,
        secret=False,
    )


async def code_of(awaitable):
    try:
        await awaitable
    except ProblemError as problem:
        return problem.code
    return None


async def test_a_key_is_committed_before_what_no_transaction_takes_back(gateway, alice):
    """While a platform call runs, its repetition is in flight for every process; if it fails, it may be made again."""
    first = repeatable(gateway, alice)
    await first.reserve()

    assert await code_of(repeatable(gateway, alice).look_up()) == "idempotency_in_flight"
    assert await code_of(repeatable(gateway, alice).reserve()) == "idempotency_in_flight"
    assert await code_of(repeatable(gateway, alice, b"2").look_up()) == "idempotency_mismatch"
    await first.give_up()
    assert await code_of(repeatable(gateway, alice).reserve()) is None


async def test_a_reservation_ends_by_itself_or_with_the_answer(gateway, alice):
    """A process that died in a platform call stops nobody for ever; one that lived leaves its answer."""
    await repeatable(gateway, alice).reserve()
    await gateway.rows("UPDATE idempotency_keys SET reserved_until = now()")
    second = repeatable(gateway, alice)
    await second.reserve()
    async with second.begin() as tx:
        await second.keep(tx, answer({"done": True}))
    await second.give_up()

    with pytest.raises(ReplayError) as replay:
        await repeatable(gateway, alice).look_up()

    assert replay.value.answer.content == b'{"done":true}'


async def test_an_answer_that_was_not_kept_fails_loudly(gateway, alice):
    """A change under a key cannot be committed without its answer, nor in two parts."""
    forgetful = repeatable(gateway, alice)
    with pytest.raises(RuntimeError):
        async with forgetful.begin() as tx:
            await tx.execute("INSERT INTO groups (id, user_id, name) SELECT id, id, 'x' FROM users")
    async with forgetful.begin() as tx:
        await forgetful.keep(tx, answer({}))
    with pytest.raises(RuntimeError):
        async with forgetful.begin():
            pass

    assert await gateway.count("groups") == 0
