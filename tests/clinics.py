"""What a look at accounts needs, on real servers, with the platform's stand-in; and what a look made of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from deploy.emulator import Options
from services.health.check_account import check_account
from services.health.check_accounts import check_due_once
from services.health.surgery import Surgery
from services.health.usage_watch import UsageWatch
from shared.cache import open_cache
from shared.database import Pool, Row, create_pool
from shared.instagram import GraphClient, open_gate, open_graph_session
from shared.jobs import CheckAccount, JobType, new_job
from tests.emulators import Emulator, emulating
from tests.seeds import CIPHER, Tenant, seed_tenant


@dataclass(frozen=True, kw_only=True)
class Clinic:
    """A health service's hands, a tenant's accounts that are due, and the platform that is asked for them."""

    surgery: Surgery
    tenant: Tenant
    emulator: Emulator

    @property
    def pool(self) -> Pool:
        """The database."""
        return self.surgery.pool

    async def sweep(self) -> float | None:
        """One sweep of the rhythm."""
        return await check_due_once(self.surgery)

    async def check_now(self) -> None:
        """One delivery of the job, for the first account."""
        payload = CheckAccount(user_id=self.tenant.user_id, account_id=self.tenant.account_ids[0])
        await check_account(self.surgery, new_job(JobType.HEALTH_CHECK, payload, subject="x"), payload)

    async def come_due(self, *, asks: bool = True, after_s: float = 75.0) -> None:
        """So many seconds pass, and then all accounts are due."""
        await self.pool.execute(
            """
            UPDATE health_checks
            SET checked_at = checked_at - $1::float8 * interval '1 second', next_check_at = now(),
                ask_at = CASE WHEN $2 THEN now() ELSE now() + interval '5 hours' END
            """,
            after_s,
            asks,
        )

    async def row(self, place: int = 0) -> Row:
        """An account with its check, and in how many seconds it comes again."""
        row = await self.pool.fetchrow(
            """
            SELECT health_checks.*, accounts.state, accounts.state_reason, accounts.quota_total,
                   extract(epoch FROM next_check_at - now())::float8 AS next_s,
                   extract(epoch FROM ask_at - now())::float8 AS ask_s,
                   (SELECT band FROM health_scores WHERE account_id = accounts.id) AS band
            FROM health_checks JOIN accounts ON accounts.id = health_checks.account_id
            WHERE accounts.id = $1
            """,
            self.tenant.account_ids[place],
        )
        assert row is not None
        return row

    async def fail(self, code: int, subcode: int | None = None, *, times: int = 1) -> None:
        """Have the platform refuse the next reads of profiles."""
        fault = {"endpoint": "get_account", "kind": "error", "times": times, "code": code}
        await self.emulator.fault(**fault if subcode is None else {**fault, "subcode": subcode})

    async def asked(self) -> int:
        """How many profiles were read."""
        return await self.emulator.calls("get_account")


@asynccontextmanager
async def open_clinic(
    database_url: str,
    redis_url: str,
    *,
    accounts: int = 1,
    slots: int = 4,
    check_every_s: float = 21_600.0,
    deadline_s: float = 20.0,
    options: Options | None = None,
) -> AsyncIterator[Clinic]:
    """A clinic for as long as the context lasts."""
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(await create_pool(database_url, application_name="test"))
        cache = await stack.enter_async_context(open_cache(redis_url))
        emulator = await stack.enter_async_context(emulating(options))
        session = await stack.enter_async_context(open_graph_session())
        gate = await stack.enter_async_context(open_gate(redis_url))
        usage = UsageWatch(gate)
        graph = GraphClient(
            session,
            base_url=emulator.url,
            version="v25.0",
            deadline_s=deadline_s,
            publish_deadline_s=deadline_s,
            watch=usage,
        )
        made = await emulator.control("accounts", {"count": accounts})
        tenant = await seed_tenant(pool, instagram=[(one["ig_user_id"], one["access_token"]) for one in made])
        await pool.execute("INSERT INTO health_checks (account_id, user_id) SELECT id, user_id FROM accounts")
        surgery = Surgery(
            pool=pool,
            cache=cache,
            rescue_after_s=60.0,
            graph=graph,
            gate=gate,
            usage=usage,
            cipher=CIPHER,
            slots=slots,
            check_every_s=check_every_s,
        )
        yield Clinic(surgery=surgery, tenant=tenant, emulator=emulator)
