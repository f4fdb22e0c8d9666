"""A publisher's workbench on real servers, with the platform's stand-in behind it."""

import json
from contextlib import AsyncExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer
from uuid_utils.compat import uuid7

from deploy.emulator import Clock, Options, create_app
from services.publisher.claim import take
from services.publisher.leases import Leases
from services.publisher.publish import publish
from services.publisher.workbench import Workbench
from shared.cache import open_cache
from shared.database import create_pool
from shared.instagram import (
    ContainerCode,
    GraphAccount,
    GraphClient,
    ImageContainer,
    open_gate,
    open_graph_session,
)
from shared.jobs import JobType, PublishPublication, new_job
from shared.publications import Publication, bring_forward
from shared.security import MediaUrls, SealedToken
from tests.seeds import CIPHER, seed_publications, seed_tenant
from tests.waiting import until

PICTURE = Path("examples/picture.jpg").read_bytes()
REEL = Path("examples/reel.mp4")


class Stage:
    """A publisher's workbench, the emulator behind it, and one publication to work on."""

    def __init__(self, *, pool, work, http, session, emulator_url, clock, tenant, publication_id, ig_user_id):
        self.pool, self.work, self.http, self.session, self.clock = pool, work, http, session, clock
        self.emulator_url, self.tenant = emulator_url, tenant
        self.publication_id, self.ig_user_id = publication_id, ig_user_id

    async def run(self):
        """One delivery of the message, as the consumer would hand it over."""
        payload = PublishPublication(publication_id=self.publication_id, revision=1)
        job = new_job(JobType.POST_PUBLISH, payload, subject=str(self.publication_id))
        return await publish(self.work, job, payload)

    async def run_when_due(self):
        """The next delivery, as if the wait were over."""
        await self.pool.execute("UPDATE publications SET next_attempt_at = now() WHERE state = 'scheduled'")
        await self.pool.execute("UPDATE accounts SET quota_until = NULL")
        return await self.run()

    async def fault(self, **fault):
        async with self.http.post(f"{self.emulator_url}/_emulator/faults", json=fault) as answer:
            assert answer.status < 300, await answer.text()

    async def live(self):
        async with self.http.get(f"{self.emulator_url}/_emulator/media") as answer:
            return await answer.json()

    @staticmethod
    def keys_of(live):
        """The keys of a live post's media, in their order."""
        addresses = [shown["image_url"] or shown["video_url"] for shown in live["children"] or [live]]
        return [urlsplit(address).path.removeprefix("/media/") for address in addresses]

    async def calls(self, endpoint):
        async with self.http.get(f"{self.emulator_url}/_emulator/calls", params={"endpoint": endpoint}) as answer:
            return await answer.json()

    async def publication(self):
        """The row as workers see it."""
        row = await self.pool.fetchrow(
            "SELECT *, now() AS read_at FROM publications WHERE id = $1", self.publication_id
        )
        return Publication.from_row(row)

    async def row(self):
        return await self.pool.fetchrow("SELECT * FROM publications WHERE id = $1", self.publication_id)

    async def becomes(self, post_type, *kinds, **options):
        """Make the post one of this type, of media of these kinds in this order; returns their keys."""
        suffixes = {"image": "jpg", "video": "mp4"}
        media = [(uuid7(), kind) for kind in kinds]
        keys = [f"{media_id}.{suffixes[kind]}" for media_id, kind in media]
        await self.pool.executemany(
            """
            INSERT INTO media (id, user_id, key, kind, mime, bytes, width, height, sha256)
            VALUES ($1, $2, $3, $4, 'any', 1000, 1080, 1080, '00')
            """,
            [(media_id, self.tenant.user_id, key, kind) for (media_id, kind), key in zip(media, keys, strict=True)],
        )
        await self.pool.execute(
            "UPDATE posts SET type = $1, media_ids = $2, options = $3",
            post_type,
            [media_id for media_id, _ in media],
            json.dumps(options),
        )
        return keys

    async def long_ago(self):
        """As if the publish call had been sent long ago."""
        await self.pool.execute("UPDATE publications SET publish_sent_at = publish_sent_at - interval '10 minutes'")

    def use_graph(self, base_url, *, publish_deadline_s=1.0):
        """Another client on the same session."""
        graph = GraphClient(
            self.session,
            base_url=base_url,
            version="v25.0",
            deadline_s=5,
            publish_deadline_s=publish_deadline_s,
            watch=self.work.gate,
        )
        self.work = replace(self.work, graph=graph)

    async def claimed(self):
        publication = await take(self.work, PublishPublication(publication_id=self.publication_id, revision=1))
        assert isinstance(publication, Publication)
        return publication

    async def strangers_post(self, *, caption):
        """A post that somebody else puts on the same account; returns its id."""
        token = await self.pool.fetchrow("SELECT account_id, key_id, sealed FROM account_tokens")
        access_token = CIPHER.decrypt(
            SealedToken(key_id=token["key_id"], ciphertext=token["sealed"]),
            user_id=self.tenant.user_id,
            row_id=token["account_id"],
            column="access_token",
        )
        account = GraphAccount(ig_user_id=self.ig_user_id, access_token=access_token)
        spec = ImageContainer(image_url=self.work.media_urls.address("other.jpg"), caption=caption)
        container = await self.work.graph.create_container(account, spec)

        async def finished():
            return (await self.work.graph.container_status(account, container)).code is ContainerCode.FINISHED

        await until(finished, what="the stranger's container")
        return await self.work.graph.publish_container(account, container)


