"""RabbitMQ's management API, where there is one: the same broker, and our queues bound as they should be."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import aiohttp
from yarl import URL

from deploy.doctor.check import Area, Check
from deploy.doctor.finding import Verdict, failed, ok, skipped
from deploy.doctor.network import place_of, unreachable
from deploy.doctor.rabbitmq import vhost_of
from deploy.doctor.setup import Setup
from shared.jobs.topology import QUEUES, WORK_QUEUES

_PATIENCE_S = 5.0


@dataclass(frozen=True, kw_only=True)
class _Management:
    """The API, which may not have been asked for anything yet."""

    http: aiohttp.ClientSession
    url: str | None  # with the credentials; None: there is none
    vhost: str

    async def ask(self, path: str) -> tuple[int, Any]:
        """Status and JSON of an answer; None in place of what is none.

        Raises:
            RefusedError: nobody answers.
        """
        base = urlsplit(self.url or "")
        address = base._replace(netloc=base.netloc.rpartition("@")[2]).geturl()
        try:
            async with self.http.get(URL(f"{address}/api/{path}", encoded=True), allow_redirects=False) as response:
                is_json = response.content_type == "application/json"
                return response.status, await response.json() if is_json else None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise unreachable(
                error, server="RabbitMQ's management API", url=self.url or "", setting="AMQP_MANAGEMENT_URL"
            ) from error


@asynccontextmanager
async def _open(setup: Setup) -> AsyncIterator[_Management]:
    url = setup.settings.amqp_management_url
    parts = urlsplit(url or "")
    login = aiohttp.encode_basic_auth(unquote(parts.username or ""), unquote(parts.password or ""))
    async with aiohttp.ClientSession(
        headers={"Authorization": login},
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=_PATIENCE_S),
    ) as http:
        yield _Management(http=http, url=url, vhost=quote(vhost_of(setup.settings.amqp_url[0]), safe=""))


async def look_at_api(management: _Management) -> Verdict:
    """Whether it answers, to this user, about the broker of AMQP_URL."""
    if management.url is None:
        return skipped("AMQP_MANAGEMENT_URL is not set: the depth of a queue is known as a whole, not by priority.")
    server = f"RabbitMQ's management API at {place_of(management.url)}"
    status, answer = await management.ask(f"queues/{management.vhost}/{WORK_QUEUES[0].name}?columns=name")
    if status == HTTPStatus.UNAUTHORIZED:
        return failed(
            f"{server} refuses the user or the password.",
            do="Correct them in AMQP_MANAGEMENT_URL, and give the user the tag management (rabbitmqctl set_user_tags).",
        )
    if status == HTTPStatus.NOT_FOUND and isinstance(answer, dict):
        return failed(
            f"{server} does not know the queues of AMQP_URL: it is another broker's, or its user may not see them.",
            do="Name the broker of AMQP_URL in AMQP_MANAGEMENT_URL, and let the user into the virtual host.",
        )
    if status != HTTPStatus.OK or not isinstance(answer, dict):
        return failed(
            f"What answers at {place_of(management.url)} with status {status} is no management API of RabbitMQ.",
            do="Correct AMQP_MANAGEMENT_URL (http://USER:PASSWORD@HOST:15672, without /api), and enable the plugin"
            " rabbitmq_management.",
        )
    return ok(f"{server} answers.")


async def look_at_bindings(management: _Management) -> Verdict:
    """Whether jobs find their queues."""
    if management.url is None:
        return skipped("Only the management API tells of bindings.")
    _, answer = await management.ask(f"bindings/{management.vhost}")
    there = {(each["source"], each["destination"], each["routing_key"]) for each in answer or ()}
    if lost := [queue.name for queue in QUEUES if (queue.exchange, queue.name, queue.pattern) not in there]:
        return failed(
            f"Nothing leads into {', '.join(lost)}: jobs for it cannot be sent.", do="Run `instadistro migrate`."
        )
    return ok("Every queue is bound to its exchange.")


MANAGEMENT = Area(
    name="management",
    enter=_open,
    needs=("settings.values", "rabbitmq.topology"),
    checks=(
        Check(name="management.answers", look=look_at_api),
        Check(name="management.bindings", look=look_at_bindings, needs=("management.answers",)),
    ),
)
