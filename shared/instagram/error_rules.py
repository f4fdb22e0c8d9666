"""The platform's error codes as data: what each means, what to do, and whether a post can be live in spite of it.

Rows follow Meta's published tables and, where those are silent, what was seen on the live API; each says which, and
when that was last looked at. docs/platform-errors.md shows them all.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import partial


class ErrorClass(StrEnum):
    """What to do about a refusal."""

    TRANSIENT = "transient"  # the same call again, with backoff
    NEW_CONTAINER = (
        "new_container"  # this container is lost: make another, a bounded number of times, then the media is at fault
    )
    NOT_READY = "not_ready"  # poll the same container, publish it when FINISHED
    QUOTA = "quota"  # wait until the platform's publishing window rolls
    THROTTLED = "throttled"  # stop calling for a while: calls made now lengthen the block
    REAUTH = "reauth"  # the owner must connect the account again
    FIX_CONTENT = "fix_content"  # permanent until the post or its media is changed
    RESTRICTED = "restricted"  # the owner must act in the Instagram app; pause the account
    SPAM_SUSPECTED = "spam_suspected"  # look whether it is live, then treat as restricted
    UNKNOWN = "unknown"  # conclude nothing


@dataclass(frozen=True, kw_only=True)
class ErrorRule:
    """One row. `code` or `subcode` is None where the row holds for any."""

    code: int | None
    subcode: int | None
    error_class: ErrorClass
    meaning: str
    advice: str  # one sentence for a person
    source: str  # a page of developers.facebook.com, or OBSERVED
    seen: str  # when the source was last read
    may_be_live: bool = False  # at publish: posts were seen live in spite of it, or its meaning is not certain


#: The source of what Meta does not document: seen on the live API, its meaning inferred.
OBSERVED = "observed"
_ERROR_CODES = "/documentation/instagram-platform/instagram-graph-api/reference/error-codes"
_ERROR_HANDLING = "/docs/graph-api/guides/error-handling"
_RATE_LIMITING = "/docs/graph-api/overview/rate-limiting"

# Short names, so that a row is a line.
_T, _N, _W, _F = ErrorClass.TRANSIENT, ErrorClass.NEW_CONTAINER, ErrorClass.NOT_READY, ErrorClass.FIX_CONTENT
_THROTTLED, _REAUTH, _RESTRICTED, _UNKNOWN = (
    ErrorClass.THROTTLED,
    ErrorClass.REAUTH,
    ErrorClass.RESTRICTED,
    ErrorClass.UNKNOWN,
)

_NOTHING = "Nothing to do: there are no numbers yet."
_RETRIES = "Nothing to do: it is tried again."
_MAKES_NEW = "Nothing to do: the media is submitted again; if that fails too, check the media file."
_CONNECT = "Ask the owner to connect the account again."
_SIGN_IN = "Ask the owner to open the Instagram app and clear what it asks for, then resume the account."
_SIGN_IN_AND_CONNECT = (
    "Ask the owner to open the Instagram app, clear what it asks for and connect the account again, then resume it."
)
_WAITS = "Wait: calls resume by themselves when the platform's limit allows."
_HOST = "Check that the media URL opens from the public internet, fast and without login or redirect."
_SPEC = "Convert the media to a format the platform takes, then retry."
_REPORT = "Report it: the request this system made is wrong."


def _row(
    code: int | None,
    subcode: int | None,
    error_class: ErrorClass,
    meaning: str,
    advice: str,
    *,
    source: str,
    seen: str,
    live: bool = False,
) -> ErrorRule:
    return ErrorRule(
        code=code,
        subcode=subcode,
        error_class=error_class,
        meaning=meaning,
        advice=advice,
        source=source,
        seen=seen,
        may_be_live=live,
    )


_codes = partial(_row, source=_ERROR_CODES, seen="2026-06-02")
_general = partial(_row, source=_ERROR_HANDLING, seen="2026-10")
_limits = partial(_row, source=_RATE_LIMITING, seen="2026-10")
_observed = partial(_row, source=OBSERVED, seen="2026-10")

PUBLISHING_RULES: tuple[ErrorRule, ...] = (
    _codes(-2, 2207003, _N, "The platform took too long to download the media", _HOST),
    _codes(-2, 2207020, _N, "The container has expired", _MAKES_NEW),
    _codes(-1, 2207001, _T, "Instagram had a server error", _RETRIES, live=True),
    _codes(-1, 2207032, _N, "The container could not be created", _MAKES_NEW, live=True),
    _codes(-1, 2207053, _N, "The video upload failed for an unknown reason", _MAKES_NEW, live=True),
    _codes(-1, 2207073, _F, "Media of this type cannot be deleted", "Delete the post in the Instagram app.", live=True),
    _codes(
        1, 2207057, _F, "The thumbnail offset lies outside the video", "Choose an offset within the video's length."
    ),
    _codes(
        4,
        2207051,
        ErrorClass.SPAM_SUSPECTED,
        "The platform blocked the action as suspected spam",
        "Look whether the post is live, then let the account rest for some days before it posts again.",
        live=True,
    ),
    _codes(
        9,
        2207042,
        ErrorClass.QUOTA,
        "The account has reached the platform's publishing limit",
        "Wait until the rolling window has room, or spread the posts over more days.",
    ),
    _codes(24, 2207006, _N, "The media was not found, or the token may not see it", _CONNECT, live=True),
    _codes(24, 2207008, _T, "The container id is unknown or expired, often only for a moment", _RETRIES, live=True),
    _codes(25, 2207050, _RESTRICTED, "The account is inactive, checkpointed or restricted", _SIGN_IN),
    _codes(100, 2207023, _F, "The media type is not known to the platform", _REPORT),
    _codes(100, 2207028, _F, "A carousel needs 2 to 10 items", "Change the number of items."),
    _codes(100, 2207035, _F, "A product tag on a video carries a position", "Remove the position of the tag."),
    _codes(100, 2207036, _F, "A product tag on a photo lacks its position", "Add the position of the tag."),
    _codes(100, 2207037, _F, "A product tag names an invalid product", "Remove the tag or choose another product."),
    _codes(100, 2207040, _F, "The caption holds more than 20 @ tags", "Remove some @ tags."),
    _codes(352, 2207026, _F, "The video format is not supported", _SPEC),
    _codes(9004, 2207052, _N, "The platform could not fetch the media URL", _HOST),
    _codes(9007, 2207027, _W, "The container is not ready yet", "Nothing to do: it is published when it is ready."),
    _codes(36000, 2207004, _F, "The image is over 8 MiB", "Make the image smaller, then retry."),
    _codes(36001, 2207005, _F, "The image format is not supported", _SPEC),
    _codes(36003, 2207009, _F, "The aspect ratio is outside 4:5 to 1.91:1", "Crop the image, then retry."),
    _codes(36004, 2207010, _F, "The caption is over 2200 characters, 30 hashtags or 20 @ tags", "Shorten the caption."),
)

# Not in Meta's table: meanings inferred by clients, so those that ask for another container are verified at publish.
OBSERVED_RULES: tuple[ErrorRule, ...] = (
    _observed(110, 2207018, _F, "A tagged account or collaborator is private or cannot be tagged", "Remove the tag."),
    _observed(None, 2207076, _N, "The video could not be downloaded or processed", _HOST, live=True),
    _observed(None, 2207077, _N, "The video could not be downloaded or processed", _HOST, live=True),
    _observed(None, 2207081, _F, "The account cannot post trial reels", "Post it as an ordinary reel."),
    _observed(None, 2207082, _N, "Upload or processing failed", _MAKES_NEW, live=True),
    _observed(None, 2207085, _N, "Processing failed on the platform's side", _MAKES_NEW, live=True),
)

# The publishing table's codes when the subcode is left out: the reading all their rows share, else the careful one.
CODE_ONLY_RULES: tuple[ErrorRule, ...] = (
    _codes(-2, None, _N, "The container timed out or expired", _MAKES_NEW),
    _codes(-1, None, _T, "Instagram had a server error", _RETRIES, live=True),
    _codes(9, None, ErrorClass.QUOTA, "The account has reached a limit of the platform", _WAITS),
    _codes(24, None, _T, "The media or container was not found", _RETRIES, live=True),
    _codes(25, None, _RESTRICTED, "The account is inactive, checkpointed or restricted", _SIGN_IN),
    _codes(352, None, _F, "The video format is not supported", _SPEC),
    _codes(9004, None, _N, "The platform could not fetch the media URL", _HOST),
    _codes(9007, None, _W, "The container is not ready yet", "Nothing to do: it is published when it is ready."),
    _codes(36000, None, _F, "The image is too large", "Make the image smaller, then retry."),
    _codes(36001, None, _F, "The image format is not supported", _SPEC),
    _codes(36003, None, _F, "The aspect ratio is outside 4:5 to 1.91:1", "Crop the image, then retry."),
    _codes(36004, None, _F, "The caption is too long", "Shorten the caption."),
)

GENERAL_RULES: tuple[ErrorRule, ...] = (
    _general(1, None, _T, "The platform had an unknown error", _RETRIES, live=True),
    _general(2, None, _T, "The platform's service is down", _RETRIES, live=True),
    _general(3, None, _REAUTH, "The app lacks a capability for this call", _CONNECT),
    _general(10, None, _REAUTH, "A permission is missing or was removed", _CONNECT),
    _general(
        100,
        33,
        _UNKNOWN,
        "The object is missing, hidden from this token, or takes no such call",
        "Check the account's id and that its token is of this account.",
        live=True,
    ),
    _general(100, None, _F, "A parameter of the request is invalid", "Check the post; if it is in order, report it."),
    _general(102, None, _REAUTH, "The session is invalid or expired", _CONNECT),
    _general(190, None, _REAUTH, "The access token is invalid, expired or revoked", _CONNECT),
    _general(190, 458, _REAUTH, "The owner removed the app", _CONNECT),
    _general(190, 459, _RESTRICTED, "The owner's account is at a checkpoint", _SIGN_IN_AND_CONNECT),
    _general(190, 460, _REAUTH, "The password was changed", _CONNECT),
    _general(190, 463, _REAUTH, "The access token has expired", _CONNECT),
    _general(190, 464, _RESTRICTED, "The owner's account is not confirmed", _SIGN_IN_AND_CONNECT),
    _general(190, 467, _REAUTH, "The access token is invalid", _CONNECT),
    _general(190, 492, _REAUTH, "The owner has lost the role on the page", _CONNECT),
    _general(
        506, None, _F, "The platform takes it for a duplicate post", "Look whether the post is live already.", live=True
    ),
    _general(2500, None, _F, "The path or query is malformed", _REPORT),
)

THROTTLE_RULES: tuple[ErrorRule, ...] = (
    # Suspected spam has this code too, and not every answer has a subcode.
    _limits(4, None, _THROTTLED, "The whole app makes too many calls", _WAITS, live=True),
    _limits(17, None, _THROTTLED, "This account's token makes too many calls", _WAITS),
    _limits(32, None, _THROTTLED, "Calls for pages by this user are too many", _WAITS),
    _limits(341, None, _THROTTLED, "The app has reached a limit", _WAITS),
    _limits(368, None, _RESTRICTED, "The platform blocked the account for a policy reason", _SIGN_IN),
    _limits(613, None, _THROTTLED, "A custom limit of calls is reached", _WAITS),
    _limits(613, 1996, _THROTTLED, "The volume of calls was erratic", _WAITS),
    _limits(80001, None, _THROTTLED, "The page's limit of calls is reached", _WAITS),
    _limits(80002, None, _THROTTLED, "The account's limit of calls is reached", _WAITS),
)

RULES = PUBLISHING_RULES + OBSERVED_RULES + CODE_ONLY_RULES + GENERAL_RULES + THROTTLE_RULES

# What a code means on one kind of call only.
TOO_FEW_VIEWERS = _observed(10, None, _UNKNOWN, "A story has too few viewers to be measured", _NOTHING, live=True)
NOT_ON_APP = _observed(
    100,
    None,
    _UNKNOWN,
    "The account is not allowed on this app",
    "Let the owner accept the app's tester invitation, or take the app out of development mode, then connect again.",
    live=True,
)
CODE_REFUSED = _observed(
    None,
    None,
    _REAUTH,
    "The platform refused to exchange the code that the owner came back with",
    "Let the owner start again; if that fails each time, check the app's id, its secret and the redirect address.",
)

# What holds where no row does.
PERMISSION = _general(None, None, _REAUTH, "A permission is missing or was removed", _CONNECT)
NEW_SUBCODE = _observed(None, None, _N, "The platform gave a publishing error not known here", _MAKES_NEW, live=True)
CONTAINER_FAILED = _observed(None, None, _N, "The platform could not process the media", _MAKES_NEW)
FLAGGED = _general(None, None, _T, "The platform calls the error transient", _RETRIES, live=True)
SERVER = _general(None, None, _T, "The platform's servers failed", _RETRIES, live=True)
TIMED_OUT = _observed(None, None, _T, "The platform gave up waiting for the request", _RETRIES, live=True)
TOO_MANY = _observed(None, None, _THROTTLED, "Too many calls", _WAITS)
NOT_ALLOWED = _observed(None, None, _REAUTH, "The access token was not accepted", _CONNECT)
NO_IDEA = _observed(
    None,
    None,
    _UNKNOWN,
    "The platform gave an error not known here",
    "Look at the account in the Instagram app, then retry or report it.",
    live=True,
)
