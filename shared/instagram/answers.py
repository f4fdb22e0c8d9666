"""From the bytes of an answer to a JSON object, a refusal, or the admission that it says nothing."""

from __future__ import annotations

import json
import re
from typing import Any

from shared.instagram.errors import GraphError, GraphUnclearError
from shared.instagram.results import Json
from shared.instagram.rules import classify
from shared.instagram.wire import Answer, Call

_TOKEN_LIKE = re.compile(r"\b(?:IGAA|EAA)[A-Za-z0-9_-]{8,}|(?<=access_token=)[^&\s\"']+")
_MESSAGE_CHARS_MAX = 500
_TRACE_CHARS_MAX = 64
_SUCCESS = range(200, 300)
_SERVER_ERROR = range(500, 600)


def read_answer(call: Call, answer: Answer) -> Json:
    """The JSON object of a success.

    Raises:
        GraphError: the platform, or a gateway in front of it, refused.
        GraphUnclearError: a success or a server failure without a readable body: the effect is unknown.
    """
    body = _json_object(answer.body)
    if body is not None and isinstance(body.get("error"), dict):
        raise _refusal(call, answer.status, body["error"])
    if body is not None and answer.status in _SUCCESS:
        return body
    if answer.status in _SUCCESS or answer.status in _SERVER_ERROR:
        raise GraphUnclearError(
            f"HTTP {answer.status} without a readable body", operation=call.operation, http_status=answer.status
        )
    raise _refusal(call, answer.status, {})


def without_token(text: str, token: str) -> str:
    """`text` with the token, and whatever looks like one, taken out: Meta quotes malformed tokens back."""
    return _TOKEN_LIKE.sub("[token]", text.replace(token, "[token]"))


def _refusal(call: Call, http_status: int, error: Json) -> GraphError:
    code, subcode = _number(error.get("code")), _number(error.get("error_subcode"))
    is_transient = error.get("is_transient") is True
    return GraphError(
        operation=call.operation,
        rule=classify(code, subcode, is_transient=is_transient, http_status=http_status),
        code=code,
        subcode=subcode,
        message=without_token(_text(error.get("message")), call.token)[:_MESSAGE_CHARS_MAX],
        http_status=http_status,
        fbtrace_id=without_token(_text(error.get("fbtrace_id")), call.token)[:_TRACE_CHARS_MAX] or None,
        is_transient=is_transient,
    )


def _json_object(body: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _number(value: object) -> int | None:
    try:
        return int(value) if isinstance(value, int | str) and not isinstance(value, bool) else None
    except ValueError:
        return None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
