"""The Graph API, Instagram Login flavour: one method per call, typed in and out."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeVar

import aiohttp

from shared.instagram.answers import read_answer, without_token
from shared.instagram.errors import GraphUnclearError, InstagramError
from shared.instagram.results import (
    ContainerStatus,
    Json,
    Media,
    Profile,
    PublishingLimit,
    UnusableAnswerError,
    checked_id,
    read_container_status,
    read_id,
    read_media,
    read_media_page,
    read_profile,
    read_publishing_limit,
)
from shared.instagram.wire import Call, exchange, is_graph_session

_T = TypeVar("_T")
Observe = Callable[[str, str, float], None]

_TOKEN = re.compile(r"[\x21-\x7e]{8,4096}")
_MEDIA_FIELDS = "id,caption,timestamp,permalink"
_PROFILE_FIELDS = "user_id,username,name,account_type,followers_count,media_count"
_LIST_LIMIT_MAX = 100
_LIST_PAGES_MAX = 10


@dataclass(frozen=True, kw_only=True)
class GraphAccount:
    """Whom a call is for. Raises ValueError where id or token cannot be sent; the token is in no text of it."""

    ig_user_id: str
    access_token: str = field(repr=False)

    def __post_init__(self) -> None:
        checked_id(self.ig_user_id)
        if not _TOKEN.fullmatch(self.access_token):
            raise ValueError("the access token must be 8 to 4096 visible ASCII characters")


class GraphClient:
    """Calls the platform once per method call; retries, budgets and conclusions are the caller's.

    Every method raises:
        GraphError: refused; act on its `error_class`, after a publish verify first if `may_be_live`.
        GraphUnclearError: sent, effect unknown; reads may be repeated, a publish only after a probe.
        GraphUnreachableError: nothing was sent; repeat with backoff.

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
        observe: Observe | None = None,
    ) -> None:
        """Bind the client to a session and a server.

        Args:
            session: from `open_graph_session`, which alone can tell whether a byte was written; it stays the caller's.
            base_url: scheme and host of the API, such as https://graph.instagram.com.
            version: first part of every path, such as v25.0; empty for the app's default.
            deadline_s: seconds for one whole exchange.
            publish_deadline_s: the same for `publish_container`.
            observe: told the operation, its outcome and its seconds after each exchange. Outcomes are "ok", the values
                of ErrorClass, "unclear", "unreachable", "canceled", and "failed" for a defect of this client.
        """
        if not is_graph_session(session):
            raise ValueError("the session must come from open_graph_session")
        self._session = session
        self._root = "/".join(part for part in (base_url.rstrip("/"), version.strip("/")) if part)
        self._deadline_s = deadline_s
        self._publish_deadline_s = publish_deadline_s
        self._observe = observe

    async def create_image_container(self, account: GraphAccount, *, image_url: str, caption: str) -> str:
        """Hand an image to the platform, which fetches it from `image_url`; returns the container's id.

        An unclear outcome is harmless: a container nobody publishes expires unseen and costs one of 400 in 24 hours.
        """
        form = {"image_url": image_url, "caption": caption}
        call = self._post("create_image_container", account, "media", form, deadline_s=self._deadline_s)
        return await self._ask(call, read_id)

    async def container_status(self, account: GraphAccount, container_id: str) -> ContainerStatus:
        """State of a container. A refusal with 100/33 on a fresh container says nothing about it."""
        call = self._get("container_status", account, checked_id(container_id), fields="status_code,status")
        status = await self._ask(call, read_container_status)
        return replace(status, detail=without_token(status.detail, account.access_token))

    async def publish_container(self, account: GraphAccount, container_id: str) -> str:
        """Publish a FINISHED container; returns the media's id. This cannot be undone and is not idempotent."""
        form = {"creation_id": checked_id(container_id)}
        call = self._post("publish_container", account, "media_publish", form, deadline_s=self._publish_deadline_s)
        return await self._ask(call, read_id)

    async def recent_media(self, account: GraphAccount, *, limit: int) -> list[Media]:
        """The newest `limit` media (1 to 100), stories excluded, as the platform orders them: newest first.

        Follows the list until `limit` or its true end, so that what is missing here is missing there.
        """
        if not 1 <= limit <= _LIST_LIMIT_MAX:
            raise ValueError(f"limit must be from 1 to {_LIST_LIMIT_MAX}")
        found: list[Media] = []
        query = {"fields": _MEDIA_FIELDS, "limit": str(limit)}
        for _ in range(_LIST_PAGES_MAX):
            page = await self._ask(
                self._get("recent_media", account, f"{account.ig_user_id}/media", **query), read_media_page
            )
            found += page.items
            if len(found) >= limit or page.after is None:
                return found[:limit]
            query["after"] = page.after
        raise GraphUnclearError(f"the list goes on after {_LIST_PAGES_MAX} pages", operation="recent_media")

    async def media(self, account: GraphAccount, media_id: str) -> Media:
        """One published media. Best effort after a publish: its failure says nothing about the publish."""
        return await self._ask(self._get("media", account, checked_id(media_id), fields=_MEDIA_FIELDS), read_media)

    async def publishing_limit(self, account: GraphAccount) -> PublishingLimit:
        """How much of the platform's publishing quota is used, and its size if the platform says it."""
        path = f"{account.ig_user_id}/content_publishing_limit"
        call = self._get("publishing_limit", account, path, fields="quota_usage,config")
        return await self._ask(call, read_publishing_limit)

    async def profile(self, account: GraphAccount) -> Profile:
        """The account that the token is of, whichever id `account` names: compare the two."""
        return await self._ask(self._get("profile", account, "me", fields=_PROFILE_FIELDS), read_profile)

    def _get(self, operation: str, account: GraphAccount, path: str, **query: str) -> Call:
        return self._call(operation, account, "GET", path, query=query, deadline_s=self._deadline_s)

    def _post(
        self, operation: str, account: GraphAccount, edge: str, form: dict[str, str], *, deadline_s: float
    ) -> Call:
        path = f"{account.ig_user_id}/{edge}"
        return self._call(operation, account, "POST", path, form=form, deadline_s=deadline_s)

    def _call(
        self, operation: str, account: GraphAccount, method: Literal["GET", "POST"], path: str, **rest: Any
    ) -> Call:
        url = f"{self._root}/{path}"
        return Call(operation=operation, method=method, url=url, token=account.access_token, **rest)

    async def _ask(self, call: Call, read: Callable[[Json], _T]) -> _T:
        started, outcome = time.monotonic(), "failed"
        try:
            result = await self._exchange(call, read)
        except InstagramError as error:
            outcome = error.outcome
            raise
        except asyncio.CancelledError:
            outcome = "canceled"
            raise
        else:
            outcome = "ok"
            return result
        finally:
            if self._observe:
                self._observe(call.operation, outcome, time.monotonic() - started)

    async def _exchange(self, call: Call, read: Callable[[Json], _T]) -> _T:
        answer = await exchange(self._session, call)
        body = read_answer(call, answer)
        try:
            return read(body)
        except UnusableAnswerError as error:
            reason = f"HTTP {answer.status}, but {error}"
        raise GraphUnclearError(reason, operation=call.operation, http_status=answer.status)
