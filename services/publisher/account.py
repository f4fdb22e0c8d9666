"""What a try's result does to its account, under the account's lock."""

from __future__ import annotations

from services.publisher.results import Deferred, Held, Published, Result
from shared.accounts import AccountState
from shared.database import Connection
from shared.publications import Publication

_LOCK = "SELECT 1 FROM accounts WHERE user_id = $1 AND id = $2 FOR NO KEY UPDATE"
_SEALED = "SELECT sealed FROM account_tokens WHERE user_id = $1 AND account_id = $2"


async def take_account(
    tx: Connection, publication: Publication, result: Result, *, state: str, warms_up: bool
) -> tuple[Result, AccountState | None]:
    """Lock the account if the result may move it, and say what the result means now that the account stands still.

    Claims, releases and imports lock the account before its publications, and so must whoever writes both. A refusal of
    a token that the owner has replaced meanwhile says nothing about the account: whoever stores one takes this lock.

    Args:
        tx: the transaction that writes the result, before it writes the publication.
        publication: the row as claimed.
        result: what came of the try.
        state: the account's.
        warms_up: whether it is under a protocol that is not over.

    Returns:
        The result, and where it takes the account; None if that stays as it is.
    """
    target = _target(result, state=state, warms_up=warms_up)
    if target is None:
        return result, None
    await tx.execute(_LOCK, publication.user_id, publication.account_id)
    if isinstance(result, Held) and result.refused_token is not None:
        sealed = await tx.fetchval(_SEALED, publication.user_id, publication.account_id)
        if sealed != result.refused_token:
            return Deferred(reason="token_replaced", delay_s=0.0, fault=result.fault, unsend=result.unsend), None
    return result, target


def _target(result: Result, *, state: str, warms_up: bool) -> AccountState | None:
    match result:
        case Held():
            # Whatever its state was: who has just brought it back does not know of what is held now.
            return result.account_state
        case Published():
            target = AccountState.WARMING_UP if warms_up else AccountState.ACTIVE
            return None if state == target else target
        case _:
            return None
