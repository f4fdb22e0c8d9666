"""What a client should do about each problem: shown in docs/problems.md beside what it means."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

ADVICE: Mapping[str, str] = MappingProxyType(
    {
        "malformed_request": (
            "The request is broken HTTP, was cut off, or its body is not what its headers say. Mend the client; a"
            " request that was cut off by the network may be sent again."
        ),
        "malformed_json": "Send JSON in UTF-8; `detail` says where reading ended.",
        "invalid_cursor": (
            "Cursors hold for the tenant, the route, the filters and the order they came from. Begin at the first page."
        ),
        "invalid_limit": "Send a whole number, or leave `limit` out.",
        "oauth_state_invalid": (
            "The connection was begun too long ago, ended already, or begun by another browser. Begin it again,"
            " `POST /v1/accounts/connect`."
        ),
        "unauthenticated": (
            "Send `Authorization: Bearer ids_...` with a key that is neither revoked nor expired. It is not told which"
            " of these it is."
        ),
        "scope_missing": "`detail` names the scope that is needed. Use a key that has it.",
        "account_not_allowed": (
            "The key is limited to some accounts. `errors` names those it may not act on, where the request named any."
            " Use a key without that limit."
        ),
        "media_address_expired": "Read the medium again, `GET /v1/media/{id}`: its `url` is new.",
        "oauth_denied": "The owner said no, or closed the page. Begin again when they are willing.",
        "permissions_missing": "`errors` names what was not granted. Begin again, and let the owner leave it ticked.",
        "not_found": "The id is wrong, or another tenant's, or what it named was removed. Do not try again.",
        "health_unknown": "The account's first check runs within a minute of its import. Ask again after that.",
        "method_not_allowed": "The header `Allow` lists the methods of this path.",
        "request_timeout": "The body came too slowly. Send it again over a better line.",
        "idempotency_in_flight": (
            "The first request under this key is still at work. Wait for as long as `Retry-After` says, and send the"
            " same again: it gets the first one's answer."
        ),
        "in_use": (
            "`errors` tells what depends on it, how many there are, and an example. Cancel that first, or ask for the"
            " removal with `cancel=true`."
        ),
        "state_conflict": "Read the thing again: `detail` says which state it is in, and that does not allow this.",
        "outcome_unresolved": (
            "Look at the account on the platform, and say what became of the publication with"
            " `POST /v1/publications/{id}/resolve`. Then go on."
        ),
        "duplicate_content": (
            "`existing_id` is the publication of this post on this account. If it is meant to stand there twice, send"
            " `allow_duplicate`."
        ),
        "account_exists": "`existing_id` is the account. Change it, or import it.",
        "account_not_publishable": "`errors` names accounts and states. Resume or reconnect each, or leave it out.",
        "capacity_exceeded": "Make the window longer or the gap smaller, or leave those accounts out: `on_conflict`.",
        "plan_changed": "Ask for the plan again with `dry_run=true`, and decide anew.",
        "account_not_resumable": "Its owner has to connect it anew, or a new token has to be imported. Then go on.",
        "name_taken": "`existing_id` is what has the name. Choose another one.",
        "version_mismatch": "Somebody changed it after you read it. Read it again, decide anew, send the new `ETag`.",
        "body_too_large": "`detail` says how many bytes are accepted. Send less at once.",
        "media_too_large": "`detail` says how many bytes are accepted. Send a smaller file.",
        "unsupported_media_type": (
            "Send one of the content types that the route's description lists, and the body as it is, without"
            " `Content-Encoding`."
        ),
        "range_not_satisfiable": "`Content-Range` says how many bytes the file has.",
        "idempotency_mismatch": "Make a new `Idempotency-Key` for each new request; repeat a request unchanged.",
        "validation_failed": "`errors` names everything that is wrong, and where. Mend all of it.",
        "timezone_required": "Write times with an offset: `2030-01-31T18:00:00+01:00` or `...Z`.",
        "time_in_past": "Choose a time that is still to come; up to five minutes ago counts as now.",
        "window_too_short": "`detail` says what does not fit. Widen the window, or lower the gap or the accounts.",
        "group_empty": "Put accounts into the group, or choose another one.",
        "media_unsupported": "`errors` names what the platform does not take. Make the file anew, or try `convert`.",
        "media_invalid": "The file cannot be read as what it seems to be. Export it anew.",
        "media_unreachable": (
            "The medium could not be fetched from outside, as the platform will do; `detail` tells what was seen. See"
            " that `PUBLIC_URL` leads here, and try again."
        ),
        "media_url_forbidden": "Give an https URL of a public address; others are never fetched.",
        "rate_limited": (
            "Wait for as long as `Retry-After` says. `RateLimit` tells in each answer what is left, so that a client"
            " need not come here."
        ),
        "headers_too_large": "Send fewer and shorter headers; `detail` says how many and how long.",
        "internal_error": (
            "A fault of the server; nothing was changed, unless `Idempotency-Key` tells otherwise on a repetition. Its"
            " log tells more under `request_id`."
        ),
        "platform_error": "`detail` tells what the platform answered. It is seldom cured by trying again at once.",
        "backlog_too_old": (
            "What was accepted before is not sent yet, so more is refused. Wait for as long as `Retry-After` says."
        ),
        "not_ready": "A server behind this one is away. Wait for as long as `Retry-After` says.",
        "storage_full": "The place where media lie is full. Tell the operator; try again when there is room.",
    }
)
