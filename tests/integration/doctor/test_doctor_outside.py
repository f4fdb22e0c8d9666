"""The platform, the public address, the media, and the services of a private system."""

from __future__ import annotations

import os
import socket
from contextlib import asynccontextmanager
from email.utils import formatdate
from urllib.request import Request, urlopen

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from moto.server import ThreadedMotoServer

from deploy.doctor import Level
from deploy.local.run_record import RunRecord
from shared.lifecycle import serve_probes
from tests.trusted_tls import server_context

HOUR_S = 3600


@asynccontextmanager
async def answering(body, *, status=400, tls=None, **headers):
    """A server with one answer to everything."""

    async def answer(_request):
        if isinstance(body, str):
            return web.Response(text=body, status=status, content_type="text/html", headers=headers)
        return web.json_response(body, status=status, headers=headers)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    server = TestServer(app)
    await server.start_server(ssl=tls)
    try:
        yield str(server.make_url("")).rstrip("/")
    finally:
        await server.close()


GRAPH_REFUSAL = {"error": {"message": "An access token is required", "type": "OAuthException", "code": 104}}


async def test_a_platform_that_cannot_be_reached_is_one_finding(patient, tmp_path):
    """Nobody there, an unknown name, a certificate that nobody vouches for, no TLS at all."""
    serving, _ = server_context(tmp_path)
    async with answering(GRAPH_REFUSAL, tls=serving) as untrusted:
        broken = {
            "nobody listens there": "http://127.0.0.1:1",
            "its host name is not known": "https://graph.invalid",
            "its certificate is not trusted": untrusted,
            "does not speak TLS": patient.environ["INSTAGRAM_GRAPH_URL"].replace("http:", "https:"),
        }
        for words, url in broken.items():
            patient.environ["INSTAGRAM_GRAPH_URL"] = url
            finding = await patient.only_ill("platform.answers")

            assert words in finding.says


async def test_what_is_not_the_graph_api_is_found(patient):
    """A login page in between, and a platform that is down."""
    async with answering("<h1>Please log in</h1>", status=200) as login, answering(GRAPH_REFUSAL, status=503) as down:
        patient.environ["INSTAGRAM_GRAPH_URL"] = login
        page = await patient.only_ill("platform.answers")
        patient.environ["INSTAGRAM_GRAPH_URL"] = down
        error = await patient.only_ill("platform.answers")

    assert "is not the Graph API" in page.says
    assert "answers with HTTP 503" in error.says


async def test_an_app_that_the_platform_refuses_is_found(patient):
    """The platform's words are told, without the app's secret."""
    secret = patient.environ["INSTAGRAM_APP_SECRET"]
    said = f"Error validating client secret {secret}."
    refusal = {"error_type": "OAuthException", "code": 400, "error_message": said}

    async def answer(request):
        return web.json_response(refusal if request.method == "POST" else GRAPH_REFUSAL, status=400)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    async with TestServer(app) as server:
        patient.environ["INSTAGRAM_GRAPH_URL"] = str(server.make_url("")).rstrip("/")
        finding = await patient.only_ill("platform.app")

    assert "Error validating client secret" in finding.says
    assert secret not in finding.says + finding.do


async def test_a_clock_other_than_the_platforms_is_found(patient):
    """The database agrees with this machine, and the platform does not."""
    async with answering(GRAPH_REFUSAL, Date=formatdate(HOUR_S, usegmt=True)) as url:
        patient.environ["INSTAGRAM_GRAPH_URL"] = url
        finding = await patient.only_ill("platform.clock")

    assert "ahead of the platform's" in finding.says


async def test_a_public_address_that_does_not_lead_to_the_gateway_is_found(patient):
    """Nobody there, and somebody else there."""
    patient.environ["PUBLIC_URL"] = "http://127.0.0.1:1"
    nobody = await patient.only_ill("public.fetch")
    async with answering("<h1>It works!</h1>", status=404) as other, answering("<h1>Log in</h1>", status=200) as login:
        patient.environ["PUBLIC_URL"] = other
        somebody = await patient.only_ill("public.fetch")
        patient.environ["PUBLIC_URL"] = login
        page = await patient.only_ill("public.fetch")

    assert "no connection was made" in nobody.says
    assert "is not the gateway" in somebody.says
    assert "a web page" in page.says


@pytest.fixture
def s3(monkeypatch):
    """An S3 server with a bucket, in the environment as the library reads it."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    values = {"AWS_ENDPOINT_URL": f"http://{host}:{port}", "AWS_ACCESS_KEY_ID": "name", "AWS_REGION": "us-east-1"}
    for name, value in {**values, "AWS_SECRET_ACCESS_KEY": os.urandom(8).hex()}.items():
        monkeypatch.setenv(name, value)
    with urlopen(Request(f"http://{host}:{port}/there", method="PUT"), timeout=20):
        pass
    yield
    server.stop()


@pytest.mark.usefixtures("s3")
async def test_a_bucket_that_cannot_be_used_is_found(patient, monkeypatch):
    """One that is there is well; another name, and a server that is away, are not."""
    patient.environ["MEDIA_STORE"] = "s3://there/media"
    there = await patient.ills()
    patient.environ["MEDIA_STORE"] = "s3://lost/media"
    lost = await patient.only_ill("media.store")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    away = await patient.only_ill("media.store")

    assert there == {}
    assert lost.says == "There is no bucket 'lost'."
    assert "cannot be asked" in away.says


async def test_services_that_are_not_ready_are_found(patient):
    """In a private system: one does not answer, one misses its broker."""

    async def broken():
        raise ConnectionError

    async with (
        serve_probes(host="127.0.0.1", port=(port := _free_port()), checks={"broker": broken}),
        serve_probes(host="127.0.0.1", port=(fine := _free_port()), checks={}),
    ):
        ports = {"api_internal": fine, "scheduler_internal": port, "publisher_internal": 1, "health_internal": fine}
        record = RunRecord(pid=os.getpid(), born="", started_at="", ports=ports)
        found = [each for each in await patient.examine(record=record) if each.level is Level.FAILED]

    assert {each.check for each in found} == {"services.ready"}
    assert [each.says for each in found] == [
        "The service scheduler is not ready: it misses broker.",
        "The service publisher does not answer on port 1.",
    ]


def _free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
