"""The client: one object with a property for each resource."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from types import TracebackType
from typing import Any, Self

from instadistro_client.events import EventStream
from instadistro_client.resources.accounts import Accounts
from instadistro_client.resources.alerts import Alerts
from instadistro_client.resources.distributions import Distributions
from instadistro_client.resources.groups import Groups
from instadistro_client.resources.jobs import Jobs
from instadistro_client.resources.keys import ApiKeys
from instadistro_client.resources.media import Media
from instadistro_client.resources.operations import AuditLog, Operations
from instadistro_client.resources.post_queues import PostQueues
from instadistro_client.resources.posts import Posts
from instadistro_client.resources.proxies import Protocols, Proxies
from instadistro_client.resources.publications import Publications
from instadistro_client.resources.schedules import Schedules
from instadistro_client.resources.webhooks import Webhooks
from instadistro_client.shapes import Me
from instadistro_client.transport import Reply, Request, RetryPolicy, Transport


class InstaDistro:
    """A gateway, as one key sees it: `async with InstaDistro(url, api_key=key) as api: ...`.

    Calls are repeated while that helps. All attempts of a POST carry one Idempotency-Key, so that it is done once.
    """

    def __init__(self, url: str, *, api_key: str, policy: RetryPolicy | None = None) -> None:
        """Nothing is opened or sent yet.

        Args:
            url: the gateway's address, without `/v1`.
            api_key: `ids_...`.
            policy: how long calls go on; None takes the usual.

        Raises:
            ValueError: this is no such address.
        """
        self._use(Transport(url, api_key=api_key, policy=policy or RetryPolicy()))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections, also those of what `with_options` gave."""
        await self._transport.connections.close()

    def with_options(
        self,
        *,
        policy: RetryPolicy | None = None,
        idempotency_key: str | None = None,
        if_match: str | None = None,
        request_id: str | None = None,
    ) -> Self:
        """The same client for calls with wishes of their own, over the same connections.

        Args:
            policy: how long its calls go on.
            idempotency_key: under which its one POST happens once, also when it is made again by another process.
            if_match: an ETag: its change is refused (`ConflictError`) if the thing is another one by now.
            request_id: goes with its calls into the gateway's logs.
        """
        named = {"Idempotency-Key": idempotency_key, "If-Match": if_match, "X-Request-ID": request_id}
        headers = {name: value for name, value in named.items() if value is not None}
        other = copy(self)
        other._use(self._transport.with_options(policy=policy, headers=headers))  # noqa: SLF001 - one of us
        return other

    async def me(self) -> Me:
        """Whose key this is, and what it may do."""
        return await self._transport.call(Request(method="GET", path="/v1/me"), Me)

    def events(self, *, types: Sequence[str] = (), after: str | None = None) -> EventStream:
        """Events as they happen: `async with api.events() as events: async for event in events: ...`.

        Args:
            types: such as `publication.failed` or `publication.*`; none: all.
            after: the `place` of the last event that is known; None: from when the stream is entered.
        """
        return EventStream(self._transport, types=types, after=after)

    async def performance(self) -> dict[str, Any]:
        """How the process that answers is doing. Needs a key with the scope `operator`."""
        return await self._transport.call(Request(method="GET", path="/v1/performance"), dict[str, Any])

    async def send(self, request: Request) -> Reply:
        """Whatever has no method of its own, with status and headers: an ETag, a route of a newer gateway."""
        return await self._transport.send(request)

    def _use(self, transport: Transport) -> None:
        self._transport = transport
        self.accounts = Accounts(transport)
        self.alerts = Alerts(transport)
        self.groups = Groups(transport)
        self.proxies = Proxies(transport)
        self.protocols = Protocols(transport)
        self.media = Media(transport)
        self.posts = Posts(transport)
        self.publications = Publications(transport)
        self.distributions = Distributions(transport)
        self.schedules = Schedules(transport)
        self.post_queues = PostQueues(transport)
        self.webhooks = Webhooks(transport)
        self.api_keys = ApiKeys(transport)
        self.audit_log = AuditLog(transport)
        self.operations = Operations(transport)
        self.jobs = Jobs(transport)
