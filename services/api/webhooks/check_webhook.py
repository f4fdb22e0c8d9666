"""What a webhook may be."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from services.api.http import invalid
from services.api.webhooks.contract import NewWebhook, Webhook, WebhookChange
from services.api.webhooks.store import WebhookWrite
from shared.outbox import EVENT_PATTERNS
from shared.security import UnsafeUrlError
from shared.webhooks import check_receiver


def check_webhook(new: NewWebhook, *, private_networks: bool) -> WebhookWrite:
    """What is to be written of a new webhook.

    Raises:
        ProblemError: its URL must not be called, or there is no such event.
    """
    return WebhookWrite(
        url=_checked_url(new.url, private_networks=private_networks),
        events=_checked_events(new.events),
        description=_checked_description(new.description),
    )


def check_change(change: WebhookChange, current: Webhook, *, private_networks: bool) -> WebhookWrite:
    """What is to be written of a changed webhook. Raises as `check_webhook`."""
    url, events, description, state = current.url, current.events, current.description, current.state
    if change.url is not msgspec.UNSET:
        url = _checked_url(change.url, private_networks=private_networks)
    if change.events is not msgspec.UNSET:
        events = _checked_events(change.events)
    if change.description is not msgspec.UNSET:
        description = _checked_description(change.description)
    if change.state is not msgspec.UNSET:
        state = change.state
    return WebhookWrite(url=url, events=events, description=description, state=str(state))


def _checked_url(url: str, *, private_networks: bool) -> str:
    try:
        return str(check_receiver(url, private_networks=private_networks))
    except UnsafeUrlError as error:
        raise invalid("invalid_value", str(error), path="url") from error


def _checked_events(events: Iterable[str]) -> list[str]:
    wanted = sorted(set(events))
    if unknown := [event for event in wanted if event not in EVENT_PATTERNS]:
        message = f"There is no event {unknown[0]!r}. Name types such as publication.failed, or publication.* for all."
        raise invalid("invalid_value", message, path="events")
    return wanted


def _checked_description(description: str) -> str:
    if not description.isprintable():
        raise invalid("invalid_value", "A description has printable characters only.", path="description")
    return description.strip()
