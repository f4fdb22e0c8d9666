"""Changing keys one after another, by whoever may at that moment."""

from __future__ import annotations

from services.api.http import Caller, ProblemError, Scope
from services.api.http.auth import is_over, unauthenticated
from services.api.http.key_records import read_key
from services.api.keys import store
from shared.database import Connection


async def lock_keys(tx: Connection, caller: Caller) -> Caller:
    """Let nobody else change the tenant's keys until the transaction ends; gives the caller as it is by then.

    What the process remembers of a key is up to 5 s old: enough for a stolen one, just revoked, to make its successor.

    Raises:
        ProblemError: the caller's own key has ended meanwhile (`unauthenticated`), or lost the right (`scope_missing`).
    """
    await store.lock_tenant(tx, user_id=caller.user_id)
    record = await read_key(tx, caller.key_id)
    if record is None or is_over(record.caller):
        raise unauthenticated()
    if Scope.ADMIN not in record.caller.scopes:
        raise ProblemError("scope_missing", f"This needs a key with the scope {Scope.ADMIN.value!r}.")
    return record.caller
