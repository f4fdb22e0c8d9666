"""Every event there is, and how a listener says which of them it wants."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType

#: Each type with what it tells; docs/events.md shows the same.
EVENT_TYPES: Mapping[str, str] = MappingProxyType(
    {
        "account.caution": "What follows from its health has changed: `none`, `halved`, `held`; or a person waived it.",
        "account.changed": "Its settings, its token or what belongs to it changed; or it was added.",
        "account.connected": "It can publish: its first publication is live, or it has a token again.",
        "account.disconnected": "It was removed, or its access was taken back.",
        "account.health_changed": "Its score moved into another band, or a gate of it opened or closed.",
        "account.paused": "Nothing is published on it until it is resumed.",
        "account.reauth_required": "Its token is refused or has ended; its publications are held.",
        "account.restricted": "The platform lets it not publish; its owner must sign in to the app.",
        "account.resumed": "A pause or a restriction ended.",
        "account.token_refreshed": "Its token was renewed.",
        "account.warmup_finished": "Its warm-up protocol has no more caps.",
        "account.warmup_started": "It publishes under the daily caps of its protocol.",
        "alert.acknowledged": "A person has seen it and is at it.",
        "alert.escalated": "What it tells of has become more severe.",
        "alert.opened": "Something is wrong that a person should know; `text` and `advice` say what.",
        "alert.resolved": "What it told of is over, or a person said so.",
        "import.failed": "An import that ran as an operation ended without importing anything.",
        "import.finished": "Many accounts were added or changed at once; it speaks for all of them.",
        "distribution.canceled": "What of it is not live will not be published.",
        "distribution.paused": "What of it is not live is held.",
        "distribution.resumed": "It goes on after a pause.",
        "group.changed": "It was made, changed or removed, or its accounts were.",
        "media.reachable": "A medium that could not be fetched can be fetched again.",
        "media.unreachable": "A medium of a planned post cannot be fetched from outside.",
        "proxy.changed": "It was made, changed or removed.",
        "proxy.down": "Calls through it fail; what its accounts publish is held.",
        "proxy.up": "Calls through it work again.",
        "publication.canceled": "It will not be published.",
        "publication.deferred": "It waits for longer, for `reason`.",
        "publication.failed": "It ended without being published; `error` says why.",
        "publication.held": "It waits until `reason` is mended.",
        "publication.missed": "It became later than it may be.",
        "publication.outcome_unknown": "It may be live; a person has to look.",
        "publication.published": "It is live.",
        "publication.scheduled": "It is due at a time again: retried, or let go after a hold.",
        "schedule.changed": (
            "It was made, changed, paused, resumed or removed, or had to be stopped: `action` is `schedule.created`, "
            "`schedule.changed`, `schedule.paused`, `schedule.resumed`, `schedule.removed` or `schedule.stopped`."
        ),
        "schedule.occurred": "One of its due times was dealt with; `state` and `reason` say how.",
        "swarm.incident": "One class of error hit many accounts at once, or that is over; no account is blamed for it.",
        "webhook.disabled": "Nothing is sent to it any more: its receiver is gone, or failed for days.",
    }
)
_ALL_OF = ".*"
#: What a listener may name: a type, or all types of a kind, as `publication.*`.
EVENT_PATTERNS = frozenset(EVENT_TYPES) | {f"{event_type.partition('.')[0]}{_ALL_OF}" for event_type in EVENT_TYPES}


def is_wanted(event_type: str, patterns: Collection[str]) -> bool:
    """Whether one of the patterns names this type; no patterns name all."""
    return not patterns or event_type in patterns or f"{event_type.partition('.')[0]}{_ALL_OF}" in patterns
