"""From the bytes of an answer to a JSON object, a refusal, or the admission that it says nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from shared.instagram.error_rules import CODE_REFUSED, TOO_MANY
from shared.instagram.errors import GraphError, GraphUnclearError
from shared.instagram.results import Json
from shared.instagram.rules import classify
from shared.instagram.wire import Answer, Call

# Tokens by their beginnings, and what stands in an address that opens something.
_SECRET_LIKE = re.compile(
    r"\b(?:IGAA|EAA)[A-Za-z0-9_-]{8,}|(?:(?<=access_token=)|(?<=client_secret=)|(?<=signature=))[^&\s\"']+"
)
_CODE_LIMIT = 2**31
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
    if body is not None and "error_type" in body and answer.status not in _SERVER_ERROR:
        raise _refusal_of_code(call, answer.status, body)
    if body is not None and answer.status in _SUCCESS:
        return body
    if answer.status in _SUCCESS or answer.status in _SERVER_ERROR:
        raise GraphUnclearError(
            f"HTTP {answer.status} without a readable body", operation=call.operation, http_status=answer.status
        )
    raise _refusal(call, answer.status, {})


def without_secrets(text: str, secrets: Iterable[str]) -> str:
    """`text` with the secrets, and whatever looks like one, taken out: Meta quotes malformed tokens back."""
    for secret in filter(None, secrets):
        text = text.replace(secret, "[secret]")
    return _SECRET_LIKE.sub("[secret]", text)


def _refusal(call: Call, http_status: int, error: Json) -> GraphError:
    code, subcode = _number(error.get("code")), _number(error.get("error_subcode"))
    is_transient = error.get("is_transient") is True
    rule = classify(
        code,
        subcode,
        is_transient=is_transient,
        http_status=http_status,
        operation=call.operation,
        kind=_text(error.get("type")),
    )
    return GraphError(
        operation=call.operation,
        rule=rule,
        code=code,
        subcode=subcode,
        message=_said(call, error.get("message"))[:_MESSAGE_CHARS_MAX],
        http_status=http_status,
        fbtrace_id=_said(call, error.get("fbtrace_id"))[:_TRACE_CHARS_MAX] or None,
        is_transient=is_transient,
    )


def _refusal_of_code(call: Call, http_status: int, body: Json) -> GraphError:
    """The exchange of a code has an envelope of its own, whose `code` only repeats the HTTP status."""
    too_many = http_status == HTTPStatus.TOO_MANY_REQUESTS
    return GraphError(
        operation=call.operation,
        rule=TOO_MANY if too_many else CODE_REFUSED,
        code=None,
        subcode=None,
        message=_said(call, body.get("error_message"))[:_MESSAGE_CHARS_MAX],
        http_status=http_status,
        fbtrace_id=None,
        is_transient=False,
    )


def _said(call: Call, text: object) -> str:
    return without_secrets(_text(text), (call.bearer or "", *call.secrets))


def _json_object(body: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _number(value: object) -> int | None:
    try:
        number = int(value) if isinstance(value, int | str) and not isinstance(value, bool) else None
    except ValueError:
        return None
    # No code of the platform's is larger than an integer of the database.
    return number if number is not None and abs(number) < _CODE_LIMIT else None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
