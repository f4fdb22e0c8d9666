"""PUBLIC_URL, through which the platform fetches media."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp

from deploy.doctor.check import Area, Check
from deploy.doctor.finding import Verdict, failed, ok, skipped
from deploy.doctor.platform_host import is_real_platform
from deploy.doctor.setup import Setup
from shared.security import open_public_fetch

_PATIENCE_S = 5.0
_NOT_FOUND = "the answer has status 404"
_PROBLEM = "application/problem+json"


@dataclass(frozen=True, kw_only=True)
class _Public:
    """What a look through PUBLIC_URL at a picture that is not there came to."""

    setup: Setup
    fault: str | None  # half a sentence; None: not looked at
    is_ours: bool  # the gateway answered, and not somebody before it


@asynccontextmanager
async def _look(setup: Setup) -> AsyncIterator[_Public]:
    fetch = open_public_fetch(setup.settings)
    key = f"{secrets.token_urlsafe(24)}.jpg"
    fault = await fetch.look(key, mime="image/jpeg") if fetch is not None else None
    is_ours = fault == _NOT_FOUND and await _is_gateway(f"{setup.settings.public_url}/media/{key}")
    yield _Public(setup=setup, fault=fault, is_ours=is_ours)


async def _is_gateway(url: str) -> bool:
    timeout = aiohttp.ClientTimeout(total=_PATIENCE_S)
    try:
        async with aiohttp.ClientSession(timeout=timeout) as http, http.get(url, allow_redirects=False) as response:
            return response.content_type == _PROBLEM
    except (aiohttp.ClientError, OSError):
        return False


async def look_at_fetch(public: _Public) -> Verdict:
    """Whether the gateway is reached through PUBLIC_URL as the platform reaches it."""
    url = public.setup.settings.public_url
    if public.fault is None:
        return skipped("PUBLIC_FETCH_TEST is off, so that nothing is fetched through PUBLIC_URL.")
    if public.is_ours:
        return ok(f"The gateway is reached through {url}.")
    if public.fault == _NOT_FOUND:
        return failed(
            f"What answers at {url} is not the gateway.",
            do="Lead PUBLIC_URL, with its path /media/, to the gateway's API_PORT.",
        )
    return failed(
        f"Media cannot be fetched through PUBLIC_URL {url}: {public.fault}.",
        do=_advice(public),
    )


def _advice(public: _Public) -> str:
    if "PUBLIC_URL" in (public.fault or ""):
        return "Set PUBLIC_URL to an https:// address that the internet reaches and that leads to the gateway."
    reach = "the internet" if is_real_platform(public.setup.settings) else "the platform's stand-in"
    return (
        f"Start the gateway, and see that {reach} reaches it under PUBLIC_URL. Set PUBLIC_FETCH_TEST=off only where"
        " others can and this network cannot."
    )


PUBLIC = Area(
    name="public",
    enter=_look,
    needs=("settings.values", "services.ready"),
    checks=(Check(name="public.fetch", look=look_at_fetch),),
)
