"""What an answer proves of an account: its token is of no use any more, or is taken again."""

from __future__ import annotations

import structlog

from services.health.ask_account import TOKEN_OF_NO_USE, Answer, Finding
from services.health.checks import Taken, write_answers
from services.health.surgery import Surgery
from shared.accounts import PUBLISHABLE, AccountState, Owner, transition_account
from shared.database import Connection, Row, run_in_transaction
from shared.publications import release_held

log = structlog.get_logger()

#: Two refusals in a row at least so far apart prove that a token is of no use.
_APART_S = 60.0

_LOCK = "SELECT id FROM accounts WHERE user_id = $1 AND id = $2 FOR NO KEY UPDATE"
# Read after the lock. What has expired, or was given up as expired, no read brings back.
_NOW = """
    SELECT account_tokens.sealed = $3 AS same_token,
           accounts.state_reason IS DISTINCT FROM 'token_expired'
           AND coalesce(accounts.token_expires_at > now(), true) AS lives
    FROM accounts
    JOIN account_tokens ON account_tokens.user_id = accounts.user_id AND account_tokens.account_id = accounts.id
    WHERE accounts.user_id = $1 AND accounts.id = $2
"""
# While one class of error hits many accounts at once, it is no account's.
_INCIDENT = "SELECT true FROM incidents WHERE error_class = 'reauth' AND closed_at IS NULL"


def target_of(taken: Taken, access: Row, answer: Answer) -> AccountState | None:
    """Where an answer may lead an account; None: nowhere.

    A token is given up after its second refusal. It comes back only by an answer to what was refused before: where a
    read was never refused, the publisher knows of something that a read does not show. What the publisher was refused
    in an incident that is over is tried once more all the same.

    Args:
        taken: the account.
        access: of `read_access`, as it was before the platform was asked.
        answer: what it said.
    """
    state = AccountState(access["state"])
    if answer.finding in TOKEN_OF_NO_USE and state in PUBLISHABLE:
        repeated = taken.finding in TOKEN_OF_NO_USE and (taken.answered_s or 0.0) >= _APART_S
        return AccountState.NEEDS_REAUTH if repeated else None
    refused_before = access["in_past_incident"] or taken.finding not in {None, Finding.OK}
    if answer.finding is Finding.OK and state is AccountState.NEEDS_REAUTH and refused_before:
        return AccountState.ACTIVE
    return None


async def follow_answer(surgery: Surgery, taken: Taken, sealed: bytes, answer: Answer, target: AccountState) -> None:
    """Write an answer together with the move of its account, unless either was overtaken.

    Args:
        surgery: what a look needs.
        taken: the account.
        sealed: the token that the platform was asked with, as stored.
        answer: what it said.
        target: where that leads, of `target_of`.
    """

    async def write(tx: Connection) -> bool:
        await tx.execute(_LOCK, taken.user_id, taken.account_id)
        written = await write_answers(tx, [(taken, answer)])
        return bool(written) and await _may_move(tx, taken, sealed, target) and await _move(surgery, tx, taken, target)

    moved = await run_in_transaction(surgery.pool, write, idempotent=True)
    log.info("account.follows", account_id=str(taken.account_id), finding=answer.finding, to=target, moved=moved)
    # Moved or not: where a commit's answer was lost, the second try has found it done.
    await surgery.cache.invalidate_account(taken.account_id, user_id=taken.user_id)


async def _may_move(tx: Connection, taken: Taken, sealed: bytes, target: AccountState) -> bool:
    now = await tx.fetchrow(_NOW, taken.user_id, taken.account_id, sealed)
    if now is None or not now["same_token"]:
        return False
    if target is AccountState.ACTIVE:
        return bool(now["lives"])
    return not await tx.fetchval(_INCIDENT)


async def _move(surgery: Surgery, tx: Connection, taken: Taken, target: AccountState) -> bool:
    revived = target is AccountState.ACTIVE
    moved = await transition_account(
        tx,
        taken.account_id,
        user_id=taken.user_id,
        target=target,
        owner=Owner.HEALTH,
        reason=None if revived else "reauth_required",
    )
    if moved and revived:
        await release_held(
            tx, user_id=taken.user_id, account_id=taken.account_id, rescue_after_s=surgery.rescue_after_s
        )
    return moved
