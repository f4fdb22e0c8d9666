from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from PIL import Image

from deploy.emulator import Account, Clock, Options, create_app

EXAMPLES = Path(__file__).parents[3] / "examples"
VIDEOS = Path(__file__).parents[2] / "media"
DEADLINE = aiohttp.ClientTimeout(total=10)


def encode_image(width: int, height: int, encoding: str = "JPEG") -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), (200, 120, 60)).save(buffer, encoding)
    return buffer.getvalue()


@pytest.fixture
def image_bytes() -> Callable[..., bytes]:
    return encode_image


@dataclass
class ImageServer:
    """A web server that holds the pictures of one test."""

    origin: str = ""
    answers: dict[str, tuple[bytes, int, dict[str, str]]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)  # somebody asked for /stalled
    released: asyncio.Event = field(default_factory=asyncio.Event)  # /stalled may answer

    def serve(self, name: str, content: bytes, *, status: int = 200, **headers: str) -> str:
        named = {"Content-Type": "image/jpeg"} | {key.replace("_", "-"): value for key, value in headers.items()}
        self.answers[name] = (content, status, named)
        return f"{self.origin}/{name}"

    async def answer(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        self.asked.append(name)
        if name == "stalled":
            self.arrived.set()
            await self.released.wait()
        content, status, headers = self.answers[name]
        response = web.Response(body=content, status=status, headers=headers)
        if name.startswith("unannounced"):
            response.enable_chunked_encoding()
        return response


@pytest.fixture
async def images() -> AsyncIterator[ImageServer]:
    images = ImageServer()
    app = web.Application()
    app.router.add_get("/{name}", images.answer)
    async with TestServer(app) as server:
        images.origin = str(server.make_url("")).rstrip("/")
        images.serve("good.jpg", encode_image(1080, 1350))
        images.serve("stalled", encode_image(320, 320))
        for video in (EXAMPLES / "reel.mp4", *VIDEOS.iterdir()):
            images.serve(video.name, video.read_bytes(), Content_Type="video/mp4")
        yield images
        images.released.set()


@dataclass
class Answer:
    status: int
    body: Any
    headers: Any

    @property
    def error(self) -> tuple[int, int | None]:
        return self.body["error"]["code"], self.body["error"].get("error_subcode")


@dataclass
class Emulated:
    """A running emulator and a client of it."""

    origin: str
    session: aiohttp.ClientSession

    async def call(self, method: str, path: str, **request: Any) -> Answer:
        async with self.session.request(method, f"{self.origin}{path}", timeout=DEADLINE, **request) as response:
            return Answer(response.status, await response.json(), response.headers)

    async def graph(self, account: dict[str, str], method: str, path: str, **params: Any) -> Answer:
        """A Graph call the preferred way: token in the header, parameters of writes in the body."""
        place = "params" if method == "GET" else "data"
        headers = {"Authorization": f"Bearer {account['access_token']}"}
        return await self.call(method, f"/v25.0{path}", headers=headers, **{place: params})

    async def control(self, method: str, path: str, body: Any = None, **params: str) -> Any:
        answer = await self.call(method, f"/_emulator/{path}", json=body, params=params)
        assert answer.status == 200, answer.body
        return answer.body

    async def new_account(self) -> dict[str, str]:
        [account] = await self.control("POST", "accounts", {"count": 1})
        return dict(account)

    async def create(self, account: dict[str, str], image_url: str, **params: str) -> Answer:
        return await self.graph(account, "POST", f"/{account['ig_user_id']}/media", image_url=image_url, **params)

    async def make(self, account: dict[str, str], **params: str) -> Answer:
        """A container of any format, as far as its creation's answer."""
        return await self.graph(account, "POST", f"/{account['ig_user_id']}/media", **params)

    async def finished(self, account: dict[str, str], **params: str) -> str:
        """The id of a container that is ready to be published."""
        answer = await self.make(account, **params)
        assert answer.status == 200, answer.body
        container_id = str(answer.body["id"])
        assert await self.settled(account, container_id) == "FINISHED"
        return container_id

    async def publish(self, account: dict[str, str], container_id: str) -> Answer:
        return await self.graph(account, "POST", f"/{account['ig_user_id']}/media_publish", creation_id=container_id)

    async def status_of(self, account: dict[str, str], container_id: str) -> str:
        answer = await self.graph(account, "GET", f"/{container_id}", fields="status_code")
        return str(answer.body["status_code"])

    async def settled(self, account: dict[str, str], container_id: str) -> str:
        """The status of a container once its image has arrived or failed."""
        async with asyncio.timeout(10):
            while (status := await self.status_of(account, container_id)) == "IN_PROGRESS":
                pass
        return status

    async def post(self, account: dict[str, str], image_url: str, **params: str) -> str:
        """The whole way of one post; returns the media id."""
        container = await self.create(account, image_url, **params)
        published = await self.publish(account, container.body["id"])
        return str(published.body["id"])


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def start(clock: Clock) -> AsyncIterator[Callable[..., Awaitable[Emulated]]]:
    """Start an emulator with the options given, on a free port; media are ready at once unless told otherwise."""
    async with AsyncExitStack() as stack:

        async def start(*accounts: Account, **options: Any) -> Emulated:
            app = create_app(accounts, options=Options(**{"processing_s": 0.0, **options}), clock=clock)
            server = await stack.enter_async_context(TestServer(app))
            session = await stack.enter_async_context(aiohttp.ClientSession())
            return Emulated(str(server.make_url("")).rstrip("/"), session)

        yield start


@pytest.fixture
async def emulated(start: Callable[..., Awaitable[Emulated]]) -> Emulated:
    return await start()


@pytest.fixture
async def account(emulated: Emulated) -> dict[str, str]:
    return await emulated.new_account()
