"""Everything the emulator remembers, in memory and bounded."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from deploy.emulator.calls import CallLog
from deploy.emulator.errors import ErrorKind
from deploy.emulator.faults import FaultBook
from deploy.emulator.ids import Ids
from deploy.emulator.inspection import InspectedImage, MediaRules
from deploy.emulator.usage import DAY_S, HOUR_S, RollingCount

WINDOW = timedelta(hours=24)
CONTAINERS_KEPT = 200_000
CONTAINER_KEPT_FOR = timedelta(hours=48)
MEDIA_KEPT = 200_000
MEDIA_KEPT_PER_ACCOUNT = 10_000  # as many as the platform's list reaches back
ACCOUNTS_MAX = 20_000


@dataclass(frozen=True, kw_only=True)
class Account:
    """One professional account and the one token that opens it."""

    ig_user_id: str
    username: str
    access_token: str
    token_expires_at: datetime

    @property
    def app_scoped_id(self) -> str:
        """The `id` of /me, which is not the account's id in paths. The same after every restart."""
        digest = hashlib.sha256(self.ig_user_id.encode()).digest()
        return str(25_000_000_000_000_000 + int.from_bytes(digest[:6], "big"))


@dataclass(frozen=True, kw_only=True)
class Container:
    """Media on its way to being published. Its status follows from these fields and the time."""

    id: str
    ig_user_id: str
    image_url: str
    caption: str
    alt_text: str
    rules: MediaRules
    created_at: datetime
    image: InspectedImage | None = None  # None until fetched
    ready_at: datetime | None = None  # None until fetched
    error: ErrorKind | None = None  # why it failed for good
    published: bool = False


@dataclass(frozen=True, kw_only=True)
class Media:
    """A published post: what the account's followers would see."""

    id: str
    ig_user_id: str
    container_id: str
    caption: str
    alt_text: str
    image_url: str
    image: InspectedImage
    rules: MediaRules
    published_at: datetime
    shortcode: str
    permalink: str


@dataclass(kw_only=True)
class Activity:
    """What one account did lately; the windows are trimmed as they are read."""

    created_at: deque[datetime] = field(default_factory=deque)  # containers of 24 h
    published_at: deque[datetime] = field(default_factory=deque)  # posts of 24 h
    media_ids: list[int] = field(default_factory=list)  # oldest first; ids grow with time
    calls: RollingCount = field(default_factory=lambda: RollingCount(window_s=DAY_S, slots=24))

    def containers_within_a_day(self, now: datetime) -> int:
        """Containers made in the rolling 24 h, failed ones too."""
        _trim(self.created_at, now - WINDOW)
        return len(self.created_at)

    def posts_since(self, since: datetime, now: datetime) -> int:
        """Posts published in the rolling 24 h and not before `since`."""
        _trim(self.published_at, now - WINDOW)
        return sum(1 for at in self.published_at if at >= since)


class World:
    """One life of the emulator, from start or reset to the next reset. A call keeps to the world it began in."""

    def __init__(self, accounts: Iterable[Account], *, ids: Ids) -> None:
        self._ids = ids
        self.accounts: dict[str, Account] = {}
        self.by_token: dict[str, Account] = {}
        self.activity: dict[str, Activity] = {}
        self.containers: dict[str, Container] = {}  # oldest first
        self.media: dict[str, Media] = {}  # oldest first
        self.calls = CallLog()
        self.faults = FaultBook()
        self.app_calls = RollingCount(window_s=HOUR_S, slots=60)
        for account in accounts:
            self.add_account(account)

    def new_id(self) -> str:
        """A numeric id that is no account's, never given before, greater than all given earlier."""
        while (new_id := self._ids.next()) in self.accounts:
            pass
        return new_id

    def add_account(self, account: Account) -> None:
        """Make an account known. The caller has checked that its id and token are new and that there is room."""
        self.accounts[account.ig_user_id] = account
        self.by_token[account.access_token] = account
        self.activity[account.ig_user_id] = Activity()

    def knows_id(self, any_id: str) -> bool:
        """Whether an id is taken, by whatever."""
        return any_id in self.accounts or any_id in self.containers or any_id in self.media

    def add_container(self, container: Container) -> None:
        """Keep a new container, and forget those that are too old or too many."""
        self.containers[container.id] = container
        oldest_kept = container.created_at - CONTAINER_KEPT_FOR
        while self.containers:
            first = next(iter(self.containers.values()))
            if len(self.containers) <= CONTAINERS_KEPT and first.created_at >= oldest_kept:
                return
            del self.containers[first.id]

    def add_media(self, media: Media) -> None:
        """Keep a new post, and forget the oldest beyond the bounds."""
        self.media[media.id] = media
        own = self.activity[media.ig_user_id].media_ids
        own.append(int(media.id))
        if len(own) > MEDIA_KEPT_PER_ACCOUNT:
            del self.media[str(own.pop(0))]
        if len(self.media) > MEDIA_KEPT:
            oldest = self.media.pop(next(iter(self.media)))
            # The oldest of all is the oldest of its account too.
            del self.activity[oldest.ig_user_id].media_ids[0]


def _trim(moments: deque[datetime], since: datetime) -> None:
    while moments and moments[0] <= since:
        moments.popleft()
