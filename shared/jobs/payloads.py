"""Wire contracts: what each job carries, as typed, versioned structs. All of them in this one module."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

import msgspec


class Payload(msgspec.Struct, frozen=True, kw_only=True):
    """Base of all payloads. A change of meaning or shape is a new version."""

    VERSION: ClassVar[int] = 1


class PublishPublication(Payload, frozen=True, kw_only=True):
    """`post:publish`: a hint that this publication may be due. The row decides."""

    publication_id: UUID
    revision: int


class CheckAccount(Payload, frozen=True, kw_only=True):
    """`health:check`: judge one account."""

    user_id: UUID
    account_id: UUID


class CleanUp(Payload, frozen=True, kw_only=True):
    """`cleanup:old_jobs`: prune what is finished, by policy."""
