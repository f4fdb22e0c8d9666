"""What a key may be given: never more than the key has that asks for it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from services.api.http import Caller, ProblemError, Scope, aware, invalid
from services.api.keys.store import Rights

_NAME_CHARS_MAX = 100
_OF_THE_WHOLE_TENANT = (Scope.ADMIN, Scope.OPERATOR)


def clean_name(name: str) -> str:
    """A name without blanks around it.

    Raises:
        ProblemError: it is empty, too long, or holds what cannot be shown.
    """
    cleaned = name.strip()
    if not 1 <= len(cleaned) <= _NAME_CHARS_MAX or not cleaned.isprintable():
        raise invalid("invalid_value", f"A name has 1 to {_NAME_CHARS_MAX} printable characters.", path="name")
    return cleaned


def clean_scopes(scopes: Sequence[Scope]) -> tuple[Scope, ...]:
    """Each scope once, in the order of their weight."""
    return tuple(scope for scope in Scope if scope in scopes)


def clean_account_ids(account_ids: Sequence[UUID] | None) -> tuple[UUID, ...] | None:
    """Each account once."""
    return None if account_ids is None else tuple(dict.fromkeys(account_ids))


def clean_end(expires_at: datetime | None) -> datetime | None:
    """An end that lies ahead.

    Raises:
        ProblemError: it is ambiguous (`timezone_required`) or past (`time_in_past`).
    """
    if expires_at is not None and aware(expires_at, path="expires_at") <= datetime.now(UTC):
        raise invalid("time_in_past", "A key cannot end in the past; revoke it instead.", path="expires_at")
    return expires_at


def check_rights(rights: Rights, caller: Caller) -> Rights:
    """The rights themselves, if the caller may give them.

    Raises:
        ProblemError: the caller lacks a scope (`scope_missing`), or ends sooner; or a key that is limited to accounts
            would get a scope that concerns all of them.
    """
    lacking = [scope.value for scope in rights.scopes if scope not in caller.scopes]
    if lacking:
        detail = f"A key gives no scope that it does not have itself: {', '.join(lacking)}."
        raise ProblemError("scope_missing", detail)
    if rights.account_ids is not None and any(scope in _OF_THE_WHOLE_TENANT for scope in rights.scopes):
        message = "The scopes admin and operator concern all accounts; leave them out, or the list of accounts."
        raise invalid("invalid_value", message, path="account_ids")
    if caller.expires_at is not None and (rights.expires_at is None or rights.expires_at > caller.expires_at):
        message = f"This key ends at {caller.expires_at.isoformat()}; what it makes must end by then."
        raise invalid("invalid_value", message, path="expires_at")
    return rights
