from __future__ import annotations

import asyncio

import aiohttp
import pytest


@pytest.fixture
async def container_id(emulated, account, images) -> str:
    return str((await emulated.create(account, f"{images.origin}/good.jpg")).body["id"])


async def _live(emulated) -> int:
    return len(await emulated.control("GET", "media"))


@pytest.mark.parametrize(
    ("fault", "status", "error"),
    [
        ({}, 403, (4, 2207051)),
        ({"code": 2}, 500, (2, None)),
        ({"code": -1, "subcode": 2207001}, 500, (-1, 2207001)),
        ({"code": 4, "subcode": 2207051, "http_status": 400}, 400, (4, 2207051)),
    ],
)
async def test_error_but_published(emulated, account, container_id, fault, status, error):
    """The answer is an error, of the code asked for, while the post is live and the container PUBLISHED."""
    await emulated.control("POST", "faults", {"endpoint": "media_publish", "kind": "error_but_published", **fault})

    answer = await emulated.publish(account, container_id)

    assert (answer.status, answer.error) == (status, error)
    assert await _live(emulated) == 1
    assert await emulated.status_of(account, container_id) == "PUBLISHED"


async def test_effect_fault_waits_for_an_effect(emulated, account, container_id):
    """A fault that follows an effect is not spent on a call refused for its own sake."""
    await emulated.control("POST", "faults", {"endpoint": "media_publish", "kind": "error_but_published"})

    assert (await emulated.publish(account, "18999999999999999")).error == (24, 2207008)
    assert [fault["left"] for fault in await emulated.control("GET", "faults")] == [1]

    assert (await emulated.publish(account, container_id)).error == (4, 2207051)
    assert await emulated.control("GET", "faults") == []


@pytest.mark.parametrize(("kind", "live"), [("drop_before", 0), ("drop_after", 1)])
async def test_dropped_connection(emulated, account, container_id, kind, live):
    """The connection breaks without an answer, before or after the post went live; the record says so."""
    await emulated.control("POST", "faults", {"endpoint": "media_publish", "kind": kind})

    with pytest.raises((aiohttp.ServerDisconnectedError, aiohttp.ClientOSError)):
        await emulated.publish(account, container_id)

    assert await _live(emulated) == live
    [call] = await emulated.control("GET", "calls", endpoint="media_publish")
    assert (call["status"], call["fault"]) == (None, kind)


async def test_error_has_no_effect(emulated, account, container_id):
    """A plain error is 500 code 2 by default, changes nothing, and is over after its times."""
    await emulated.control("POST", "faults", {"endpoint": "media_publish", "kind": "error", "times": 2})

    answers = [await emulated.publish(account, container_id) for _ in range(3)]

    assert [answer.status for answer in answers] == [500, 500, 200]
    assert answers[0].error == (2, None)
    assert answers[0].body["error"]["is_transient"] is True
    assert await _live(emulated) == 1


async def test_timeout_without_end(emulated, account, container_id):
    """A timeout without seconds takes effect and never answers; the emulator lets go when the client has left."""
    await emulated.control("POST", "faults", {"endpoint": "media_publish", "kind": "timeout"})

    waiting = asyncio.create_task(emulated.publish(account, container_id))
    async with asyncio.timeout(10):
        while not (calls := await emulated.control("GET", "calls", endpoint="media_publish")):
            pass
    assert not waiting.done()
    waiting.cancel()

    assert await _live(emulated) == 1
    assert [(call["status"], call["fault"]) for call in calls] == [(None, "timeout")]


async def test_timeout_with_seconds_answers_late(emulated, account, container_id):
    """A timeout with seconds answers properly, but only after them."""
    await emulated.control("POST", "faults", {"endpoint": "media_publish", "kind": "timeout", "seconds": 0.2})
    loop = asyncio.get_running_loop()
    began = loop.time()

    answer = await emulated.publish(account, container_id)

    assert answer.status == 200
    assert loop.time() - began >= 0.2


async def test_fault_meets_only_its_calls(emulated, account, container_id):
    """A fault for one endpoint and one account leaves all other calls alone; "any" meets every endpoint."""
    other = await emulated.new_account()
    fault = {
        "endpoint": "get_container",
        "kind": "error",
        "ig_user_id": account["ig_user_id"],
        "code": 100,
        "subcode": 33,
    }
    await emulated.control("POST", "faults", fault)

    assert (await emulated.graph(other, "GET", "/me")).status == 200
    assert (await emulated.graph(account, "GET", "/me")).status == 200
    assert (await emulated.graph(other, "GET", f"/{container_id}")).error == (100, 33)
    assert [left["left"] for left in await emulated.control("GET", "faults")] == [1]
    assert (await emulated.graph(account, "GET", f"/{container_id}")).error == (100, 33)
    assert await emulated.control("GET", "faults") == []

    await emulated.control("POST", "faults", {"endpoint": "any", "kind": "error"})
    assert (await emulated.graph(other, "GET", "/me")).status == 500


async def test_wrong_token_spends_no_fault(emulated, account):
    """A call that opens no account meets no fault."""
    await emulated.control("POST", "faults", {"endpoint": "any", "kind": "error"})

    assert (await emulated.call("GET", "/me")).error == (190, None)
    assert (await emulated.graph(account, "GET", "/me")).status == 500


@pytest.mark.parametrize(
    ("fault", "word"),
    [
        ({}, "endpoint"),
        ({"endpoint": "nowhere", "kind": "error"}, "media_publish"),
        ({"endpoint": "any", "kind": "nonsense"}, "error_but_published"),
        ({"endpoint": "any", "kind": "error", "times": 0}, "times"),
        ({"endpoint": "any", "kind": "error", "times": "two"}, "times"),
        ({"endpoint": "any", "kind": "error", "ig_user_id": "1"}, "account"),
        ({"endpoint": "any", "kind": "error", "seconds": 1}, "seconds"),
        ({"endpoint": "any", "kind": "error", "subcode": 1}, "code"),
        ({"endpoint": "any", "kind": "drop_after", "code": 1}, "code"),
        ({"endpoint": "any", "kind": "error", "http_status": 200}, "http_status"),
        ({"endpoint": "any", "kind": "error", "surprise": 1}, "surprise"),
        ([], "object"),
    ],
)
async def test_bad_fault_is_refused_with_a_sentence(emulated, fault, word):
    """A fault that cannot happen is 400 with a sentence that names what is wrong, and does not wait."""
    answer = await emulated.call("POST", "/_emulator/faults", json=fault)

    assert answer.status == 400
    assert word in answer.body["error"]
    assert await emulated.control("GET", "faults") == []


async def test_faults_that_wait_are_bounded(emulated):
    """The thousandth fault waits, one more is refused."""
    for _ in range(1000):
        await emulated.control("POST", "faults", {"endpoint": "any", "kind": "error"})

    answer = await emulated.call("POST", "/_emulator/faults", json={"endpoint": "any", "kind": "error"})

    assert answer.status == 400
    assert "DELETE" in answer.body["error"]
