"""A post as its maker wants it, before anything of it was checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from shared.publications import PostOptions, PostType


@dataclass(frozen=True, kw_only=True)
class Content:
    """What a post says and shows."""

    type: PostType
    caption: str
    media_ids: Sequence[UUID]
    own_captions: Mapping[UUID, str]  # of single accounts, instead of the caption
    options: PostOptions
