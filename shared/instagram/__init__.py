"""The platform: a typed client of the Graph API, its errors as data, and what each lets one conclude."""

from shared.instagram.client import GraphAccount, GraphClient, Observe
from shared.instagram.containers import (
    CarouselContainer,
    CarouselItem,
    ContainerSpec,
    ImageContainer,
    ReelContainer,
    StoryContainer,
    UserTag,
)
from shared.instagram.errors import GraphError, GraphUnclearError, GraphUnreachableError, InstagramError
from shared.instagram.media_rules import (
    FORMAT_RULES,
    FormatRule,
    MediaFacts,
    MediaFault,
    MediaFormat,
    MediaKind,
    fitting_formats,
    media_faults,
)
from shared.instagram.opening import open_graph_client
from shared.instagram.results import ContainerCode, ContainerStatus, Media, Profile, PublishingLimit
from shared.instagram.rules import RULES, ErrorClass, ErrorRule, classify, classify_container
from shared.instagram.wire import open_graph_session

__all__ = [
    "FORMAT_RULES",
    "RULES",
    "CarouselContainer",
    "CarouselItem",
    "ContainerCode",
    "ContainerSpec",
    "ContainerStatus",
    "ErrorClass",
    "ErrorRule",
    "FormatRule",
    "GraphAccount",
    "GraphClient",
    "GraphError",
    "GraphUnclearError",
    "GraphUnreachableError",
    "ImageContainer",
    "InstagramError",
    "Media",
    "MediaFacts",
    "MediaFault",
    "MediaFormat",
    "MediaKind",
    "Observe",
    "Profile",
    "PublishingLimit",
    "ReelContainer",
    "StoryContainer",
    "UserTag",
    "classify",
    "classify_container",
    "fitting_formats",
    "media_faults",
    "open_graph_client",
    "open_graph_session",
]
