"""A tenant that has one of everything, and for each route a request that it may well make."""

from __future__ import annotations

import io
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any
from uuid import uuid4

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer

from shared.security import MediaUrls
from tests.dead_jobs import bury
from tests.emulators import Emulator, emulating
from tests.wishes import in_hours

_PROXY = {"name": "Office", "scheme": "http", "host": "proxy.invalid", "port": 3128}
_WEBHOOK = {"url": "https://hooks.example.com/in"}


@dataclass(frozen=True, kw_only=True)
class World:
    """One of everything. The ids stand under the second part of a route's path, or under the parameter's own name."""

    gateway: Any
    client: Any
    operator: Any
    ids: dict[str, str]
    inside: str  # an account beside the one in `ids`
    picture_url: str
    picture: bytes

    def fill(self, path: str) -> str:
        """A route's path with the ids of what there is.

        Raises:
            KeyError: the world has nothing of that kind. Make one in `make_world`.
        """
        kind = path.split("/")[2]
        return re.sub(r"\{(\w+)\}", lambda found: self.ids[kind if found[1] == "id" else found[1]], path)

    def request(self, route: Any) -> dict[str, Any]:
        """What a client sends along; the same each time, but for the boundaries of forms.

        Raises:
            KeyError: nobody said what it could be. Add it to `REQUESTS`.
        """
        if route.contract.body in {None, type(None)}:
            return {}
        return REQUESTS[route.method, route.path](self)

    def speaker(self, route: Any) -> Any:
        """Whoever may call the route."""
        return self.operator if route.scope == "operator" else self.client

    async def prepare(self, route: Any) -> None:
        """Bring things into the state in which the route does its work."""
        if (route.method, route.path) in PREPARATIONS:
            await PREPARATIONS[route.method, route.path](self)


def random_ids(path: str) -> str:
    """A route's path with ids that were never given out."""
    return re.sub(r"\{\w+\}", lambda _: str(uuid4()), path)


@asynccontextmanager
async def surroundings(settings: Any, picture: bytes) -> AsyncIterator[tuple[Any, Emulator]]:
    """A platform, and a public address under which a picture stands; gives the settings that lead there."""

    async def serve(_request: web.Request) -> web.Response:
        return web.Response(body=picture)

    app = web.Application()
    app.router.add_get("/media/{key}", serve)
    async with TestServer(app) as public, emulating() as emulator:
        yield (
            replace(
                settings,
                public_url=str(public.make_url("")).rstrip("/"),
                instagram_graph_url=emulator.url,
                instagram_app_id="42",
                instagram_app_secret="app-secret-of-no-app",
            ),
            emulator,
        )


async def make_world(gateway: Any, emulator: Emulator, picture: bytes) -> World:
    """Make a tenant that has one of everything, waiting publications among it."""
    client = await gateway.client("alice@example.com")
    operator = await gateway.client("operator@example.com", operator=True)
    inside, account = [await _account(client, emulator) for _ in range(2)]
    settings = gateway.deps.settings
    world = World(
        gateway=gateway,
        client=client,
        operator=operator,
        ids={"accounts": account, "account_id": account},
        inside=inside,
        picture_url=MediaUrls(settings.public_url, secret=settings.cursor_secret).address("picture"),
        picture=picture,
    )
    ids = world.ids
    ids["groups"] = await client.add_group([inside, account])
    ids["posts"] = await client.add_post(overrides={account: {"caption": "Otherwise"}})
    ids["media"] = (await client.get(f"/v1/posts/{ids['posts']}")).body["media_ids"][0]
    ids["publications"] = (await _made(client, f"/v1/posts/{ids['posts']}/publish", _publish(world)))["publications"][0]
    ids["distributions"] = (await _made(client, "/v1/distributions", await _distribution(world)))["id"]
    ids["post-queues"] = (await _made(client, "/v1/post-queues", {"name": "Q", "post_ids": [ids["posts"]]}))["id"]
    ids["schedules"] = (await _made(client, "/v1/schedules", _schedule(world)))["id"]
    ids["api-keys"] = (await _made(client, "/v1/api-keys", {"name": "x", "scopes": ["read"]}))["id"]
    ids["proxies"] = (await _made(client, "/v1/proxies", _PROXY))["id"]
    ids["webhooks"] = (await _made(client, "/v1/webhooks", _WEBHOOK))["id"]
    ids["delivery_id"] = (await _made(client, f"/v1/webhooks/{ids['webhooks']}/test", None))["id"]
    ids["protocols"] = (await client.get("/v1/protocols")).body["data"][0]["id"]
    ids["alerts"] = str(uuid4())
    await gateway.rows(
        """
        INSERT INTO alerts (id, user_id, code, severity, subject_type, subject_id, text, advice)
        VALUES ($1, $2, 'reauth_required', 'critical', 'account', $3, 'Its token is refused.', 'Connect it again.')
        """,
        ids["alerts"],
        client.user_id,
        account,
    )
    ids["operations"] = str(uuid4())
    await gateway.rows(
        "INSERT INTO operations (id, user_id, type, state) VALUES ($1, $2, 'accounts.import', 'succeeded')",
        ids["operations"],
        client.user_id,
    )
    await _bury(world)
    return world


