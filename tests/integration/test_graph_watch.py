"""Who is told of a call: the observer of its outcome, the watch of the limits that the platform reports."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field

import pytest
from aiohttp import web

from shared.instagram import (
    GraphAccount,
    GraphError,
    GraphUnclearError,
    GraphUnreachableError,
    InstagramError,
    Usage,
    open_graph_session,
)
from tests.platforms import ACCOUNT, CONTAINER, Handler, client_of, platform, publish, refuses, says, says_text

BUC = '{"17841400000000001": [{"type": "instagram", "call_count": 91, "estimated_time_to_regain_access": 3}]}'
HEADERS = {"x-app-usage": '{"call_volume": 12, "cpu_time": 0}', "x-business-use-case-usage": BUC}
USAGE = Usage(app_percent=12, account_percent=91, regain_s=180)


@dataclass
class Notes:
    """A watch that notes what it is told."""

    told: list[tuple[GraphAccount, str, Usage | None, InstagramError | None]] = field(default_factory=list)

    def saw(self, account: GraphAccount, operation: str, *, usage: Usage | None, error: InstagramError | None) -> None:
        self.told.append((account, operation, usage, error))


def with_usage(answer: Handler) -> Handler:
    async def answered(request: web.Request) -> web.StreamResponse:
        response = await answer(request)
        response.headers.update(HEADERS)
        return response

    return answered


@pytest.mark.parametrize(
    ("answer", "error_type"),
    [
        (says({"id": "1"}), type(None)),
        (refuses(403, code=80002), GraphError),
        (says_text("<html>", 502), GraphUnclearError),
        (says({"id": None}), GraphUnclearError),
    ],
    ids=["ok", "refused", "502", "unusable"],
)
async def test_the_watch_learns_usage_from_every_answer(answer, error_type):
    """Refusals and useless answers carry the limits as successes do, and come with their error."""
    notes = Notes()
    async with platform(with_usage(answer), watch=notes) as (client, _):
        with contextlib.suppress(InstagramError):
            await publish(client)

    [(account, operation, usage, error)] = notes.told
    assert (account, operation, usage) == (ACCOUNT, "publish_container", USAGE)
    assert type(error) is error_type


async def test_the_watch_learns_of_calls_that_got_no_answer():
    """Nothing is known of the limits, but that the call failed is."""
    notes = Notes()
    async with open_graph_session() as session:
        with pytest.raises(GraphUnreachableError):
            await client_of(session, "http://127.0.0.1:1", watch=notes).refresh_token(ACCOUNT)

    [(account, operation, usage, error)] = notes.told
    assert (account, operation, usage) == (ACCOUNT, "refresh_token", None)
    assert isinstance(error, GraphUnreachableError)


async def test_usage_of_32_kinds_leaves_the_answer_readable():
    """The longest header that is documented does not turn a success into an unclear one."""
    many = ", ".join(f'"{number:020}": [{BUC[23:-2]}]' for number in range(32)).replace("[[", "[").replace("]]", "]")
    notes = Notes()

    async def answer(_: web.Request) -> web.Response:
        return web.json_response({"id": "1"}, headers={"X-Business-Use-Case-Usage": f"{{{many}}}" + " " * 10_000})

    async with platform(answer, watch=notes) as (client, _):
        assert await publish(client) == "1"

    assert notes.told[0][2] == Usage(account_percent=91, regain_s=180)


async def test_a_canceled_call_is_not_told():
    """Nobody knows how it ended, so it counts neither for the platform nor against it."""
    notes = Notes()
    sent = asyncio.Event()

    async def hold(_: web.Request) -> web.Response:
        sent.set()
        await asyncio.Event().wait()
        raise AssertionError

    async with platform(hold, watch=notes) as (client, _):
        call = asyncio.create_task(client.container_status(ACCOUNT, CONTAINER))
        await asyncio.wait_for(sent.wait(), 10)
        call.cancel()
        await asyncio.wait([call])

    assert notes.told == []


async def test_every_exchange_is_observed_with_a_bounded_outcome():
    """Operation, outcome and seconds of success, refusal, silence and absence reach the observer."""
    observed: list[tuple[str, str]] = []

    def observe(operation: str, outcome: str, seconds: float) -> None:
        assert seconds >= 0
        observed.append((operation, outcome))

    for answer in (says({"id": "1"}), refuses(code=9, error_subcode=2207042), says_text("<html>", 502)):
        async with platform(answer, observe=observe) as (client, _):
            with contextlib.suppress(InstagramError):
                await publish(client)
    async with open_graph_session() as session:
        with contextlib.suppress(InstagramError):
            await publish(client_of(session, "http://127.0.0.1:1", observe=observe))

    assert observed == [("publish_container", outcome) for outcome in ("ok", "quota", "unclear", "unreachable")]
