"""A gateway on real servers, and clients that speak to it over HTTP."""

from __future__ import annotations

import base64
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest
from PIL import Image

from deploy.cli.users import create_user
from services.api.app import create_app
from services.api.deps import Deps
from services.api.http.listener import listen
from services.api.service import open_deps
from shared.settings import Settings, load_settings
from tests.contract import check_answer

_DEADLINE = aiohttp.ClientTimeout(total=20)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came back."""

    status: int
    headers: Any
    content: bytes

    @property
    def body(self) -> Any:
        return msgspec.json.decode(self.content) if self.content else None


@dataclass(frozen=True, kw_only=True)
class Client:
    """One tenant at the gateway."""

    http: aiohttp.ClientSession
    url: str
    api_key: str | None
    user_id: str

    async def call(self, method: str, path: str, **request: Any) -> Answer:
        headers = {} if self.api_key is None else {"Authorization": f"Bearer {self.api_key}"}
        headers |= request.pop("headers", {})
        crash_expected = request.pop("crash_expected", False)
        if isinstance(request.get("data"), bytes):
            request["data"] = io.BytesIO(request["data"])  # the client dislikes large raw bytes
        async with self.http.request(method, self.url + path, headers=headers, **request) as response:
            content = await response.read()
        if method != "HEAD":
            check_answer(
                method,
                path,
                status=response.status,
                headers=response.headers,
                content=content,
                crash_expected=crash_expected,
            )
        return Answer(status=response.status, headers=response.headers, content=content)

    async def get(self, path: str, **request: Any) -> Answer:
        return await self.call("GET", path, **request)

    async def post(self, path: str, **request: Any) -> Answer:
        return await self.call("POST", path, **request)

    async def import_csv(self, text: str, *, query: str = "", **request: Any) -> Answer:
        headers = {"Content-Type": "text/csv"}
        return await self.post(f"/v1/accounts/import{query}", data=text.encode(), headers=headers, **request)

    async def add_accounts(self, count: int, *, first: int = 1) -> list[str]:
        numbers = range(first, first + count)
        lines = [f"account_{number},{17840000000000000 + number},TOKEN-{number}-not-real" for number in numbers]
        answer = await self.import_csv("\n".join(["username,instagram_user_id,access_token", *lines]))
        assert answer.status == 200, answer.body
        ids: list[str] = answer.body["accounts"]
        return ids

    async def add_group(self, account_ids: list[str], *, name: str = "everybody") -> str:
        answer = await self.post("/v1/groups", json={"name": name, "account_ids": account_ids})
        assert answer.status == 201, answer.body
        group_id: str = answer.body["id"]
        return group_id

    async def upload(
        self, content: bytes, *, name: str = "picture.jpg", convert: str | None = None, **request: Any
    ) -> Answer:
        form = aiohttp.FormData()
        form.add_field("file", io.BytesIO(content), filename=name, content_type="image/jpeg")
        if convert is not None:
            form.add_field("convert", convert)
        return await self.post("/v1/media", data=form, **request)

    async def add_post(self, **fields: Any) -> str:
        media = await self.upload(picture())
        assert media.status == 201, media.body
        answer = await self.post("/v1/posts", json={"caption": "Hello", "media_ids": [media.body["id"]], **fields})
        assert answer.status == 201, answer.body
        post_id: str = answer.body["id"]
        return post_id


@dataclass(frozen=True, kw_only=True)
class Gateway:
    """A running gateway."""

    deps: Deps
    url: str
    http: aiohttp.ClientSession

    async def client(self, email: str, *, operator: bool = False) -> Client:
        user = await create_user(self.deps.settings, email=email, operator=operator)
        return Client(http=self.http, url=self.url, api_key=user.api_key, user_id=str(user.user_id))

    async def rows(self, statement: str, *args: Any) -> list[Any]:
        rows: list[Any] = await self.deps.pool.fetch(statement, *args)
        return rows

    async def count(self, table: str) -> int:
        number: int = await self.deps.pool.fetchval(f"SELECT count(*) FROM {table}")  # noqa: S608 - of a test's own
        return number


def picture(width: int = 1080, height: int = 1080, encoding: str = "JPEG", *, noise: bool = False) -> bytes:
    """An image file; noise makes it large."""
    image = Image.effect_noise((width, height), 100) if noise else Image.new("L", (width, height), 128)
    buffer = io.BytesIO()
    image.save(buffer, encoding, quality=95)
    return buffer.getvalue()


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Gateway]:
    """A gateway with these settings, on a free port."""
    async with (
        open_deps(settings) as deps,
        listen(create_app(deps), host="127.0.0.1", port=0, drain_s=5) as port,
        aiohttp.ClientSession(timeout=_DEADLINE) as http,
    ):
        yield Gateway(deps=deps, url=f"http://127.0.0.1:{port}", http=http)


@pytest.fixture
def settings(database_url, redis_url, tmp_path):
    return load_settings(
        {
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "AMQP_URL": "amqp://127.0.0.1:1/",  # the gateway never speaks to the broker
            "TOKEN_KEYS": f"test:{base64.b64encode(bytes(32)).decode()}",
            "CURSOR_SECRET": "cursor secret of the tests",
            "API_KEY_PEPPER": "pepper of the tests",
            "MEDIA_STORE": str(tmp_path / "media"),
            "PUBLIC_FETCH_TEST": "off",  # nothing stands at PUBLIC_URL
            # Counted as always, and no test comes near.
            "RATE_LIMIT_KEY_PER_S": "10000",
            "RATE_LIMIT_TENANT_PER_S": "10000",
            "RATE_LIMIT_ADDRESS_PER_S": "10000",
        }
    )


@pytest.fixture
async def gateway(settings):
    async with running(settings) as gateway:
        yield gateway


@pytest.fixture
async def alice(gateway):
    return await gateway.client("alice@example.com")


@pytest.fixture
async def bob(gateway):
    return await gateway.client("bob@example.com")


@pytest.fixture
def make_picture():
    return picture


@pytest.fixture
def refused(gateway):
    """Check a refusal of media: told, with nothing kept; gives its text."""

    def kept() -> list[Path]:
        return list(Path(gateway.deps.settings.media_store).iterdir())

    async def refused(answer: Answer, code: str, status: int = 422) -> str:
        assert (answer.status, answer.body["code"]) == (status, code), answer.body
        assert await gateway.count("media") == 0
        assert kept() == []
        return str(answer.body["detail"])

    return refused


@pytest.fixture
def run_gateway():
    return running
