"""No secret and no body in a log line, a metric, an error answer or a dead job, whatever fails; every line is JSON."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from secrets import token_hex
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
import pytest_asyncio

from deploy.local import Instance
from deploy.local.account import server_account
from deploy.local.own_parts import SERVICES
from shared.logs import LINE_BYTES_MAX
from tests.forward_proxy import forward_proxy
from tests.receivers import Receiver, serving
from tests.secret_bearers import Bearer, bearing_system
from tests.told_secrets import Detector
from tests.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="session")

PICTURE = Path("examples/picture.jpg")
_OURS = (*SERVICES, "migrate", "emulator")
_DEADLINE_S = 90.0
_EXPIRES = "2099-12-31T23:59:59+00:00"
_TROUBLED = ("well", "quoted", "behind proxy", "refused")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def driven(tmp_path_factory, enterable_directory):
    """A system after good and bad requests of every kind that holds a secret."""
    instance = Instance(directory=enterable_directory / "bearer", account=server_account())
    accounts = tmp_path_factory.mktemp("bearer") / "accounts.csv"
    tokens = {name: f"{token_hex(16)}-{index}-of-nobody" for index, name in enumerate(_TROUBLED)}
    accounts.write_text(_csv(tokens), encoding="utf-8")
    async with bearing_system(instance, accounts) as bearer:
        bearer.secrets |= {f"token: {name}": token for name, token in tokens.items()}
        await _drive(bearer)
        yield bearer


def _csv(tokens):
    rows = [
        f"{name.replace(' ', '_')},1784149{index:010},{token},{_EXPIRES}," for index, (name, token) in _counted(tokens)
    ]
    return "\n".join(["username,instagram_user_id,access_token,token_expires_at,tags", *rows, ""])


def _counted(tokens):
    return enumerate(tokens.items(), 1)


async def _drive(bearer: Bearer) -> None:
    tokens = {name: bearer.secrets[f"token: {name}"] for name in _TROUBLED}
    async with forward_proxy(credentials=("leaver", bearer.secret("password that the proxy wants"))) as proxy:
        receiver = Receiver(status=500)
        async with serving(receiver):
            await _ask_badly(bearer)
            await _connect(bearer)
            await _add_webhook(bearer, receiver)
            accounts = await _add_accounts(bearer, tokens, proxy_port=proxy.port)
            await _publish(bearer, accounts, tokens)
            await _crash(bearer)
            await until(lambda: _seen(bearer, receiver), what="every failure, in the logs", deadline_s=_DEADLINE_S)


async def _ask_badly(bearer: Bearer) -> None:
    """Wrong keys, broken bodies, tokens in the wrong places."""
    wrong = bearer.know("wrong key", f"ids_{'0' * 16}_{bearer.secret('made-up key').ljust(43, 'x')[:43]}")
    await bearer.call("GET", "/v1/me", key="wrong key")
    await bearer.call("GET", f"/v1/me?api_key={wrong}")
    token = bearer.secret("token in a broken body")
    as_json = {"Content-Type": "application/json"}
    for body in (f'{{"access_token": "{token}", ', f'["{token}"]', f'{{"caption": "{token}\ud800'):
        data = body.encode(errors="replace")
        await bearer.call("POST", "/v1/accounts", data=data, headers=as_json)
    account = {"username": "who", "instagram_user_id": "17841", "access_token": token, "token_expires_at": token}
    await bearer.call("POST", "/v1/accounts", json=account)
    await bearer.call("POST", "/v1/posts", json={"type": token, "caption": bearer.secret("caption of no post")})
    shifted = f"username,instagram_user_id,access_token\n17841,{token},name\n"
    await bearer.call("POST", "/v1/accounts/import", data=shifted, headers={"Content-Type": "text/csv"})
    await bearer.call("POST", "/v1/groups", json={}, headers={"Idempotency-Key": bearer.secret("idempotency key")})
    await bearer.call("GET", f"/v1/posts?cursor={bearer.secret('cursor of nobody')}")
    async with bearer.http.get(f"{bearer.url}/media/none.jpg?signature={bearer.secret('media signature')}") as answer:
        bearer.errors.append(await answer.text())


async def _connect(bearer: Bearer) -> None:
    """An OAuth code that the platform does not know, and one that it is not asked for."""
    begun = await bearer.call("POST", "/v1/accounts/connect", json={})
    state = parse_qs(urlsplit(begun["authorize_url"]).query)["state"][0]
    bearer.know("oauth state", state)
    code = bearer.secret("oauth code")
    await bearer.call("GET", f"/v1/oauth/instagram/callback?state={state}&code={code}")
    await bearer.call("GET", f"/v1/oauth/instagram/callback?state={state}&code={code}")


async def _add_webhook(bearer: Bearer, receiver: Receiver) -> None:
    """A receiver that answers 500, at an address that holds a password of its own."""
    url = f"{receiver.url}/{bearer.secret('path of a webhook')}?key={bearer.secret('query of a webhook')}"
    webhook = await bearer.call("POST", "/v1/webhooks", json={"url": url})
    bearer.know("webhook secret", webhook["secret"].removeprefix("whsec_"))


async def _add_accounts(bearer: Bearer, tokens, *, proxy_port):
    """Four accounts: one is well, one's token gets quoted by the platform, one has no way out, one's is stale."""
    credentials = {"username": "leaver", "password": bearer.secret("wrong proxy password")}
    proxy = {"name": "way out", "scheme": "http", "host": "127.0.0.1", "port": proxy_port, "credentials": credentials}
    made = await bearer.call("POST", "/v1/proxies", json=proxy)
    await bearer.call("POST", f"/v1/proxies/{made['id']}/test")
    rows = [
        {"username": name.replace(" ", "_"), "instagram_user_id": f"1784149{index:010}", "access_token": token}
        for index, (name, token) in _counted(tokens)
    ]
    rows[2]["proxy_id"] = made["id"]
    rows[3]["access_token"] = bearer.secret("stale token")
    imported = await bearer.call("POST", "/v1/accounts/import", json=rows)
    return dict(zip(tokens, imported["accounts"], strict=True))


async def _publish(bearer: Bearer, accounts, tokens) -> None:
    """A post to each; the platform quotes token and caption in what it refuses with."""
    media = await bearer.call("POST", "/v1/media", data=_picture())
    address = parse_qs(urlsplit(media["url"]).query)
    bearer.know("signature of a media address", address["signature"][0])
    caption = bearer.secret("caption")
    message = f"Invalid OAuth access token {tokens['quoted']} for '{caption}' at {media['url']}"
    await bearer.order_fault(
        endpoint="any", kind="error", ig_user_id="17841490000000002", times=50, code=100, message=message
    )
    post = await bearer.call(
        "POST", "/v1/posts", json={"type": "image", "caption": caption, "media_ids": [media["id"]]}
    )
    for account_id in accounts.values():
        await bearer.call("POST", f"/v1/posts/{post['id']}/publish", json={"account_ids": [account_id]})
    begin = datetime.now(UTC) + timedelta(days=1)
    window = {"from": begin.isoformat(), "to": (begin + timedelta(hours=1)).isoformat()}
    await bearer.call(
        "POST", "/v1/distributions", json={"post_id": post["id"], "group_id": post["id"], "window": window}
    )


def _picture():
    form = aiohttp.FormData()
    form.add_field("file", PICTURE.read_bytes(), filename="picture.jpg", content_type="image/jpeg")
    return form


async def _crash(bearer: Bearer) -> None:
    """The database refuses rows, and quotes them whole; a job's payload cannot be read."""
    caption = bearer.secret("caption that crashes")
    await bearer.execute(f"ALTER TABLE posts ADD CONSTRAINT crash CHECK (caption <> '{caption}') NOT VALID")
    await bearer.call("POST", "/v1/posts", json={"type": "story", "caption": caption})
    media = (await bearer.call("GET", "/v1/media"))["data"][0]
    crashed = await bearer.call(
        "POST", "/v1/posts", json={"type": "image", "caption": caption, "media_ids": [media["id"]]}
    )
    assert crashed["code"] == "internal_error"
    await bearer.execute("ALTER TABLE health_scores ADD CONSTRAINT crash CHECK (score < 0) NOT VALID")
    unreadable = json.dumps({"account_id": bearer.secret("payload of a dead job")})
    await bearer.execute(
        """INSERT INTO outbox (type, subject, exchange, routing_key, priority, payload, headers, due_at)
           VALUES ('health:check', 'dead', 'jobs', 'now.health.health:check', 2, $1,
                   '{"x-job-id": "0190ffff-0000-7000-8000-000000000000"}', now())""",
        unreadable,
    )


