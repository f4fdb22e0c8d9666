"""The Python client against a real gateway: lists, changes, repeated calls, typed errors."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import UUID

import psutil
import pytest
from aiohttp import web

from instadistro_client import (
    ConflictError,
    InstaDistro,
    InvalidRequestError,
    NotAllowedError,
    NotFoundError,
    Request,
    RetryPolicy,
    UnavailableError,
    UnexpectedAnswerError,
)

_QUICK = RetryPolicy(first_wait_s=0.01, deadline_s=10)


@pytest.fixture
async def api(alice):
    async with InstaDistro(alice.url, api_key=alice.api_key, policy=_QUICK) as api:
        yield api


@pytest.fixture
async def flaky():
    """A server that fails as it is told, then answers; and the headers of what it was sent."""
    failures: list[tuple[int | None, Any]] = []
    seen: list[Any] = []

    async def answer(request: web.Request) -> web.Response:
        seen.append(request.headers)
        if failures:
            status, body = failures.pop(0)
            if status is None:
                cast("asyncio.Transport", request.transport).abort()
            return web.json_response(body, status=status or 500, headers={"Retry-After": "0"})
        body = {"id": str(UUID(int=1)), "name": "x", "color": None, "tags": [], "account_count": 0}
        now = datetime.now(UTC).isoformat()
        return web.json_response(body | {"created_at": now, "updated_at": now}, status=201)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with InstaDistro(f"http://127.0.0.1:{runner.addresses[0][1]}", api_key="k", policy=_QUICK) as api:
        yield api, failures, seen
    await runner.cleanup()


def problem(status, code):
    return status, {"title": code, "status": status, "code": code, "detail": "It failed."}


async def test_a_list_is_read_to_its_end(alice, api):
    """Every row once, in the list's order, however many pages that takes."""
    made = await alice.add_accounts(105)

    listed = [str(account.id) async for account in api.accounts.list()]
    page = await api.accounts.list(state="NEW").page(limit=2, count=True)

    assert sorted(listed) == sorted(made)
    assert len(page.data) == 2
    assert (page.pagination.total, page.pagination.total_is_exact) == (105, True)


async def test_a_post_goes_its_way_through_the_client(alice, api, tmp_path, make_picture):
    """Group, upload, post, plan, distribution and cancellation, each as a typed value."""
    accounts = await alice.add_accounts(3)
    file = tmp_path / "picture.jpg"
    file.write_bytes(make_picture())
    begin = datetime.now(UTC) + timedelta(hours=1)

    group = await api.groups.create(name="three", account_ids=accounts)
    medium = await api.media.upload(file)
    post = await api.posts.create(caption="Hello", media_ids=[medium.id])
    wish = {"post_id": post.id, "group_id": group.id, "begin": begin, "end": begin + timedelta(hours=1)}
    plan = await api.distributions.create(**wish, dry_run=True)
    made = await api.distributions.create(**wish, seed=plan.seed, plan_digest=plan.plan_digest)
    halted = await api.distributions.cancel(made.id or "")

    assert group.account_count == 3
    assert made.plan == plan.plan
    assert (halted.stopped, halted.sent) == (3, [])
    assert [one.state async for one in api.publications.list(distribution_id=made.id)] == ["canceled"] * 3


async def test_what_is_left_out_stays_and_none_clears(api):
    """A change says only what is to be different."""
    group = await api.groups.create(name="one", color="#112233", tags=["a"])

    renamed = await api.groups.update(group.id, name="two")
    cleared = await api.groups.update(group.id, color=None)

    assert (renamed.name, renamed.color, renamed.tags) == ("two", "#112233", ["a"])
    assert (cleared.name, cleared.color) == ("two", None)


async def test_a_problem_is_an_error_of_its_kind(alice, api):
    """Its class says how to go on, its text what is wrong and where."""
    await api.groups.create(name="taken")

    with pytest.raises(ConflictError, match="name_taken") as conflict:
        await api.groups.create(name="taken")
    with pytest.raises(NotFoundError):
        await api.accounts.get(UUID(int=0))
    with pytest.raises(InvalidRequestError, match="line 2, username"):
        await api.accounts.import_(b"username,instagram_user_id,access_token\nno spaces please,1,some-token-x\n")
    async with InstaDistro(alice.url, api_key="ids_none") as stranger:
        with pytest.raises(NotAllowedError):
            await stranger.me()

    assert conflict.value.problem.existing_id is not None


