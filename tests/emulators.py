"""The platform's stand-in for a test: on a port of its own, with a person who answers its page."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
from aiohttp.test_utils import TestServer

from deploy.emulator import Options, create_app


@dataclass(frozen=True, kw_only=True)
class Emulator:
    """A running emulator."""

    url: str
    http: aiohttp.ClientSession

    async def control(self, path: str, body: Any) -> Any:
        async with self.http.post(f"{self.url}/_emulator/{path}", json=body) as answer:
            assert answer.status < 300, await answer.text()
            return await answer.json(content_type=None)

    async def new_account(self) -> dict[str, str]:
        [account] = await self.control("accounts", {"count": 1})
        return dict(account)

    async def fault(self, **fault: Any) -> None:
        await self.control("faults", fault)

    async def calls(self, endpoint: str) -> int:
        async with self.http.get(f"{self.url}/_emulator/calls", params={"endpoint": endpoint}) as answer:
            return len(await answer.json())

    async def consent(self, authorize_url: str, *, username: str = "", **form: Any) -> str:
        """What a person answers to the page; gives path and query of where the browser is sent back to."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(authorize_url).query).items()}
        body = {**asked, "decision": "allow", "username": username, **form}
        page = authorize_url.partition("?")[0]
        async with self.http.post(page, data=body, allow_redirects=False) as answer:
            assert answer.status == 302, await answer.text()
            back = urlsplit(answer.headers["Location"])
        return f"{back.path}?{back.query}"


@asynccontextmanager
async def emulating(options: Options | None = None) -> AsyncIterator[Emulator]:
    """An emulator for as long as the context lasts."""
    async with TestServer(create_app(options=options or Options())) as server, aiohttp.ClientSession() as http:
        yield Emulator(url=str(server.make_url("")).rstrip("/"), http=http)
