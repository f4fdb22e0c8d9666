"""Everything the emulator remembers, in memory and bounded."""

from __future__ import annotations

import hashlib
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from deploy.emulator.calls import CallLog
from deploy.emulator.details import Details
from deploy.emulator.errors import ErrorKind
from deploy.emulator.faults import FaultBook
from deploy.emulator.formats import Format
from deploy.emulator.ids import Ids
from deploy.emulator.inspection import Inspected
from deploy.emulator.tokens import PERMISSIONS, Token, TokenBook
from deploy.emulator.usage import DAY_S, HOUR_S, Budget

WINDOW = timedelta(hours=24)
CONTAINERS_KEPT = 200_000
CONTAINER_KEPT_FOR = timedelta(hours=48)
MEDIA_KEPT = 200_000
MEDIA_KEPT_PER_ACCOUNT = 10_000  # as many as the platform's list reaches back
ACCOUNTS_MAX = 20_000

_LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Account:
    """One professional account and the token that opens it at first."""

    ig_user_id: str
    username: str
    access_token: str
    token_expires_at: datetime
    token_issued_at: datetime = _LONG_AGO

    @property
    def app_scoped_id(self) -> str:
        """The `id` of /me, which is not the account's id in paths. The same after every restart."""
        digest = hashlib.sha256(self.ig_user_id.encode()).digest()
        return str(25_000_000_000_000_000 + int.from_bytes(digest[:6], "big"))


@dataclass(frozen=True, kw_only=True, slots=True)
class Container:
    """Media on its way to being published. Its status follows from these fields and the time."""

    id: str
    ig_user_id: str
    format: Format
    media_url: str | None  # None: a carousel
    details: Details
    created_at: datetime
    children: tuple[Container, ...] = ()  # of a carousel, as they were when it was made
    found: Inspected | None = None  # None until inspected
    ready_at: datetime | None = None  # None until inspected
    error: ErrorKind | None = None  # why it fails for good, at ready_at or at once
    published: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Media:
    """A published post, or one item of a carousel."""

    id: str
    ig_user_id: str
    container_id: str
    format: Format
    details: Details
    media_url: str | None  # None: a carousel
    found: Inspected | None
    published_at: datetime
    shortcode: str
    permalink: str
    children: tuple[Media, ...] = ()

    @property
    def caption(self) -> str:
        """The words that are shown: none with a story, whatever was said."""
        return "" if self.format.product == "STORY" else self.details.caption


@dataclass(kw_only=True)
class Activity:
    """What one account may do and did lately; the windows are trimmed as they are read."""

    permissions: frozenset[str] = frozenset(PERMISSIONS)
    created_at: deque[datetime] = field(default_factory=deque)  # containers of 24 h
    published_at: deque[datetime] = field(default_factory=deque)  # posts of 24 h
    media_ids: list[int] = field(default_factory=list)  # oldest first; ids grow with time; no stories
    story_ids: list[int] = field(default_factory=list)  # those of 24 h
    calls: Budget = field(default_factory=lambda: Budget(window_s=DAY_S, slots=24))

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
        self.tokens = TokenBook()
        self.activity: dict[str, Activity] = {}
        self.containers: dict[str, Container] = {}  # oldest first
        self.media: dict[str, Media] = {}  # posts, oldest first
        self.items: dict[str, Media] = {}  # of the carousels among them
        self.calls = CallLog()
        self.calls_of: Counter[str] = Counter()  # all of them, by endpoint
        self.faults = FaultBook()
        self.faults_met: Counter[str] = Counter()  # by kind
        self.app_calls = Budget(window_s=HOUR_S, slots=60)
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
        self.activity[account.ig_user_id] = Activity()
        self.tokens.add(
            Token(
                text=account.access_token,
                ig_user_id=account.ig_user_id,
                issued_at=account.token_issued_at,
                expires_at=account.token_expires_at,
            )
        )

    def knows_id(self, any_id: str) -> bool:
        """Whether an id is taken, by whatever."""
        return any(any_id in taken for taken in (self.accounts, self.containers, self.media, self.items))

    def find_media(self, media_id: str) -> Media | None:
        """A post, or an item of one."""
        return self.media.get(media_id) or self.items.get(media_id)

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
        self.items.update((item.id, item) for item in media.children)
        own = self._shelf(media)
        own.append(int(media.id))
        if len(own) > MEDIA_KEPT_PER_ACCOUNT:
            self._forget(self.media[str(own[0])])
        if len(self.media) > MEDIA_KEPT:
            self._forget(next(iter(self.media.values())))

    def live_stories(self, ig_user_id: str, now: datetime) -> list[int]:
        """The ids of an account's stories of the last 24 h, oldest first."""
        own = self.activity[ig_user_id].story_ids
        while own and self.media[str(own[0])].published_at <= now - WINDOW:
            del own[0]
        return own

    def _shelf(self, media: Media) -> list[int]:
        activity = self.activity[media.ig_user_id]
        return activity.story_ids if media.format.product == "STORY" else activity.media_ids

    def _forget(self, media: Media) -> None:
        del self.media[media.id]
        for item in media.children:
            del self.items[item.id]
        own = self._shelf(media)
        # The oldest of all is the oldest of its account too; a story that is over is on the list no longer.
        if own and own[0] == int(media.id):
            del own[0]


def _trim(moments: deque[datetime], since: datetime) -> None:
    while moments and moments[0] <= since:
        moments.popleft()
