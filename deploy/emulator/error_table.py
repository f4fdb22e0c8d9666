"""The rows of the platform's error tables that the emulator gives, each named after what it means."""

from __future__ import annotations

from deploy.emulator.errors import ErrorKind

_SERVER_CODES = frozenset({-1, 1, 2})
_TRANSIENT_CODES = frozenset({1, 2})

# Tokens and permissions.
TOKEN_INVALID = ErrorKind(code=190, message="Invalid OAuth access token - Cannot parse access token")
TOKEN_EXPIRED = ErrorKind(code=190, subcode=463, message="Error validating access token: Session has expired")
TOKEN_REVOKED = ErrorKind(
    code=190,
    subcode=460,
    message="Error validating access token: The session has been invalidated because the user changed their password "
    "or the session was changed for security reasons",
)
PERMISSION_MISSING = ErrorKind(
    code=10, message="(#10) Application does not have permission for this action", http_status=403
)
AUTHORIZATION_REFUSED = ErrorKind(code=400, message="Invalid authorization code")

# Calls that make no sense.
NO_SUCH_OBJECT = ErrorKind(
    code=100,
    subcode=33,
    type="GraphMethodException",
    message="Unsupported request. Object does not exist, cannot be loaded due to missing permissions, "
    "or does not support this operation",
)
INVALID_PARAMETER = ErrorKind(code=100, message="Invalid parameter")
UNKNOWN_PATH = ErrorKind(code=2500, message="Unknown path components")

# Trouble of the platform, and of those who call too much.
SERVER_ERROR = ErrorKind(
    code=2,
    message="An unexpected error has occurred. Please retry your request later.",
    http_status=500,
    is_transient=True,
)
APP_THROTTLED = ErrorKind(code=4, message="(#4) Application request limit reached", http_status=403, is_transient=True)
ACCOUNT_THROTTLED = ErrorKind(
    code=80002,
    message="(#80002) There have been too many calls to this Instagram account. Wait a bit and try again.",
)
ACTION_BLOCKED = ErrorKind(
    code=4,
    subcode=2207051,
    message="Application request limit reached",
    http_status=403,
    title="Action is blocked",
    advice="We restrict certain activity to protect our community.",
)
QUOTA_REACHED = ErrorKind(
    code=9,
    subcode=2207042,
    message="Application request limit reached",
    title="Publishing limit reached",
    advice="You reached the maximum number of posts that is allowed to be published by Content Publishing API",
)

# Containers.
UNKNOWN_MEDIA_TYPE = ErrorKind(
    code=100, subcode=2207023, message="Only photo or video can be accepted as media type", title="Unknown media type"
)
CAROUSEL_SIZE = ErrorKind(
    code=100, subcode=2207028, message="A carousel takes 2 to 10 items", title="Carousel validation failed"
)
TOO_MANY_TAGS = ErrorKind(code=100, subcode=2207040, message="More than 20 people are tagged", title="Too many tags")
CAPTION_TOO_LONG = ErrorKind(
    code=36004,
    subcode=2207010,
    message="The caption was too long",
    advice="A caption has at most 2200 characters, 30 hashtags and 20 @ tags",
)
NOT_READY = ErrorKind(
    code=9007,
    subcode=2207027,
    message="Media ID is not available",
    title="Media is not ready",
    advice="The media is not ready for publishing, please wait for a moment",
)
UNKNOWN_CREATION_ID = ErrorKind(
    code=24,
    subcode=2207008,
    message="The requested resource does not exist",
    title="Media not found",
    advice="The media builder with this creation id does not exist or has expired",
)
CONTAINER_EXPIRED = ErrorKind(
    code=-2, subcode=2207020, message="The media you are trying to access has expired", title="Media expired"
)
CONTAINER_FAILED = ErrorKind(
    code=-1, subcode=2207032, message="Create media fail, please try to re-create media", title="Media upload failed"
)

# Media.
FETCH_FAILED = ErrorKind(
    code=9004,
    subcode=2207052,
    message="Only photo or video can be accepted as media type",
    title="Media download has failed",
    advice="The media could not be fetched from this URI",
)
FETCH_TOO_SLOW = ErrorKind(code=-2, subcode=2207003, message="It takes too long to download the media", title="Timeout")
IMAGE_TOO_LARGE = ErrorKind(
    code=36000, subcode=2207004, message="The image size is too large", advice="The image must be 8 MiB or smaller"
)
FORMAT_UNSUPPORTED = ErrorKind(
    code=36001, subcode=2207005, message="The image format is not supported", advice="Use a JPEG image"
)
RATIO_UNSUPPORTED = ErrorKind(
    code=36003,
    subcode=2207009,
    message="The aspect ratio is not supported",
    advice="The aspect ratio must be within 4:5 and 1.91:1",
)
VIDEO_UNSUPPORTED = ErrorKind(
    code=352, subcode=2207026, message="The video format is not supported", advice="See the specification of videos"
)
VIDEO_FAILED = ErrorKind(code=-1, subcode=2207053, message="Unknown upload error", title="Media upload failed")
THUMBNAIL_OUTSIDE = ErrorKind(
    code=1, subcode=2207057, message="The thumbnail offset is outside the video", title="Thumbnail offset is invalid"
)

_KNOWN = {(kind.code, kind.subcode): kind for kind in list(globals().values()) if isinstance(kind, ErrorKind)}


def error_kind(code: int, subcode: int | None) -> ErrorKind:
    """The table's row for a code, or a plain one for a code the emulator itself never gives."""
    return _KNOWN.get((code, subcode)) or ErrorKind(
        code=code,
        subcode=subcode,
        message=f"(#{code}) An error of this code",
        http_status=500 if code in _SERVER_CODES else 400,
        is_transient=code in _TRANSIENT_CODES,
    )
