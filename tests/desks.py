"""What collecting numbers needs, on real servers, with the platform's stand-in."""

import json
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from deploy.emulator import create_app
from services.health.collect_analytics import Collection, collect_analytics
from shared.database import create_pool
from shared.instagram import GraphClient, open_gate, open_graph_session
from shared.jobs import CollectAnalytics, JobType, new_job
from tests.seeds import CIPHER, seed_publications, seed_tenant

PICTURE = Path("examples/picture.jpg").read_bytes()


class Desk:
    """What collecting needs, and one account that can publish."""

    def __init__(self, *, collection, tenant, http, emulator_url, account, picture_url):
        self.collection, self.tenant, self.http, self.url = collection, tenant, http, emulator_url
        self.account, self.picture_url, self.pool = account, picture_url, collection.pool
        self.payload = CollectAnalytics(user_id=tenant.user_id, account_id=tenant.account_ids[0])

    async def collect(self):
        """One delivery of the job."""
        job = new_job(JobType.ANALYTICS_PROCESS, self.payload, subject=str(self.payload.account_id))
        await collect_analytics(self.collection, job, self.payload)

    async def published(self, *, age_s, kind="image", media_id=None):
        """A publication of that age, live at the platform unless its medium is named."""
        [publication_id] = await seed_publications(self.pool, self.tenant)
        await self.pool.execute("UPDATE posts SET type = $1", kind)
        await self.pool.execute(
            """
            UPDATE publications
            SET state = 'published', media_id = $2, published_at = now() - $3::float8 * interval '1 second'
            WHERE id = $1
            """,
            publication_id,
            media_id or await self._post(kind),
            age_s,
        )
        return publication_id

    async def _post(self, kind):
        node = self.account["ig_user_id"]
        story = {"media_type": "STORIES"} if kind == "story" else {}
        made = await self._graph(f"{node}/media", image_url=self.picture_url, **story)
        return (await self._graph(f"{node}/media_publish", creation_id=made["id"]))["id"]

    async def _graph(self, path, **form):
        headers = {"Authorization": f"Bearer {self.account['access_token']}"}
        async with self.http.post(f"{self.url}/v25.0/{path}", data=form, headers=headers) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def fault(self, endpoint, **fault):
        body = {"endpoint": endpoint, "times": 1, **fault}
        async with self.http.post(f"{self.url}/_emulator/faults", json=body) as answer:
            assert answer.status < 300, await answer.text()

    async def calls(self):
        """How often insights and profile were asked for."""
        counts = []
        for endpoint in ("get_account", "account_insights", "media_insights"):
            async with self.http.get(f"{self.url}/_emulator/calls", params={"endpoint": endpoint}) as answer:
                counts.append(len(await answer.json()))
        return tuple(counts)

    async def snapshots(self, source=None):
        rows = await self.pool.fetch(
            "SELECT * FROM analytics_snapshots WHERE source = coalesce($1, source) ORDER BY window_to", source
        )
        return [dict(row) | {"metrics": json.loads(row["metrics"])} for row in rows]

    async def due_in_s(self):
        return await self.pool.fetchval(
            "SELECT extract(epoch FROM analytics_due_at - now())::float8 FROM health_checks"
        )


@asynccontextmanager
async def collecting(database_url, redis_url, options):
    """A desk whose platform behaves as the options say."""

    async def serve(_request):
        return web.Response(body=PICTURE, content_type="image/jpeg")

    pictures = web.Application()
    pictures.router.add_get("/picture.jpg", serve)
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(TestServer(pictures))
        emulator = await stack.enter_async_context(TestServer(create_app(options=options)))
        url = str(emulator.make_url("")).rstrip("/")
        pool = await stack.enter_async_context(await create_pool(database_url, application_name="test"))
        http = await stack.enter_async_context(ClientSession())
        session = await stack.enter_async_context(open_graph_session())
        async with http.post(f"{url}/_emulator/accounts", json={"count": 1}) as answer:
            [account] = await answer.json()
        tenant = await seed_tenant(pool, instagram=[(account["ig_user_id"], account["access_token"])])
        await pool.execute("INSERT INTO health_checks (account_id, user_id) SELECT id, user_id FROM accounts")
        gate = await stack.enter_async_context(open_gate(redis_url))
        graph = GraphClient(session, base_url=url, version="v25.0", deadline_s=10, publish_deadline_s=10, watch=gate)
        collection = Collection(pool=pool, graph=graph, gate=gate, cipher=CIPHER)
        yield Desk(
            collection=collection,
            tenant=tenant,
            http=http,
            emulator_url=url,
            account=account,
            picture_url=str(server.make_url("/picture.jpg")),
        )