async def test_an_import_can_be_watched(api):
    """It is accepted at once, and its operation tells how far it is."""
    file = b"username,instagram_user_id,access_token\none,1784000000001,some-token-of-one\n"

    operation = await api.accounts.import_later(file)
    looked_up = await api.operations.get(operation.id)

    assert operation.state == "pending"
    assert looked_up.id == operation.id


async def test_a_call_is_repeated_under_one_key_until_it_is_answered(flaky):
    """A broken connection, a busy server and a request still under way are waited for; the key stays the same."""
    api, failures, seen = flaky
    failures += [(None, None), problem(503, "not_ready"), problem(409, "idempotency_in_flight")]

    group = await api.groups.create(name="x")

    keys = {headers["Idempotency-Key"] for headers in seen}
    assert group.name == "x"
    assert (len(seen), len(keys)) == (4, 1)


async def test_what_cannot_succeed_is_not_repeated(flaky):
    """A refusal is told at once; what only may pass is told after the last attempt."""
    api, failures, seen = flaky
    failures += [problem(422, "validation_failed")]
    with pytest.raises(InvalidRequestError):
        await api.groups.create(name="x")
    refused = len(seen)

    failures += [problem(503, "not_ready")] * 9
    with pytest.raises(UnavailableError):
        await api.groups.create(name="x")

    assert refused == 1
    assert len(seen) == 1 + _QUICK.attempts


async def test_another_server_s_answer_is_no_answer(flaky):
    """What is no problem of the gateway says to look at the address; only a proxy's outage is waited for."""
    api, failures, seen = flaky
    failures += [(404, "<html>nothing</html>")]
    with pytest.raises(UnexpectedAnswerError, match="address"):
        await api.groups.get(UUID(int=1))

    failures += [(502, "<html>away</html>")]
    group = await api.groups.get(UUID(int=1))

    assert (len(seen), group.name) == (3, "x")


async def test_an_answer_of_another_version_is_told(flaky):
    """What lacks a field is not taken for something else."""
    api, _, _ = flaky

    with pytest.raises(UnexpectedAnswerError, match="version"):
        await api.accounts.get(UUID(int=1))


async def test_a_file_is_sent_anew_and_closed(flaky, tmp_path):
    """Each attempt sends it from its beginning; none leaves it open."""
    api, failures, seen = flaky
    file = tmp_path / "picture.jpg"
    file.write_bytes(bytes(300_000))
    failures += [problem(503, "not_ready")] * 9

    with pytest.raises(UnavailableError):
        await api.media.upload(file)

    assert {int(headers["Content-Length"]) // 1000 for headers in seen} == {300}
    assert [opened.path for opened in psutil.Process().open_files() if opened.path == str(file)] == []


async def test_a_wish_of_its_own_goes_with_a_call(api):
    """A key that is kept makes a call happen once, and an ETag keeps a change from hiding another one."""
    keyed = api.with_options(idempotency_key="order-17")
    once, again = await keyed.groups.create(name="once"), await keyed.groups.create(name="once")
    read = await api.send(Request(method="GET", path=f"/v1/groups/{once.id}"))
    await api.groups.update(once.id, name="changed meanwhile")

    with pytest.raises(ConflictError, match="version_mismatch"):
        await api.with_options(if_match=read.headers["ETag"]).groups.update(once.id, color="#112233")

    assert once == again
    assert [group.name async for group in api.groups.list()] == ["changed meanwhile"]


async def test_what_has_one_page_comes_at_once(api):
    """Warm-up protocols are a plain list."""
    protocols = await api.protocols.list()

    assert protocols
    assert await api.protocols.get(protocols[0].id) == protocols[0]


async def test_a_closed_client_opens_nothing_any_more(alice):
    """What is asked of it after its context says so."""
    async with InstaDistro(alice.url, api_key=alice.api_key) as api:
        await api.me()
    with pytest.raises(RuntimeError, match="closed"):
        await api.me()
