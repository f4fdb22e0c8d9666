"""Cursors: a place in a list, handed to the client as text that it can neither read with profit nor change."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

import msgspec

from shared.pagination.errors import InvalidCursorError

_VERSION = 1
_SIGNATURE_BYTES = 16
_TEXT_CHARS_MAX = 256
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class SortColumn(StrEnum):
    """What lists are sorted by, always together with `id`. Columns of these names are NOT NULL."""

    CREATED_AT = "created_at"
    UPDATED_AT = "updated_at"
    PUBLISH_AT = "publish_at"
    DIED_AT = "died_at"
    DUE_AT = "due_at"
    OPENED_AT = "opened_at"
    NEXT_DUE_AT = "next_due_at"
    CAPTURED_AT = "captured_at"
    COMPUTED_AT = "computed_at"


class SortDirection(StrEnum):
    """The order of a list."""

    ASC = "ASC"
    DESC = "DESC"


@dataclass(frozen=True, kw_only=True)
class Cursor:
    """A place in a list, and the way to go from it."""

    column: SortColumn
    value: datetime  # of the row at this place, aware, to the microsecond
    id: UUID | int  # of the same row: what parts rows of the same time
    backward: bool = False  # towards the begin of the list
    inclusive: bool = False  # the row itself belongs to the page asked for


class _Signed(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    version: int
    column: SortColumn
    value_us: int
    id: UUID | int
    backward: bool
    inclusive: bool


_decoder = msgspec.msgpack.Decoder(_Signed)


def cursor_scope(*, user_id: UUID, route: str, filters: Mapping[str, Any] | None = None) -> str:
    """What a cursor is bound to: whose list, which, and everything else that decides its rows or their order.

    Args:
        user_id: the tenant.
        route: the route's template, such as `/v1/accounts`.
        filters: the filters of the request, without `limit` and `cursor`; their order does not matter.
    """
    return json.dumps([str(user_id), route, sorted((name, str(value)) for name, value in (filters or {}).items())])


def encode_cursor(cursor: Cursor, *, scope: str, secret: bytes) -> str:
    """The cursor as text for a URL.

    Raises:
        ValueError: the time has no zone. Select a `timestamptz`.
    """
    if cursor.value.tzinfo is None:
        raise ValueError(f"A cursor needs an aware time in {cursor.column.value!r}; select a timestamptz.")
    signed = _Signed(
        version=_VERSION,
        column=cursor.column,
        value_us=(cursor.value - _EPOCH) // _MICROSECOND,
        id=cursor.id,
        backward=cursor.backward,
        inclusive=cursor.inclusive,
    )
    payload = msgspec.msgpack.encode(signed)
    return base64.urlsafe_b64encode(_signature(payload, scope, secret) + payload).rstrip(b"=").decode()


def decode_cursor(text: str, *, scope: str, secret: bytes) -> Cursor:
    """The cursor that a client sent back.

    Raises:
        InvalidCursorError: it is not what `encode_cursor` made for this scope. Answer 400.
    """
    try:
        sealed = _decode_text(text)
        signature, payload = sealed[:_SIGNATURE_BYTES], sealed[_SIGNATURE_BYTES:]
        if not hmac.compare_digest(signature, _signature(payload, scope, secret)):
            raise InvalidCursorError
        signed = _decoder.decode(payload)
        value = _EPOCH + signed.value_us * _MICROSECOND
    except (ValueError, OverflowError, msgspec.MsgspecError) as error:
        raise InvalidCursorError from error
    if signed.version != _VERSION:
        raise InvalidCursorError
    return Cursor(column=signed.column, value=value, id=signed.id, backward=signed.backward, inclusive=signed.inclusive)


def _decode_text(text: str) -> bytes:
    if len(text) > _TEXT_CHARS_MAX:
        raise ValueError("longer than any cursor")
    sealed = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    # Python skips what is no base64 and ignores spare bits; a cursor has one spelling only.
    if base64.urlsafe_b64encode(sealed).rstrip(b"=").decode() != text:
        raise binascii.Error("not the canonical spelling")
    return sealed


def _signature(payload: bytes, scope: str, secret: bytes) -> bytes:
    scope_digest = hashlib.sha256(scope.encode()).digest()  # of fixed length, so that it cannot run into the payload
    return hmac.digest(secret, b"cursor" + scope_digest + payload, "sha256")[:_SIGNATURE_BYTES]
