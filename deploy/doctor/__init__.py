"""The doctor: looks at a set-up, changes nothing, and says what is wrong and what to do; one module an area."""

from __future__ import annotations

from typing import Any

from deploy.doctor.check import Area, Check, RefusedError
from deploy.doctor.examine import examine
from deploy.doctor.finding import Finding, Level
from deploy.doctor.machine import MACHINE
from deploy.doctor.management import MANAGEMENT
from deploy.doctor.media import MEDIA
from deploy.doctor.platform import PLATFORM
from deploy.doctor.postgres import POSTGRES
from deploy.doctor.public import PUBLIC
from deploy.doctor.rabbitmq import RABBITMQ
from deploy.doctor.redis import REDIS
from deploy.doctor.services import SERVICES
from deploy.doctor.settings import SETTINGS
from deploy.doctor.setup import Setup, read_setup

#: Everything that is looked at, in the order in which it is told.
AREAS: tuple[Area[Any], ...] = (
    SETTINGS,
    MACHINE,
    POSTGRES,
    REDIS,
    RABBITMQ,
    MANAGEMENT,
    PLATFORM,
    MEDIA,
    SERVICES,
    PUBLIC,
)

__all__ = [
    "AREAS",
    "Area",
    "Check",
    "Finding",
    "Level",
    "RefusedError",
    "Setup",
    "examine",
    "read_setup",
]
