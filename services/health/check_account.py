"""`health:check`: look at one account, judge it, keep the judgement."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from uuid import UUID

import structlog

from services.health.evidence import KnownAccount, read_known
from services.health.scoring import FORMULA_VERSION, Evidence, Score, score_account
from shared.accounts import AccountState, open_account
from shared.cache import CacheService
from shared.database import Connection, Pool
from shared.instagram import ErrorClass, GraphClient, GraphError, InstagramError, PlatformGate
from shared.jobs import Again, CheckAccount, Job
from shared.security import TokenCipher, TokenUnreadableError

log = structlog.get_logger()

_STORE = """
    WITH before AS (SELECT score, band FROM health_scores WHERE account_id = $1)
    INSERT INTO health_scores (
        account_id, user_id, score, band, confidence, components, gates, reasons, formula_version, computed_at
    )
    SELECT id, user_id, $3::smallint, $4, $5::float8, $6::jsonb, $7::jsonb, $8::jsonb, $9::smallint, now()
    FROM accounts
    -- One that is removed meanwhile gets none.
    WHERE user_id = $2 AND id = $1 AND removed_at IS NULL
    FOR KEY SHARE
    ON CONFLICT (account_id) DO UPDATE SET
        score = excluded.score, band = excluded.band, confidence = excluded.confidence,
        components = excluded.components, gates = excluded.gates, reasons = excluded.reasons,
        formula_version = excluded.formula_version, computed_at = excluded.computed_at
    RETURNING NOT EXISTS (SELECT 1 FROM before WHERE before.score = $3 AND before.band = $4)
"""


@dataclass(frozen=True, kw_only=True)
class Surgery:
    """What a check needs, built once in service.py."""

    pool: Pool
    graph: GraphClient
    gate: PlatformGate  # who may call the platform now; it watches `graph`
    cipher: TokenCipher
    cache: CacheService


async def check_account(surgery: Surgery, _job: Job, payload: CheckAccount) -> Again | None:
    """Judge one account by its rows and by one read at the platform, and store the score."""
    async with surgery.pool.acquire() as connection:
        known = await read_known(connection, user_id=payload.user_id, account_id=payload.account_id)
    if known is None:
        log.info("account.gone")
        return None
    try:
        refused = known.state is AccountState.NEEDS_REAUTH or await _token_refused(surgery, known, payload)
    except TokenUnreadableError as error:
        # The operator's key ring is at fault: nothing can be said of the account.
        log.error("token.unreadable", error=str(error))
        return None
    evidence = Evidence(
        token_days_left=known.token_days_left,
        token_dead=refused,
        restricted=known.state is AccountState.RESTRICTED,
        outcomes=known.outcomes,
        unresolved_for_an_hour=known.unresolved_for_an_hour,
    )
    score = score_account(evidence)
    async with surgery.pool.acquire() as connection:
        changed = await _store(connection, payload.user_id, payload.account_id, score)
    if changed:
        await surgery.cache.invalidate_account(payload.account_id, user_id=payload.user_id)
    log.info("account.judged", score=score.score, band=score.band)
    return None


async def _token_refused(surgery: Surgery, known: KnownAccount, payload: CheckAccount) -> bool:
    """Whether the platform refuses the token. A read that fails, or has to wait, proves nothing against the account."""
    account = open_account(known.row, surgery.cipher, user_id=payload.user_id, account_id=payload.account_id)
    if await surgery.gate.admit(account.ig_user_id):
        return False
    try:
        profile = await surgery.graph.profile(account)
    except GraphError as error:
        return error.error_class is ErrorClass.REAUTH
    except InstagramError as error:
        log.warning("account.not_read", error=str(error))
        return False
    finally:
        surgery.gate.leave(account.ig_user_id)
    return profile.ig_user_id != account.ig_user_id


async def _store(connection: Connection, user_id: UUID, account_id: UUID, score: Score) -> bool:
    changed: bool | None = await connection.fetchval(
        _STORE,
        account_id,
        user_id,
        score.score,
        score.band,
        score.confidence,
        json.dumps(score.components),
        json.dumps(score.gates),
        json.dumps([asdict(reason) for reason in score.reasons]),
        FORMULA_VERSION,
    )
    return bool(changed)