async def _made(client: Any, path: str, body: Any) -> Any:
    answer = await client.post(path, json=body)
    assert answer.status in {200, 201, 202}, answer.body
    return answer.body


async def _account(client: Any, emulator: Emulator) -> str:
    real = await emulator.new_account()
    fields = {"instagram_user_id": real["ig_user_id"], "access_token": real["access_token"]}
    made: str = (await _made(client, "/v1/accounts", {"username": real["username"], **fields}))["id"]
    return made


async def _bury(world: World) -> None:
    [dead_id] = await bury(world.gateway.deps.pool)
    world.ids["jobs"] = str(dead_id)


async def _distribution(world: World) -> dict[str, Any]:
    window = {"from": in_hours(24), "to": in_hours(25)}
    return {"post_id": await world.client.add_post(), "group_id": world.ids["groups"], "window": window}


def _schedule(world: World) -> dict[str, Any]:
    ids = {"group_id": world.ids["groups"], "post_queue_id": world.ids["post-queues"]}
    return {"name": "Mornings", "cron": "30 9 * * *", "timezone": "Europe/Berlin", **ids}


def _publish(world: World) -> dict[str, Any]:
    return {"account_ids": [world.ids["accounts"]], "publish_at": "2035-01-01T12:00:00Z", "allow_duplicate": True}


def _picture(world: World) -> dict[str, Any]:
    form = aiohttp.FormData()
    form.add_field("file", io.BytesIO(world.picture), filename="picture.jpg", content_type="image/jpeg")
    return {"data": form}


def _same(**body: Any) -> Callable[[World], dict[str, Any]]:
    return lambda _: {"json": body}


def _window(world: World) -> dict[str, Any]:
    window = {"from": "2035-02-01T12:00:00Z", "to": "2035-02-01T13:00:00Z"}
    ids = {"post_id": world.ids["posts"], "group_id": world.ids["groups"]}
    return {"json": {**ids, "window": window, "seed": 1, "allow_duplicate": True}}


_CSV = b"username,instagram_user_id,access_token\nimported,17840000000000077,TOKEN-77-not-real"

#: What is sent along to each route that takes a body.
REQUESTS: Mapping[tuple[str, str], Callable[[World], dict[str, Any]]] = MappingProxyType(
    {
        ("POST", "/v1/api-keys"): _same(name="y", scopes=["read"]),
        ("PATCH", "/v1/api-keys/{id}"): _same(name="z"),
        ("POST", "/v1/api-keys/{id}/rotate"): _same(overlap_s=60),
        ("POST", "/v1/accounts"): _same(
            username="added", instagram_user_id="17840000000000078", access_token="TOKEN-78-not-real"
        ),
        ("PATCH", "/v1/accounts/{id}"): _same(tags=["changed"]),
        ("POST", "/v1/accounts/{id}/health/override"): _same(hours=24, reason="It was the platform's fault."),
        ("POST", "/v1/accounts/connect"): _same(),
        ("POST", "/v1/accounts/import"): lambda _: {
            "data": io.BytesIO(_CSV),
            "headers": {"Content-Type": "text/csv"},
        },
        ("POST", "/v1/groups"): _same(name="Second"),
        ("PATCH", "/v1/groups/{id}"): _same(name="Other"),
        ("POST", "/v1/groups/{id}/accounts"): lambda world: {"json": {"remove": [world.ids["accounts"]]}},
        ("POST", "/v1/proxies"): _same(**{**_PROXY, "name": "Home"}),
        ("PATCH", "/v1/proxies/{id}"): _same(port=3129),
        ("POST", "/v1/media"): _picture,
        ("POST", "/v1/media/from-url"): lambda world: {"json": {"url": world.picture_url}},
        ("POST", "/v1/posts"): lambda world: {"json": {"caption": "Again", "media_ids": [world.ids["media"]]}},
        ("PATCH", "/v1/posts/{id}"): _same(caption="Changed"),
        ("POST", "/v1/posts/{id}/validate"): _same(),
        ("POST", "/v1/posts/{id}/publish"): lambda world: {"json": _publish(world)},
        ("POST", "/v1/distributions"): _window,
        ("POST", "/v1/distributions/{id}/retry-failed"): _same(allow_duplicate=True),
        ("POST", "/v1/schedules"): lambda world: {"json": _schedule(world)},
        ("PATCH", "/v1/schedules/{id}"): _same(timezone="Asia/Tokyo"),
        ("POST", "/v1/post-queues"): _same(name="Another"),
        ("PATCH", "/v1/post-queues/{id}"): _same(on_empty="repeat"),
        ("POST", "/v1/post-queues/{id}/posts"): lambda world: {"json": {"post_ids": [world.ids["posts"]]}},
        ("PATCH", "/v1/publications/{id}"): _same(publish_at="2035-01-02T12:00:00Z"),
        ("POST", "/v1/publications/{id}/retry"): _same(allow_duplicate=True),
        ("POST", "/v1/publications/{id}/resolve"): _same(outcome="failed"),
        ("POST", "/v1/webhooks"): _same(**_WEBHOOK),
        ("PATCH", "/v1/webhooks/{id}"): _same(description="changed"),
        ("POST", "/v1/jobs/dead/redrive"): _same(all=True),
    }
)

