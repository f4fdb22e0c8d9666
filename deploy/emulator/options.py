from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Seconds = Annotated[float, Meta(ge=0, le=600)]
Allowance = Annotated[int, Meta(ge=1, le=1_000_000_000)]


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the emulator behaves where the platform leaves a choice, or where a test wants one."""

    processing_s: Seconds = 0.2  # from the end of the image's inspection to FINISHED, on the emulator's clock
    latency_s: Seconds = 0.0  # real seconds added before every Graph call
    fetch_deadline_s: Annotated[float, Meta(gt=0, le=600)] = 10.0  # real seconds one image may take to arrive
    quota_total: Annotated[int, Meta(ge=0, le=1_000_000)] = 100  # posts per account and rolling 24 h
    # Whether the platform publishes a container a second time is not known; both are here, ours is to refuse.
    double_publish: Literal["refuse", "twice"] = "refuse"
    # Image faults were mostly seen in the answer to the creation, sometimes later on the container.
    media_errors: Literal["at_creation", "in_container"] = "at_creation"
    # Keys of X-App-Usage: the documented ones, or those seen on graph.instagram.com.
    usage_keys: Literal["documented", "observed"] = "documented"
    # What 100 % means in the usage headers. Reported, not enforced: a fault plays a throttled platform.
    app_calls_per_hour: Allowance = 1_000_000
    account_calls_per_day: Allowance = 48_000
