from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Seconds = Annotated[float, Meta(ge=0, le=600)]
Allowance = Annotated[int, Meta(ge=1, le=1_000_000_000)]


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the emulator behaves where the platform leaves a choice, or where a test wants one."""

    processing_s: Seconds = 0.2  # from the end of the medium's inspection to FINISHED, on the emulator's clock
    latency_s: Seconds = 0.0  # real seconds added before every Graph call
    fetch_deadline_s: Annotated[float, Meta(gt=0, le=600)] = 10.0  # real seconds one medium may take to arrive
    quota_total: Annotated[int, Meta(ge=0, le=1_000_000)] = 100  # posts per account and rolling 24 h
    # Whether the platform publishes a container a second time is not known; both are here, ours is to refuse.
    double_publish: Literal["refuse", "twice"] = "refuse"
    # Faults of pictures were mostly seen in the answer to the creation, sometimes later on the container.
    media_errors: Literal["at_creation", "in_container"] = "at_creation"
    # Tokens, /me and the status of a failed container: as working clients read them, or as the samples show them.
    answer_shape: Literal["observed", "documented"] = "observed"
    # Keys of X-App-Usage: the documented ones, or those seen on graph.instagram.com.
    usage_keys: Literal["documented", "observed"] = "documented"
    # What 100 % means in the usage headers, and whether a call beyond it is refused.
    app_calls_per_hour: Allowance = 1_000_000
    account_calls_per_day: Allowance = 48_000
    enforce_allowance: bool = False
    # Neither is known of a refresh: whether it gives another string, and whether the one before goes on.
    refresh_gives: Literal["new", "same"] = "new"
    refresh_ends_old: bool = False
    app_id: str = ""  # empty: any that is not empty
    app_secret: str = ""
    insights_after_s: Annotated[float, Meta(ge=0, le=172_800)] = 3600.0  # a post's age at its first figures
    story_viewers: Annotated[int, Meta(ge=0, le=1_000_000)] = 25  # of every story; under 5 there are no insights