@pytest.fixture
def options():
    """How the platform's stand-in behaves."""
    return Options()


@pytest.fixture
async def stage(database_url, redis_url, options):
    """Everything the publisher needs, on real servers."""
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(await create_pool(database_url, application_name="test"))
        cache = await stack.enter_async_context(open_cache(redis_url))
        clock = Clock()
        emulator, pictures = TestServer(create_app(options=options, clock=clock)), TestServer(_pictures())
        for server in (emulator, pictures):
            await server.start_server()
            stack.push_async_callback(server.close)
        emulator_url = str(emulator.make_url("")).rstrip("/")
        http = await stack.enter_async_context(ClientSession())
        session = await stack.enter_async_context(open_graph_session())
        async with http.post(f"{emulator_url}/_emulator/accounts", json={"count": 1}) as answer:
            [account] = await answer.json()
        tenant = await seed_tenant(pool, instagram=[(account["ig_user_id"], account["access_token"])])
        [publication_id] = await seed_publications(pool, tenant)
        on_healed = partial(bring_forward, pool, rescue_after_s=60)
        gate = await stack.enter_async_context(open_gate(redis_url, on_healed=on_healed))
        graph = GraphClient(
            session, base_url=emulator_url, version="v25.0", deadline_s=5, publish_deadline_s=1, watch=gate
        )
        work = Workbench(
            pool=pool,
            graph=graph,
            gate=gate,
            cipher=CIPHER,
            cache=cache,
            leases=Leases(pool, lease_s=20),
            media_urls=MediaUrls(str(pictures.make_url("")), secret=b"s" * 32),
            worker="w1",
            lease_s=20,
            poll_in_worker_s=5,
            publish_deadline_s=1,
            rescue_after_s=60,
        )
        yield Stage(
            pool=pool,
            work=work,
            http=http,
            session=session,
            emulator_url=emulator_url,
            clock=clock,
            tenant=tenant,
            publication_id=publication_id,
            ig_user_id=account["ig_user_id"],
        )


def _pictures():
    async def picture(request):
        if request.match_info["key"].endswith(".mp4"):
            return web.FileResponse(REEL)
        return web.Response(body=PICTURE, content_type="image/jpeg")

    app = web.Application()
    app.router.add_get("/media/{key}", picture)
    return app
