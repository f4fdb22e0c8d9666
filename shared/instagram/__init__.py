"""The platform: a typed client of the Graph API, its errors as data, and what each lets one conclude."""

from shared.instagram.client import GraphAccount, GraphClient, Observe
from shared.instagram.errors import GraphError, GraphUnclearError, GraphUnreachableError, InstagramError
from shared.instagram.opening import open_graph_client
from shared.instagram.results import ContainerCode, ContainerStatus, Media, Profile, PublishingLimit
from shared.instagram.rules import RULES, ErrorClass, ErrorRule, classify, classify_container
from shared.instagram.wire import open_graph_session

__all__ = [
    "RULES",
    "ContainerCode",
    "ContainerStatus",
    "ErrorClass",
    "ErrorRule",
    "GraphAccount",
    "GraphClient",
    "GraphError",
    "GraphUnclearError",
    "GraphUnreachableError",
    "InstagramError",
    "Media",
    "Observe",
    "Profile",
    "PublishingLimit",
    "classify",
    "classify_container",
    "open_graph_client",
    "open_graph_session",
]
