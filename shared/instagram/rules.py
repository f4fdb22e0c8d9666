"""Which row of the platform's errors a refusal falls under.

By subcode, then code, then the transient flag, then HTTP status; never by message text, which is localised and changes.
"""

from __future__ import annotations

from dataclasses import replace

from shared.instagram.error_rules import (
    CONTAINER_FAILED,
    FLAGGED,
    NEW_SUBCODE,
    NO_IDEA,
    NOT_ALLOWED,
    NOT_ON_APP,
    PERMISSION,
    RULES,
    SERVER,
    TIMED_OUT,
    TOO_FEW_VIEWERS,
    TOO_MANY,
    ErrorClass,
    ErrorRule,
)

_PUBLISHING_SUBCODES = range(2_207_000, 2_208_000)
_PERMISSION_CODES = range(200, 300)
_SERVER_STATUSES = range(500, 600)
_TOKEN_CODES = frozenset({102, 190})

# The calls that say whose token it is and renew it: refused as an unsupported method where the app may not have it.
_OF_TOKENS = frozenset({"exchange_token", "refresh_token", "profile"})
_GENERIC_TYPE = "IGApiException"

_BY_PAIR = {(rule.code, rule.subcode): rule for rule in RULES}
_BY_PUBLISHING_SUBCODE = {rule.subcode: rule for rule in RULES if rule.subcode in _PUBLISHING_SUBCODES}
_BY_STATUS = {401: NOT_ALLOWED, 408: TIMED_OUT, 429: TOO_MANY}


def classify(
    code: int | None,
    subcode: int | None,
    *,
    is_transient: bool,
    http_status: int,
    operation: str = "",
    kind: str = "",
) -> ErrorRule:
    """The row for a refused call.

    Args:
        code: as the platform said it.
        subcode: the same.
        is_transient: whether the platform calls the error so.
        http_status: of the answer; it decides last.
        operation: the client's method, where a code means something else on it.
        kind: what the platform calls `type`.
    """
    return (
        _by_operation(operation, code, subcode, kind)
        or _by_codes(code, subcode)
        or (FLAGGED if is_transient else _by_status(http_status))
    )


def classify_container(subcode: int | None) -> ErrorRule:
    """The row for a container in state ERROR, by the number found in its status text, if any.

    Such a container is lost for good, so where a refused call could be repeated, a new container takes its place.
    """
    rule = _by_codes(None if subcode in _PUBLISHING_SUBCODES else subcode, subcode) or CONTAINER_FAILED
    lost = {ErrorClass.TRANSIENT, ErrorClass.NOT_READY, ErrorClass.UNKNOWN}
    return replace(rule, error_class=ErrorClass.NEW_CONTAINER) if rule.error_class in lost else rule


def _by_operation(operation: str, code: int | None, subcode: int | None, kind: str) -> ErrorRule | None:
    if operation == "story_insights" and code == TOO_FEW_VIEWERS.code:
        return TOO_FEW_VIEWERS
    if operation in _OF_TOKENS and kind == _GENERIC_TYPE and (code, subcode) == (NOT_ON_APP.code, None):
        return NOT_ON_APP
    return None


def _by_codes(code: int | None, subcode: int | None) -> ErrorRule | None:
    # A publishing subcode is unique by itself; the others are small numbers that mean something only with their code.
    exact = _BY_PUBLISHING_SUBCODE.get(subcode) or _BY_PAIR.get((code, subcode))
    if exact:
        return exact
    # A dead token is a dead token, whatever unknown subcode comes with it.
    if subcode in _PUBLISHING_SUBCODES and code not in _TOKEN_CODES:
        return NEW_SUBCODE
    return PERMISSION if code in _PERMISSION_CODES else _BY_PAIR.get((code, None))


def _by_status(http_status: int) -> ErrorRule:
    return _BY_STATUS.get(http_status, SERVER if http_status in _SERVER_STATUSES else NO_IDEA)