async def _seen(bearer: Bearer, receiver: Receiver):
    """Whether everything that was to go wrong has, and was written down."""
    events = {json.loads(line)["event"] for _, line in bearer.lines(*SERVICES)}
    wanted = {
        "request.crashed",
        "publication.written",
        "dead_jobs.parked",
        "outbox.sent",
        "job.done",
        "account.not_judged",
        "job.failed",
    }
    states = await bearer.execute("SELECT state FROM publications WHERE state = 'published'")
    return wanted <= events and states and receiver.requests


async def test_no_log_line_holds_a_secret(driven):
    """Neither of the services, the migrations and the emulator, nor of the servers beside them."""
    detector = driven.detector
    servers = [file.read_text(encoding="utf-8", errors="replace") for file in driven.log_file.parent.glob("*.log")]

    assert len(driven.secrets) > 25
    told = {(name, secret) for name, line in driven.lines(*_OURS) for secret in detector.told(line)}
    assert told == set()
    assert {secret for text in servers for secret in detector.told(text)} == set()


async def test_no_metric_error_answer_or_dead_job_holds_a_secret(driven):
    """Nor do the tries that a tenant is shown, but for its own words where the platform quotes them."""
    detector = driven.detector
    metrics = [await driven.metrics(service) for service in SERVICES]
    dead = await driven.execute("SELECT reason, error, headers::text FROM dead_jobs")
    attempts = await driven.execute("SELECT to_jsonb(a)::text AS row FROM publication_attempts AS a")

    assert {secret for text in metrics for secret in detector.told(text)} == set()
    assert [(detector.told(text), text) for text in driven.errors if detector.told(text)] == []
    assert dead
    assert {secret for row in dead for secret in detector.told(str(dict(row)))} == set()
    assert {secret for row in attempts for secret in detector.told(row["row"])} <= {"caption"}


