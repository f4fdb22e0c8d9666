"""The platform: a typed client of the Graph API, its errors as data, and what each lets one conclude."""

from shared.instagram.account import Egress, GraphAccount
from shared.instagram.calls import Observe
from shared.instagram.client import GraphClient
from shared.instagram.containers import (
    CarouselContainer,
    CarouselItem,
    ContainerSpec,
    ImageContainer,
    ReelContainer,
    StoryContainer,
    UserTag,
)
from shared.instagram.error_rules import CODE_REFUSED, NOT_ON_APP, RULES, ErrorClass, ErrorRule
from shared.instagram.errors import GraphError, GraphUnclearError, GraphUnreachableError, InstagramError
from shared.instagram.flavour import INSTAGRAM_LOGIN, Endpoints, Flavour, endpoints_of
from shared.instagram.gate import PlatformGate, Wait, open_gate
from shared.instagram.grants import CodeGrant, TokenGrant
from shared.instagram.insights import ACCOUNT_METRICS, MEDIA_METRICS, Insights, MediaProduct
from shared.instagram.media_rules import (
    FORMAT_RULES,
    FormatRule,
    MediaFacts,
    MediaFault,
    MediaFormat,
    MediaKind,
    fitting_formats,
    formats_of_kind,
    media_faults,
)
from shared.instagram.oauth import OAuthClient
from shared.instagram.opening import AppUnknownError, open_graph_client, open_oauth_client
from shared.instagram.probe_egress import EgressDownError, probe_egress
from shared.instagram.results import ContainerCode, ContainerStatus, Media, Profile, PublishingLimit
from shared.instagram.rules import classify, classify_container
from shared.instagram.usage import Usage, Watch
from shared.instagram.wire import open_graph_session

__all__ = [
    "ACCOUNT_METRICS",
    "CODE_REFUSED",
    "FORMAT_RULES",
    "INSTAGRAM_LOGIN",
    "MEDIA_METRICS",
    "NOT_ON_APP",
    "RULES",
    "AppUnknownError",
    "CarouselContainer",
    "CarouselItem",
    "CodeGrant",
    "ContainerCode",
    "ContainerSpec",
    "ContainerStatus",
    "Egress",
    "EgressDownError",
    "Endpoints",
    "ErrorClass",
    "ErrorRule",
    "Flavour",
    "FormatRule",
    "GraphAccount",
    "GraphClient",
    "GraphError",
    "GraphUnclearError",
    "GraphUnreachableError",
    "ImageContainer",
    "Insights",
    "InstagramError",
    "Media",
    "MediaFacts",
    "MediaFault",
    "MediaFormat",
    "MediaKind",
    "MediaProduct",
    "OAuthClient",
    "Observe",
    "PlatformGate",
    "Profile",
    "PublishingLimit",
    "ReelContainer",
    "StoryContainer",
    "TokenGrant",
    "Usage",
    "UserTag",
    "Wait",
    "Watch",
    "classify",
    "classify_container",
    "endpoints_of",
    "fitting_formats",
    "formats_of_kind",
    "media_faults",
    "open_gate",
    "open_graph_client",
    "open_graph_session",
    "open_oauth_client",
    "probe_egress",
]
