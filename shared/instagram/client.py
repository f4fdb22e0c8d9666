"""The Graph API for one account at a time: one method per call, typed in and out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

import aiohttp

from shared.instagram.account import GraphAccount
from shared.instagram.answers import without_secrets
from shared.instagram.calls import Caller, Observe
from shared.instagram.containers import ContainerSpec
from shared.instagram.error_rules import TOO_FEW_VIEWERS
from shared.instagram.errors import GraphError, GraphUnclearError
from shared.instagram.flavour import INSTAGRAM_LOGIN, Flavour, endpoints_of
from shared.instagram.grants import TokenGrant, read_token_grant
from shared.instagram.insights import (
    ACCOUNT_METRICS,
    MEDIA_METRICS,
    Insights,
    MediaProduct,
    no_insights,
    read_insights,
)
from shared.instagram.results import (
    ContainerStatus,
    Json,
    Media,
    Profile,
    PublishingLimit,
    checked_id,
    read_container_status,
    read_id,
    read_media,
    read_media_page,
    read_profile,
    read_publishing_limit,
)
from shared.instagram.usage import Watch
from shared.instagram.wire import Call

_T = TypeVar("_T")

_MEDIA_FIELDS = "id,caption,timestamp,permalink,media_type,media_product_type"
_LIST_LIMIT_MAX = 100
_LIST_PAGES_MAX = 10


class GraphClient:
    """Calls the platform once per method call; retries, budgets and conclusions are the caller's.

    Every method raises:
        GraphError: refused; act on its `error_class`, after a publish verify first if `may_be_live`.
        GraphUnclearError: sent, effect unknown; reads may be repeated, a publish only after a probe.
        GraphUnreachableError: nothing was sent; repeat with backoff. `through_proxy`: the account's own egress failed.

    Cancelling a write leaves its effect unknown as well: note that it is sent before calling.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        base_url: str,
        version: str,
        deadline_s: float,
        publish_deadline_s: float,
        flavour: Flavour = INSTAGRAM_LOGIN,
        observe: Observe | None = None,
        watch: Watch | None = None,
    ) -> None:
        """Bind the client to a session and a server.

        Args:
            session: from `open_graph_session`, which alone can tell whether a byte was written; it stays the caller's.
            base_url: scheme and host of the API, such as https://graph.instagram.com.
            version: first part of every path, such as v25.0; empty for the app's default.
            deadline_s: seconds for one whole exchange.
            publish_deadline_s: the same for `publish_container`.
            flavour: the way into the platform.
            observe: told how each call ended, as Caller says.
            watch: told of each exchange and of the usage that the platform reported.
        """
        self._caller = Caller(session, observe=observe, watch=watch)
        self._flavour = flavour
        self._endpoints = endpoints_of(flavour, graph_url=base_url, version=version)
        self._deadline_s = deadline_s
        self._publish_deadline_s = publish_deadline_s

    async def create_container(self, account: GraphAccount, spec: ContainerSpec) -> str:
        """Hand media to the platform, which fetches them from their URLs; returns the container's id.

        An unclear outcome is harmless: a container nobody publishes expires unseen and costs one of 400 in 24 hours.
        """
        return await self._post("create_container", account, "media", spec.form(), read_id)

    async def container_status(self, account: GraphAccount, container_id: str) -> ContainerStatus:
        """State of a container. A refusal with 100/33 on a fresh container says nothing about it."""
        query = {"fields": "status_code,status"}
        status = await self._get("container_status", account, checked_id(container_id), query, read_container_status)
        return replace(status, detail=without_secrets(status.detail, [account.access_token]))

    async def publish_container(self, account: GraphAccount, container_id: str) -> str:
        """Publish a FINISHED container; returns the media's id. This cannot be undone and is not idempotent."""
        form = {"creation_id": checked_id(container_id)}
        return await self._post("publish_container", account, "media_publish", form, read_id)

    async def recent_media(self, account: GraphAccount, *, limit: int) -> list[Media]:
        """The newest `limit` media (1 to 100), stories excluded, as the platform orders them: newest first.

        Follows the list until `limit` or its true end, so that what is missing here is missing there.
        """
        return await self._list("recent_media", account, "media", limit=limit)

    async def recent_stories(self, account: GraphAccount, *, limit: int) -> list[Media]:
        """Up to `limit` stories (1 to 100) of the last 24 hours, followed to the end as `recent_media` is."""
        return await self._list("recent_stories", account, "stories", limit=limit)

    async def media(self, account: GraphAccount, media_id: str) -> Media:
        """One published media. Best effort after a publish: its failure says nothing about the publish."""
        return await self._get("media", account, checked_id(media_id), {"fields": _MEDIA_FIELDS}, read_media)

    async def publishing_limit(self, account: GraphAccount) -> PublishingLimit:
        """How much of the platform's publishing quota is used, and its size if the platform says it."""
        path = f"{account.ig_user_id}/content_publishing_limit"
        query = {"fields": "quota_usage,config"}
        return await self._get("publishing_limit", account, path, query, read_publishing_limit)

    async def profile(self, account: GraphAccount) -> Profile:
        """The account that the token is of, whichever id `account` names: compare the two."""
        query = {"fields": ",".join(self._flavour.account_fields)}
        return await self._get("profile", account, "me", query, read_profile)

    async def media_insights(self, account: GraphAccount, media_id: str, *, product: MediaProduct) -> Insights:
        """The lifetime numbers of a medium, of stories for 24 hours. Up to 48 hours late, and not for album items.

        Args:
            account: whose medium it is.
            media_id: which.
            product: where it lives, as its `media_product_type` says: each has metrics of its own.
        """
        metrics = MEDIA_METRICS[product]
        path, query = f"{checked_id(media_id)}/insights", {"metric": ",".join(metrics)}
        operation = "story_insights" if product is MediaProduct.STORY else "media_insights"
        try:
            return await self._get(operation, account, path, query, lambda body: read_insights(body, metrics))
        except GraphError as error:
            if error.rule is TOO_FEW_VIEWERS:
                return no_insights(metrics)
            raise

    async def account_insights(
        self, account: GraphAccount, *, since: datetime | None = None, until: datetime | None = None
    ) -> Insights:
        """The account's totals of a span of days, by default of the last 24 hours."""
        query = {"metric": ",".join(ACCOUNT_METRICS), "period": "day", "metric_type": "total_value"}
        ends = {"since": since, "until": until}
        query |= {name: str(int(end.timestamp())) for name, end in ends.items() if end is not None}
        path = f"{account.ig_user_id}/insights"
        return await self._get(
            "account_insights", account, path, query, lambda body: read_insights(body, ACCOUNT_METRICS)
        )

    async def refresh_token(self, account: GraphAccount) -> TokenGrant:
        """A token for 60 more days in place of one that is at least a day old and has not expired."""
        # This endpoint documents its token as a parameter and no header, so that is how it is sent.
        query = {"grant_type": self._flavour.refresh_grant, "access_token": account.access_token}
        call = Call(
            operation="refresh_token",
            method="GET",
            url=self._endpoints.refresh,
            secrets=(account.access_token,),
            query=query,
            proxy=account.proxy,
            deadline_s=self._deadline_s,
        )
        return await self._caller.ask(call, read_token_grant, account=account)

    async def _list(self, operation: str, account: GraphAccount, edge: str, *, limit: int) -> list[Media]:
        if not 1 <= limit <= _LIST_LIMIT_MAX:
            raise ValueError(f"limit must be from 1 to {_LIST_LIMIT_MAX}")
        found: list[Media] = []
        query = {"fields": _MEDIA_FIELDS, "limit": str(limit)}
        for _ in range(_LIST_PAGES_MAX):
            page = await self._get(operation, account, f"{account.ig_user_id}/{edge}", query, read_media_page)
            found += page.items
            if len(found) >= limit or page.after is None:
                return found[:limit]
            query["after"] = page.after
        raise GraphUnclearError(f"the list goes on after {_LIST_PAGES_MAX} pages", operation=operation)

    async def _get(
        self, operation: str, account: GraphAccount, path: str, query: dict[str, str], read: Callable[[Json], _T]
    ) -> _T:
        call = Call(
            operation=operation,
            method="GET",
            url=f"{self._endpoints.api}/{path}",
            bearer=account.access_token,
            query=query,
            proxy=account.proxy,
            deadline_s=self._deadline_s,
        )
        return await self._caller.ask(call, read, account=account)

    async def _post(
        self, operation: str, account: GraphAccount, edge: str, form: dict[str, str], read: Callable[[Json], _T]
    ) -> _T:
        call = Call(
            operation=operation,
            method="POST",
            url=f"{self._endpoints.api}/{account.ig_user_id}/{edge}",
            bearer=account.access_token,
            form=form,
            proxy=account.proxy,
            deadline_s=self._publish_deadline_s if edge == "media_publish" else self._deadline_s,
        )
        return await self._caller.ask(call, read, account=account)
