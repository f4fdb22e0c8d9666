"""Wire contracts: what each job carries, as typed, versioned structs. All of them in this one module."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, TypeAlias, TypeVar
from uuid import UUID

import msgspec

#: Makes the fields of one version from those of the version before it.
Upcast: TypeAlias = Callable[[dict[str, Any]], dict[str, Any]]


class Payload(msgspec.Struct, frozen=True, kw_only=True):
    """Base of all payloads.

    A change of meaning or shape is a new `VERSION`, with an entry in `UPCASTS` under the version it comes from: jobs of
    the old version still wait in queues, in the outbox and among the dead.
    """

    VERSION: ClassVar[int] = 1
    UPCASTS: ClassVar[Mapping[int, Upcast]] = {}


P = TypeVar("P", bound=Payload)


class UnknownVersionError(ValueError):
    """A payload of a version that this process can neither read nor upcast. Park it: a newer process may know it."""


def read_payload(payload: type[P], body: bytes, *, version: int) -> P:
    """Decode a payload, through its upcasts if it is of an older version.

    Raises:
        UnknownVersionError: newer than the struct, or older than its upcasts reach.
        msgspec.MsgspecError: not JSON, or not of the struct's shape.
    """
    if version == payload.VERSION:
        return msgspec.json.decode(body, type=payload)
    if version > payload.VERSION:
        raise UnknownVersionError(f"version {version} is newer than {payload.VERSION}, the newest known here")
    data = msgspec.json.decode(body, type=dict[str, Any])
    for step in range(version, payload.VERSION):
        upcast = payload.UPCASTS.get(step)
        if upcast is None:
            raise UnknownVersionError(f"nothing leads from version {step} to {payload.VERSION}")
        data = upcast(data)
    return msgspec.convert(data, type=payload)


class PublishPublication(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """`post:publish`: a hint that this publication may be due. The row decides."""

    publication_id: UUID
    revision: int
    busy: int = 0  # how often it found its account busy since it was due


class CheckAccount(Payload, frozen=True, kw_only=True):
    """`health:check`: judge one account."""

    user_id: UUID
    account_id: UUID


class MonitorSwarm(Payload, frozen=True, kw_only=True):
    """`health:monitor`: see all accounts of a tenant together, and raise or resolve its alerts."""

    user_id: UUID


class CollectAnalytics(Payload, frozen=True, kw_only=True):
    """`analytics:process`: take the numbers of one account and of its newer publications."""

    user_id: UUID
    account_id: UUID


class ProcessOccurrence(Payload, frozen=True, kw_only=True):
    """`schedule:process`: make the publications of one occurrence of a schedule. The row knows whether."""

    user_id: UUID
    occurrence_id: UUID


class RefreshToken(Payload, frozen=True, kw_only=True):
    """`token:refresh`: renew one account's token."""

    user_id: UUID
    account_id: UUID


class CheckMedia(Payload, frozen=True, kw_only=True):
    """`media:check`: can the media of a post still be fetched from outside?"""

    user_id: UUID
    post_id: UUID


class DeliverWebhook(Payload, frozen=True, kw_only=True):
    """`webhook:deliver`: send one delivery to its receiver. The row knows what and whether."""

    user_id: UUID
    delivery_id: UUID


class ImportAccounts(Payload, frozen=True, kw_only=True):
    """`import:accounts`: do an import whose rows the operation keeps."""

    user_id: UUID
    operation_id: UUID


class CleanUp(Payload, frozen=True, kw_only=True):
    """`cleanup:old_jobs`: prune what is finished, by policy."""
