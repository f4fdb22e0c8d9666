"""Renewing one token."""

import asyncio
import contextlib
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from deploy.emulator import Options
from shared.instagram import GraphClient, open_graph_session
from shared.jobs import Again, Transient
from tests.waiting import until


async def test_a_renewed_token_is_stored_with_all_that_hangs_on_it(clinic):
    """Token, end, scopes, the next renewal and the event are one write."""
    before = await clinic.token()

    await clinic.refresh()

    row = await clinic.row()
    assert await clinic.token() != before
    assert (round(row["expires_in"]), row["age"] < timedelta(hours=1), row["refreshing_until"]) == (60, True, None)
    assert 30 - 0.1 <= row["refresh_in"] <= 36
    assert await clinic.events() == ["account.token_refreshed"]


async def test_a_second_message_renews_nothing(clinic):
    """A token that is younger than a day is left alone, however often the job is delivered."""
    await clinic.refresh()
    first = await clinic.token()

    assert await clinic.refresh() is None

    assert (await clinic.token(), await clinic.calls()) == (first, 1)


async def test_two_workers_ask_the_platform_once(clinic):
    """While one asks, the other's message waits; then there is nothing left to do."""
    others = []

    async def let_another_try():
        others.append(await clinic.refresh())

    clinic.before_asking(let_another_try)
    outcome = await clinic.refresh()

    assert (outcome, await clinic.calls()) == (None, 1)
    assert [isinstance(other, Again) and other.delay_ms > 0 for other in others] == [True]


async def test_workers_that_waited_for_the_same_account_ask_once(clinic):
    """What the first has written while the other waited for the account's lock is seen by the other."""

    async def both_wait():
        return await clinic.someone_waits() == 2

    async with clinic.pool.acquire() as importing, importing.transaction():
        await importing.execute("SELECT 1 FROM accounts FOR NO KEY UPDATE")
        workers = [asyncio.create_task(clinic.refresh()) for _ in range(2)]
        await until(both_wait, what="both workers to wait")
    await asyncio.gather(*workers)

    assert await clinic.calls() == 1


@pytest.mark.parametrize("kind", ["error", "html_502"])
async def test_a_failure_of_the_platform_proves_nothing(clinic, kind):
    """It is counted and tried again by the job's policy; token and account stay, the next try may begin at once."""
    before = await clinic.token()
    await clinic.control("faults", endpoint="refresh_token", kind=kind, times=1)

    with pytest.raises(Transient):
        await clinic.refresh()

    row = await clinic.row()
    assert (await clinic.token(), row["state"], row["refreshing_until"]) == (before, "ACTIVE", None)
    assert row["refresh_failures"] == 1
    assert await clinic.refresh() is None
    assert await clinic.token() != before
    assert (await clinic.row())["refresh_failures"] == 0


@pytest.mark.parametrize(
    ("options", "state"),
    [(Options(refresh_ends_old=False), "ACTIVE"), (Options(refresh_ends_old=True), "NEEDS_REAUTH")],
)
async def test_a_lost_answer_harms_only_where_the_old_token_ended_with_it(clinic, state):
    """Which of the two the platform does is unconfirmed: asking again finds out."""
    await clinic.control("faults", endpoint="refresh_token", kind="drop_after", times=1)

    with contextlib.suppress(Transient):
        await clinic.refresh()
    await clinic.refresh()

    assert (await clinic.row())["state"] == state


async def test_a_refused_token_asks_for_the_owner(clinic):
    """The account goes to NEEDS_REAUTH, with the event; its publications are held from then on."""
    await clinic.control("faults", endpoint="refresh_token", kind="error", times=1, code=190, subcode=460)

    await clinic.refresh()

    row = await clinic.row()
    assert (row["state"], row["state_reason"]) == ("NEEDS_REAUTH", "reauth_required")
    assert await clinic.events() == ["account.reauth_required"]


async def test_in_an_incident_a_refusal_asks_nobody(clinic):
    """What hits many accounts at once is no account's trouble: this one is asked for again in an hour."""
    await clinic.pool.execute(
        "INSERT INTO incidents (id, error_class, accounts, share, user_ids, paused_until) "
        "VALUES (gen_random_uuid(), 'reauth', 50, 0.9, '{}', now())"
    )
    await clinic.control("faults", endpoint="refresh_token", kind="error", times=1, code=190, subcode=460)

    await clinic.refresh()

    row = await clinic.row()
    assert (row["state"], row["refreshing_until"], round(row["refresh_in"] * 24)) == ("ACTIVE", None, 1)
    assert await clinic.events() == []


@pytest.mark.parametrize("answer", [{"access_token": "", "expires_in": 5_184_000}, {}, []])
async def test_an_empty_answer_overwrites_nothing(clinic, answer):
    """What holds no token is no grant, whatever its status says."""
    before, asked = await clinic.token(), []

    async def say_nothing(request):
        asked.append(request.path)
        return web.json_response(answer)

    app = web.Application()
    app.router.add_get("/refresh_access_token", say_nothing)
    async with TestServer(app) as server, open_graph_session() as session:
        graph = GraphClient(
            session, base_url=str(server.make_url("")), version="", deadline_s=10, publish_deadline_s=10
        )
        clinic.surgery = replace(clinic.surgery, graph=graph)
        with pytest.raises(Transient):
            await clinic.refresh()

    assert (asked, await clinic.token()) == (["/refresh_access_token"], before)


async def test_a_stop_does_not_lose_a_token_that_has_come(clinic):
    """A worker that is told to stop writes first what the platform has given."""
    before = await clinic.token()
    async with clinic.pool.acquire() as other, other.transaction():
        clinic.before_asking(partial(other.execute, "SELECT id FROM accounts FOR NO KEY UPDATE"))
        worker = asyncio.create_task(clinic.refresh())
        await until(clinic.someone_waits, what="the write waits for the account")
        worker.cancel()

    with pytest.raises(asyncio.CancelledError):
        await worker
    assert await clinic.token() != before


@pytest.mark.parametrize("refused", [False, True])
async def test_a_token_that_the_owner_replaced_meanwhile_stands(clinic, refused):
    """Neither the next token nor a refusal of the old one touches what came in between."""
    if refused:
        await clinic.control("faults", endpoint="refresh_token", kind="error", times=1, code=190, subcode=460)
    clinic.before_asking(partial(clinic.store, "the-owner-s-next-token"))

    await clinic.refresh()

    assert (await clinic.token(), (await clinic.row())["state"]) == ("the-owner-s-next-token", "ACTIVE")
    assert await clinic.events() == []


async def test_a_key_that_changes_meanwhile_loses_no_token(clinic):
    """The same token under another ciphertext is still the one that was renewed."""
    before = await clinic.token()
    clinic.before_asking(partial(clinic.store, before))

    await clinic.refresh()

    assert await clinic.token() != before


async def test_an_expired_token_is_not_asked_for(clinic):
    """It cannot be renewed: its owner is needed, and that is said at once."""
    await clinic.pass_days(31)

    await clinic.refresh()

    row = await clinic.row()
    assert (row["state"], row["state_reason"], await clinic.calls()) == ("NEEDS_REAUTH", "token_expired", 0)