async def test_every_line_is_one_json_object(driven):
    """With the time, the level, the event and the service; and short enough for every collector."""
    lines = driven.lines(*_OURS)

    assert {name for name, _ in lines} == set(_OURS)
    for name, line in lines:
        fields = json.loads(line)
        assert list(fields)[:4] == ["ts", "level", "event", "service"], line
        assert fields["service"] == name
        assert len(line.encode()) <= LINE_BYTES_MAX


async def test_lines_of_requests_and_jobs_say_whose_they_are(driven):
    """A request's carry its id and trace, a job's its id, type, attempt and trace; both go on through services."""
    lines = [json.loads(line) for _, line in driven.lines(*SERVICES)]
    published = next(
        line for line in lines if line["event"] == "publication.written" and line.get("state") == "published"
    )
    way = [line for line in lines if line.get("trace_id") == published["trace_id"]]

    requests = [line for line in lines if line["event"].startswith("request.")]
    jobs = [line for line in lines if line["event"].startswith(("job.", "publication.written"))]
    assert all({"request_id", "trace_id"} <= set(line) for line in requests)
    assert all({"job_id", "job_type", "attempt", "trace_id"} <= set(line) for line in jobs)
    assert {line["service"] for line in way} >= {"api", "scheduler", "publisher"}
    assert {line.get("type") for line in way} >= {"post:publish", "publication.published"}
    assert len({line["request_id"] for line in way if "request_id" in line}) == 1


async def test_the_search_finds_what_is_planted(driven):
    """The same search over the same lines fails if one of them tells a secret."""
    name, line = driven.lines("api")[-1]
    planted = line[:-1] + f', "note": "{driven.secrets["api key"]}"}}'

    assert name == "api"
    assert Detector(driven.secrets).told(planted) == {"api key"}
