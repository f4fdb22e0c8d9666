"""One account as a client describes it, in a file or in JSON: every field checked, every fault told."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from services.api.accounts.row_faults import present_fault, row_fault
from services.api.http import ProblemError, parse_time
from services.api.tags import clean_tags
from shared.accounts.imports import AccountRow, RowFault

FIELDS = ("username", "instagram_user_id", "access_token", "token_expires_at", "tags", "proxy_id", "protocol_id")
REQUIRED = ("username", "instagram_user_id")
_UNKNOWN_FIELDS_TOLD = 20
_NAME_CHARS = 60
_USERNAME = re.compile(r"[A-Za-z0-9._]{1,30}", re.ASCII)
_PLATFORM_ID = re.compile(r"[0-9]{1,32}", re.ASCII)
# What the platform's client can send in a header.
_TOKEN = re.compile(r"[!-~]{8,4096}", re.ASCII)
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)
_PROTOCOL = re.compile(r"[a-z0-9_-]{1,60}", re.ASCII)


class RowFaultsError(ValueError):
    """A row with faults; `faults` are all of them."""

    def __init__(self, faults: list[RowFault]) -> None:
        self.faults = faults
        super().__init__(f"{len(faults)} faults")


class _FieldError(ValueError):
    def __init__(self, code: str, message: str) -> None:
        self.code = code
        super().__init__(message)


def check_row(raw: Mapping[str, Any], *, line: int | None) -> AccountRow:
    """Check one account.

    Args:
        raw: field to value; texts, except that `tags` may be a list.
        line: where it stands in a file; None for a single account, whose faults carry a path instead.

    Raises:
        RowFaultsError: with every fault of the row.
    """
    unknown = [shorten(name) for name in raw if name not in FIELDS]
    faults = [
        row_fault(name, "unknown_field", f"There is no field {name!r}.", line=line)
        for name in unknown[:_UNKNOWN_FIELDS_TOLD]
    ]
    values: dict[str, Any] = {}
    for name in FIELDS:
        try:
            values[name] = _CHECKS[name](_given(raw, name))
        except _FieldError as error:
            faults.append(row_fault(name, error.code, str(error), line=line))
    if faults:
        raise RowFaultsError(faults)
    return AccountRow(line=line, **values)


def checked_account(raw: Mapping[str, Any]) -> AccountRow:
    """Check a single account.

    Raises:
        ProblemError: with every fault, by its path.
    """
    try:
        return check_row(raw, line=None)
    except RowFaultsError as error:
        codes = {fault.code for fault in error.faults}
        code = "timezone_required" if codes == {"timezone_required"} else "validation_failed"
        faults = [present_fault(fault) for fault in error.faults]
        raise ProblemError(code, "The account cannot be as described.", errors=faults) from error


def shorten(name: str) -> str:
    """A client's word, for an answer that must not grow with it."""
    return name if len(name) <= _NAME_CHARS else f"{name[:_NAME_CHARS]}..."


def _given(raw: Mapping[str, Any], name: str) -> Any:
    value = raw.get(name)
    if isinstance(value, str):
        value = value.strip()
    if value in (None, "") and name in REQUIRED:
        raise _FieldError("missing_field", f"The field {name!r} is missing.")
    return None if value == "" and name != "tags" else value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise _FieldError("invalid_value", "This must be a text.")
    return value


def _username(value: Any) -> str:
    name = _text(value).removeprefix("@")
    if not _USERNAME.fullmatch(name):
        raise _FieldError("invalid_value", "A user name has 1 to 30 letters, digits, dots and underscores.")
    return name


def _platform_id(value: Any) -> str:
    if not _PLATFORM_ID.fullmatch(_text(value)):
        raise _FieldError("invalid_value", "The platform's user id has 1 to 32 digits and nothing else.")
    return str(value)


def _token(value: Any) -> str | None:
    if value is not None and not _TOKEN.fullmatch(_text(value)):
        raise _FieldError("invalid_value", "An access token is one word of at most 4,096 plain characters.")
    return None if value is None else str(value)


def _proxy(value: Any) -> UUID | None:
    if value is not None and not _UUID.fullmatch(_text(value)):
        raise _FieldError("invalid_value", "This is no id of a proxy.")
    return None if value is None else UUID(value)


def _protocol(value: Any) -> str | None:
    if value is not None and not _PROTOCOL.fullmatch(_text(value)):
        raise _FieldError("invalid_value", "This is no id of a warm-up protocol.")
    return None if value is None else str(value)


def _expiry(value: Any) -> datetime | None:
    try:
        return None if value is None else parse_time(_text(value), path="token_expires_at")
    except ProblemError as problem:
        fault = problem.errors[0]
        raise _FieldError(fault.code, fault.message) from problem


def _tags(value: Any) -> tuple[str, ...] | None:
    if value is None:
        return None
    given = value.split(";") if isinstance(value, str) else value
    if not isinstance(given, list) or not all(isinstance(tag, str) for tag in given):
        raise _FieldError("invalid_value", "Tags are a list of texts.")
    try:
        return clean_tags(given)
    except ValueError as error:
        raise _FieldError("invalid_value", str(error)) from error


_CHECKS: Mapping[str, Callable[[Any], Any]] = {
    "username": _username,
    "instagram_user_id": _platform_id,
    "access_token": _token,
    "token_expires_at": _expiry,
    "tags": _tags,
    "proxy_id": _proxy,
    "protocol_id": _protocol,
}
