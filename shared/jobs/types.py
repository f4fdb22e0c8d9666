"""The closed sets of the job engine: priorities, types, and which service does what."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum, StrEnum
from types import MappingProxyType


class JobPriority(IntEnum):
    """How urgent a job is; the lower the number, the earlier it runs."""

    CRITICAL = 1
    HIGH = 2
    NORMAL = 3
    LOW = 4
    VERY_LOW = 5

    @property
    def amqp(self) -> int:
        """The priority on the wire, where the higher number runs first."""
        return len(JobPriority) + 1 - self


class JobType(StrEnum):
    """Every job this system knows."""

    POST_PUBLISH = "post:publish"
    HEALTH_CHECK = "health:check"
    TOKEN_REFRESH = "token:refresh"  # noqa: S105 - the name of a job, not a token
    SCHEDULE_PROCESS = "schedule:process"
    IMPORT_ACCOUNTS = "import:accounts"
    WEBHOOK_DELIVER = "webhook:deliver"
    MEDIA_CHECK = "media:check"
    HEALTH_MONITOR = "health:monitor"
    ANALYTICS_PROCESS = "analytics:process"
    CLEANUP_OLD_JOBS = "cleanup:old_jobs"


#: The service whose queue takes a type.
SERVICE_OF: Mapping[JobType, str] = MappingProxyType(
    {
        JobType.POST_PUBLISH: "publisher",
        JobType.MEDIA_CHECK: "publisher",
        JobType.HEALTH_CHECK: "health",
        JobType.TOKEN_REFRESH: "health",
        JobType.HEALTH_MONITOR: "health",
        JobType.ANALYTICS_PROCESS: "health",
        JobType.SCHEDULE_PROCESS: "scheduler",
        JobType.IMPORT_ACCOUNTS: "scheduler",
        JobType.WEBHOOK_DELIVER: "scheduler",
        JobType.CLEANUP_OLD_JOBS: "scheduler",
    }
)
