"""The platform's errors as data, and the envelope they travel in."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

_SERVER_CODES = frozenset({-1, 1, 2})
_TRANSIENT_CODES = frozenset({1, 2})


@dataclass(frozen=True, kw_only=True)
class ErrorKind:
    """One row of the platform's error tables."""

    code: int
    subcode: int | None = None
    message: str
    http_status: int = 400
    type: str = "OAuthException"
    is_transient: bool = False
    title: str | None = None  # error_user_title
    advice: str | None = None  # error_user_msg


class GraphError(Exception):
    """The call is refused the way the platform refuses it; `message` replaces the kind's own sentence."""

    def __init__(self, kind: ErrorKind, message: str | None = None) -> None:
        self.kind = kind
        self.message = message or kind.message
        super().__init__(self.message)

    def envelope(self) -> dict[str, Any]:
        """The JSON body of the answer."""
        error: dict[str, Any] = {"message": self.message, "type": self.kind.type, "code": self.kind.code}
        if self.kind.subcode is not None:
            error["error_subcode"] = self.kind.subcode
        error["is_transient"] = self.kind.is_transient
        if self.kind.title:
            error["error_user_title"] = self.kind.title
        if self.kind.advice:
            error["error_user_msg"] = self.kind.advice
        error["fbtrace_id"] = "A" + secrets.token_urlsafe(16)
        return {"error": error}


TOKEN_INVALID = ErrorKind(code=190, message="Invalid OAuth access token - Cannot parse access token")
TOKEN_EXPIRED = ErrorKind(code=190, subcode=463, message="Error validating access token: Session has expired")
NO_SUCH_OBJECT = ErrorKind(
    code=100,
    subcode=33,
    type="GraphMethodException",
    message="Unsupported request. Object does not exist, cannot be loaded due to missing permissions, "
    "or does not support this operation",
)
INVALID_PARAMETER = ErrorKind(code=100, message="Invalid parameter")
UNKNOWN_PATH = ErrorKind(code=2500, message="Unknown path components")
UNKNOWN_MEDIA_TYPE = ErrorKind(
    code=100, subcode=2207023, message="Only photo or video can be accepted as media type", title="Unknown media type"
)
SERVER_ERROR = ErrorKind(
    code=2,
    message="An unexpected error has occurred. Please retry your request later.",
    http_status=500,
    is_transient=True,
)
ACTION_BLOCKED = ErrorKind(
    code=4,
    subcode=2207051,
    message="Application request limit reached",
    http_status=403,
    title="Action is blocked",
    advice="We restrict certain activity to protect our community.",
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
QUOTA_REACHED = ErrorKind(
    code=9,
    subcode=2207042,
    message="Application request limit reached",
    title="Publishing limit reached",
    advice="You reached the maximum number of posts that is allowed to be published by Content Publishing API",
)
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
CAPTION_TOO_LONG = ErrorKind(
    code=36004,
    subcode=2207010,
    message="The caption was too long",
    advice="A caption has at most 2200 characters, 30 hashtags and 20 @ tags",
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