#: What a route that removes is told, so that it does.
QUERIES: Mapping[tuple[str, str], str] = MappingProxyType(
    {
        ("DELETE", "/v1/accounts/{id}"): "?cancel=true",
        ("DELETE", "/v1/groups/{id}"): "?cancel=true",
        ("DELETE", "/v1/media/{id}"): "?cancel=true",
        ("DELETE", "/v1/post-queues/{id}"): "?cancel=true",
        ("DELETE", "/v1/posts/{id}"): "?cancel=true",
        ("DELETE", "/v1/jobs/dead"): "?all=true",
    }
)


def _after(method: str, path: str) -> Callable[[World], Awaitable[None]]:
    async def call(world: World) -> None:
        answer = await world.client.call(method, world.fill(path))
        assert answer.status < 300, answer.body

    return call


def _in_state(state: str, more: str = "") -> Callable[[World], Awaitable[None]]:
    async def write(world: World) -> None:
        await world.gateway.rows(
            f"UPDATE publications SET state = $2{more} WHERE id = $1",  # noqa: S608 - of this file
            world.ids["publications"],
            state,
        )

    return write


async def _waived(world: World) -> None:
    await world.gateway.rows(
        "UPDATE accounts SET caution_waived_until = now() + interval '1 hour' WHERE id = $1", world.ids["accounts"]
    )


async def _fresh_failed_distribution(world: World) -> None:
    world.ids["distributions"] = (await _made(world.client, "/v1/distributions", await _distribution(world)))["id"]
    await world.gateway.rows(
        "UPDATE publications SET state = 'failed' WHERE distribution_id = $1", world.ids["distributions"]
    )


async def _alert_opens(world: World) -> None:
    await world.gateway.rows("UPDATE alerts SET state = 'open' WHERE id = $1", world.ids["alerts"])


_UNKNOWN = ", step = 'publish_sent', container_id = '1', publish_sent_at = now(), publish_sends = 2, attempt = 1"

PREPARATIONS: Mapping[tuple[str, str], Callable[[World], Awaitable[None]]] = MappingProxyType(
    {
        ("POST", "/v1/accounts/{id}/resume"): _after("POST", "/v1/accounts/{id}/pause"),
        ("DELETE", "/v1/accounts/{id}/health/override"): _waived,
        ("POST", "/v1/alerts/{id}/acknowledge"): _alert_opens,
        ("POST", "/v1/alerts/{id}/resolve"): _alert_opens,
        ("POST", "/v1/distributions/{id}/resume"): _after("POST", "/v1/distributions/{id}/pause"),
        ("POST", "/v1/distributions/{id}/retry-failed"): _fresh_failed_distribution,
        ("POST", "/v1/publications/{id}/retry"): _in_state("failed"),
        ("POST", "/v1/schedules/{id}/resume"): _after("POST", "/v1/schedules/{id}/pause"),
        ("POST", "/v1/publications/{id}/resolve"): _in_state("outcome_unknown", _UNKNOWN),
        ("POST", "/v1/jobs/dead/redrive"): _bury,
        ("POST", "/v1/jobs/dead/{id}/redrive"): _bury,
        ("DELETE", "/v1/jobs/dead/{id}"): _bury,
        ("DELETE", "/v1/jobs/dead"): _bury,
    }
)
