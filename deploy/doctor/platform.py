"""Instagram, or what stands in for it: is it there, is it the Graph API, does it know the app, what time has it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus

import aiohttp
import msgspec

from deploy.doctor.check import Area, Check, RefusedError
from deploy.doctor.clocks import judge_clock
from deploy.doctor.finding import Verdict, failed, ok, skipped, warning
from deploy.doctor.network import place_of, unreachable
from deploy.doctor.setup import Setup
from shared.instagram import GraphError, InstagramError, open_oauth_client

_PATIENCE_S = 8.0
_MOST_BYTES = 65_536
_CLOCK_S = 3.0  # the header has whole seconds, and a request takes its time
_NO_CODE = "doctor"
_OF_THE_APP = ("platform app", "client_id", "client id", "client secret", "client_secret", "app id")


@dataclass(frozen=True, kw_only=True)
class _Platform:
    """A server that answered the question whose token this is, asked without a token."""

    setup: Setup
    asked_at: datetime
    answered_at: datetime
    status: int
    date: str  # the header
    is_graph: bool  # it refused as the Graph API does


@asynccontextmanager
async def _ask(setup: Setup) -> AsyncIterator[_Platform]:
    settings = setup.settings
    url = f"{settings.instagram_graph_url}/{settings.instagram_api_version}/me"
    async with aiohttp.ClientSession(
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"Accept": "application/json", "User-Agent": "InstaDistro"},
        timeout=aiohttp.ClientTimeout(total=_PATIENCE_S),
    ) as http:
        asked_at = setup.now()
        try:
            async with http.get(url, allow_redirects=False) as response:
                body = await response.content.read(_MOST_BYTES)
        except (aiohttp.ClientError, OSError) as error:
            raise _unreachable(error, setup) from error
        yield _Platform(
            setup=setup,
            asked_at=asked_at,
            answered_at=setup.now(),
            status=response.status,
            date=response.headers.get("Date", ""),
            is_graph=_is_graph(body),
        )


def _unreachable(error: BaseException, setup: Setup) -> RefusedError:
    url = setup.settings.instagram_graph_url
    return unreachable(error, server="The platform", url=url, setting="INSTAGRAM_GRAPH_URL")


def _is_graph(body: bytes) -> bool:
    try:
        answer = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
    return isinstance(answer, dict) and isinstance(answer.get("error"), dict)


async def look_at_answer(platform: _Platform) -> Verdict:
    """Whether what answers is the Graph API."""
    place = place_of(platform.setup.settings.instagram_graph_url)
    if platform.is_graph and platform.status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return ok(f"The Graph API at {place} answers.")
    if platform.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return failed(
            f"The platform at {place} answers with HTTP {platform.status}.",
            do="Wait, or look at Meta's status page; for the emulator look at its log.",
        )
    return failed(
        f"What answers at {place} (HTTP {platform.status}) is not the Graph API.",
        do="Correct INSTAGRAM_GRAPH_URL (https://graph.instagram.com), or the proxy or login page of this network.",
    )


async def look_at_app(platform: _Platform) -> Verdict:
    """Whether the platform knows the app and its secret, as far as it tells: asked with a code that is none."""
    settings = replace(platform.setup.settings, platform_deadline_s=_PATIENCE_S)
    if not settings.instagram_app_id or not settings.instagram_app_secret:
        return skipped("No app is set: accounts can be imported with their tokens, not connected through OAuth.")
    try:
        async with open_oauth_client(
            settings, redirect_uri=f"{settings.public_url}/v1/oauth/instagram/callback"
        ) as app:
            await app.exchange_code(_NO_CODE)
    except GraphError as error:
        if any(word in error.message.lower() for word in _OF_THE_APP):
            return failed(
                f"The platform refuses the app: {error.message.rstrip('.')}.",
                do="Correct INSTAGRAM_APP_ID and INSTAGRAM_APP_SECRET: the Instagram app's, not the Meta app's.",
            )
    except InstagramError as error:
        return warning(f"The platform did not say whether it knows the app: {error}", do="Try again later.")
    return ok("The platform does not refuse the app.")


async def look_at_clock(platform: _Platform) -> Verdict:
    """Whether this machine and the platform agree about the time."""
    try:
        theirs = parsedate_to_datetime(platform.date)
    except ValueError:
        return skipped("The platform does not tell the time.")
    return judge_clock(
        theirs, before=platform.asked_at, after=platform.answered_at, whose="the platform's", most_s=_CLOCK_S
    )


PLATFORM = Area(
    name="platform",
    enter=_ask,
    checks=(
        Check(name="platform.answers", look=look_at_answer),
        Check(name="platform.app", look=look_at_app, needs=("platform.answers",)),
        # Where the database's clock differs too, that is told once.
        Check(name="platform.clock", look=look_at_clock, needs=("platform.answers", "postgres.clock")),
    ),
)
