"""What a renewal of tokens needs, on real servers, with the platform's stand-in."""

from contextlib import AsyncExitStack
from datetime import timedelta

import pytest
from aiohttp import ClientSession
from aiohttp.test_utils import TestServer

from deploy.emulator import Options, create_app
from services.health.refresh_token import refresh_token
from services.health.surgery import Surgery
from services.health.usage_watch import UsageWatch
from shared.cache import open_cache
from shared.database import create_pool
from shared.instagram import GraphClient, open_gate, open_graph_session
from shared.jobs import JobType, RefreshToken, new_job
from shared.security import SealedToken
from tests.seeds import CIPHER, seed_tenant

DAY_S = 86_400


class Clinic:
    """What a renewal needs, and one account whose token was stored 30 days ago, with 30 days to go."""

    def __init__(self, *, surgery, tenant, http, emulator_url):
        self.surgery, self.tenant, self.http, self.emulator_url = surgery, tenant, http, emulator_url
        self.pool = surgery.pool
        self.payload = RefreshToken(user_id=tenant.user_id, account_id=tenant.account_ids[0])

    async def refresh(self):
        """One delivery of the job."""
        job = new_job(JobType.TOKEN_REFRESH, self.payload, subject=str(self.payload.account_id))
        return await refresh_token(self.surgery, job, self.payload)

    async def token(self):
        row = await self.row()
        return CIPHER.decrypt(
            SealedToken(key_id=row["key_id"], ciphertext=row["sealed"]),
            user_id=self.payload.user_id,
            row_id=self.payload.account_id,
            column="access_token",
        )

    async def row(self):
        """The account with its token, and how far off its times are, in days."""
        return await self.pool.fetchrow("""
            SELECT a.state, a.state_reason, a.token_expires_at, t.*, now() - t.obtained_at AS age,
                   extract(epoch FROM a.token_expires_at - now())::float8 / 86400 AS expires_in,
                   extract(epoch FROM t.refresh_at - now())::float8 / 86400 AS refresh_in
            FROM accounts AS a JOIN account_tokens AS t ON t.account_id = a.id
        """)

    async def store(self, token):
        """As if the owner had given it."""
        sealed = CIPHER.encrypt(
            token, user_id=self.payload.user_id, row_id=self.payload.account_id, column="access_token"
        )
        await self.pool.execute("UPDATE account_tokens SET sealed = $1", sealed.ciphertext)

    async def events(self):
        return [row["type"] for row in await self.pool.fetch("SELECT type FROM events ORDER BY created_at")]

    async def asked(self):
        """Whose renewal waits in the outbox."""
        rows = await self.pool.fetch("DELETE FROM outbox WHERE type = 'token:refresh' RETURNING subject")
        return [row["subject"] for row in rows]

    async def pass_days(self, days):
        """The same time passes for the product, whose clock is the database's, and for the platform."""
        await self.pool.execute(
            """
            WITH tokens AS (
                UPDATE account_tokens
                SET obtained_at = obtained_at - $1::interval, refresh_at = refresh_at - $1,
                    refreshing_until = refreshing_until - $1
            )
            UPDATE accounts SET token_expires_at = token_expires_at - $1
            """,
            timedelta(days=days),
        )
        await self.control("clock", advance_s=days * DAY_S)

    async def control(self, path, **body):
        async with self.http.post(f"{self.emulator_url}/_emulator/{path}", json=body) as answer:
            assert answer.status < 300, await answer.text()

    def before_asking(self, act):
        """Have something happen between the worker's first look at the token and its call."""
        ask = self.surgery.graph.refresh_token

        async def act_and_ask(account):
            self.surgery.graph.refresh_token = ask
            await act()
            return await ask(account)

        self.surgery.graph.refresh_token = act_and_ask

    async def someone_waits(self):
        """Whether a statement waits for a lock."""
        return await self.pool.fetchval("""
            SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()
        """)

    async def calls(self):
        url = f"{self.emulator_url}/_emulator/calls"
        async with self.http.get(url, params={"endpoint": "refresh_token"}) as answer:
            return len(await answer.json())


@pytest.fixture
def options():
    """How the platform's stand-in behaves."""
    return Options()


@pytest.fixture
async def clinic(database_url, redis_url, options):
    """Everything a renewal needs, on real servers."""
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(await create_pool(database_url, application_name="test"))
        cache = await stack.enter_async_context(open_cache(redis_url))
        emulator = TestServer(create_app(options=options))
        await emulator.start_server()
        stack.push_async_callback(emulator.close)
        url = str(emulator.make_url("")).rstrip("/")
        http = await stack.enter_async_context(ClientSession())
        session = await stack.enter_async_context(open_graph_session())
        async with http.post(f"{url}/_emulator/accounts", json={"count": 1}) as answer:
            [account] = await answer.json()
        tenant = await seed_tenant(pool, instagram=[(account["ig_user_id"], account["access_token"])])
        await pool.execute("UPDATE accounts SET token_expires_at = now() + interval '60 days'")
        gate = await stack.enter_async_context(open_gate(redis_url))
        usage = UsageWatch(gate)
        graph = GraphClient(session, base_url=url, version="v25.0", deadline_s=10, publish_deadline_s=10, watch=usage)
        surgery = Surgery(
            pool=pool,
            cache=cache,
            rescue_after_s=60.0,
            graph=graph,
            gate=gate,
            usage=usage,
            cipher=CIPHER,
            slots=1,
            check_every_s=21_600.0,
        )
        clinic = Clinic(surgery=surgery, tenant=tenant, http=http, emulator_url=url)
        await clinic.pass_days(30)
        yield clinic
