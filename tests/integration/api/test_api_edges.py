"""What holds for every route: who asks, how errors look, what each answer carries."""

from __future__ import annotations

import asyncio
import gzip
import re
from dataclasses import replace
from uuid import uuid4

import asyncpg
import pytest
from prometheus_client import REGISTRY

from tests.wishes import in_hours


def is_problem(answer, status: int, code: str) -> bool:
    keys = {"type", "title", "status", "detail", "code", "errors", "request_id", "retryable"}
    return (
        (answer.status, answer.body["code"]) == (status, code)
        and answer.headers["Content-Type"].startswith("application/problem+json")
        and keys <= set(answer.body)
        and answer.body["request_id"] == answer.headers["X-Request-ID"]
        and answer.body["status"] == status
    )


async def test_references_to_another_tenants_things_are_unknown(gateway, alice, bob):
    """Ids inside a body are held to the same rule as ids in a path, and nothing is written."""
    accounts = await alice.add_accounts(1)
    group = await alice.add_group(accounts)
    post = await alice.add_post()
    media = (await alice.get(f"/v1/posts/{post}")).body["media_ids"]
    bobs_accounts, bobs_post = await bob.add_accounts(1, first=50), await bob.add_post()
    bobs_media = (await bob.get(f"/v1/posts/{bobs_post}")).body["media_ids"]
    bobs_group = await bob.add_group(bobs_accounts)
    window = {"from": in_hours(1), "to": in_hours(2)}
    before = await tables(gateway)

    for path, body in (
        ("/v1/groups", {"name": "x", "account_ids": accounts}),
        ("/v1/posts", {"media_ids": media}),
        ("/v1/posts", {"media_ids": bobs_media, "overrides": {accounts[0]: {"caption": "x"}}}),
        (f"/v1/posts/{bobs_post}/publish", {"account_ids": accounts}),
        (f"/v1/posts/{bobs_post}/publish", {"group_id": group}),
        ("/v1/distributions", {"post_id": post, "group_id": bobs_group, "window": window}),
        ("/v1/distributions", {"post_id": bobs_post, "group_id": group, "window": window}),
    ):
        answer = await bob.post(path, json=body)
        assert is_problem(answer, 404, "not_found"), (path, body, answer.body)
    for method in ("PUT", "DELETE"):
        answer = await bob.call(method, f"/v1/groups/{bobs_group}/accounts/{accounts[0]}")
        assert is_problem(answer, 404, "not_found")

    assert await tables(gateway) == before


@pytest.mark.parametrize("change", ["revoked_at = now()", "expires_at = now()"])
async def test_a_key_that_was_revoked_or_expired_is_refused(gateway, alice, change):
    """A key is only as good as its row."""
    await gateway.rows(f"UPDATE api_keys SET {change}")  # noqa: S608 - the test's own text

    assert is_problem(await alice.get("/v1/me"), 401, "unauthenticated")


async def test_errors_of_the_server_itself_are_problems_too(alice):
    """Unknown paths and methods, and bodies over the limit, are answered like every other error."""
    assert is_problem(await alice.get("/nothing/here"), 404, "not_found")
    assert is_problem(await alice.get("/v1/accounts/not-an-id"), 404, "not_found")
    wrong_method = await alice.call("PATCH", "/v1/me")
    assert is_problem(wrong_method, 405, "method_not_allowed")
    assert wrong_method.headers["Allow"] == "GET"
    assert is_problem(await alice.post("/v1/groups", data=b"x" * 1_048_577), 413, "body_too_large")


async def test_what_is_no_http_is_answered_with_a_problem(gateway):
    """Even a request that cannot be parsed gets the usual form, and no word of the inside."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(gateway.url.rpartition(":")[2]))
    writer.write(b"GET /v1/me HTTP/1.1\r\nbroken header\r\n\r\n")

    answer = await asyncio.wait_for(reader.read(), 5)
    writer.close()
    await writer.wait_closed()

    assert answer.startswith(b"HTTP/1.0 400 ")
    assert b"application/problem+json" in answer
    assert b'"code":"malformed_request"' in answer
    assert b"broken" not in answer


async def test_a_crash_tells_nothing_of_the_inside(gateway, alice):
    """A failure nobody foresaw is a 500 with a request id and without internals."""
    await gateway.rows("ALTER TABLE groups RENAME TO gone")

    answer = await alice.get("/v1/groups", headers={"X-Request-ID": "find-me-in-the-log"}, crash_expected=True)

    assert is_problem(answer, 500, "internal_error")
    assert answer.body["request_id"] == "find-me-in-the-log"
    assert b"groups" not in answer.content


async def test_a_database_that_is_away_is_503_and_the_gateway_comes_back(gateway, alice):
    """While PostgreSQL refuses, clients are told to come again; afterwards everything works without a restart."""
    name = gateway.deps.settings.database_url.rpartition("/")[2]
    admin = gateway.deps.settings.database_url.replace(name, "postgres")
    connection = await asyncpg.connect(admin)
    await connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    await connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name)
    away = await alice.get("/v1/groups")
    ready_away = await alice.get("/readyz")
    await connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    await connection.close()

    assert is_problem(away, 503, "not_ready")
    assert away.headers["Retry-After"] == "1"
    assert away.body["retryable"] is True
    assert ready_away.status == 503
    assert (await alice.get("/v1/groups")).status == 200
    assert (await alice.get("/readyz")).status == 200


async def test_the_gateway_serves_without_redis(settings, run_gateway):
    """A cache that is not there costs speed, never an answer."""
    async with run_gateway(replace(settings, redis_url="redis://127.0.0.1:1/0")) as gateway:
        alice = await gateway.client("alice@example.com")
        await alice.add_accounts(2)

        assert len((await alice.get("/v1/accounts")).body["data"]) == 2
        assert (await alice.get("/v1/swarm/health")).body["accounts"] == 2
        assert (await alice.get("/readyz")).status == 200


REQUEST_IDS = [("abcdefgh", True), ("A-b_9" * 5, True), ("short", False), ("x" * 65, False), ("semi;colon;", False)]


async def test_every_answer_tells_its_request_id_and_its_time(alice):
    """A fit id of the client's is kept, any other replaced; the time is there on success and failure alike."""
    for given, kept in REQUEST_IDS:
        for path in ("/v1/me", "/v1/nothing", "/healthz"):
            answer = await alice.get(path, headers={"X-Request-ID": given})

            assert (answer.headers["X-Request-ID"] == given) is kept
            assert re.fullmatch(r"[A-Za-z0-9_-]{8,64}", answer.headers["X-Request-ID"])
            assert re.fullmatch(r"\d+\.\d\dms", answer.headers["X-Response-Time"])


async def test_requests_are_counted_under_the_template_of_their_route(alice):
    """Metrics never hold an id, and unknown paths share one label."""
    await alice.get(f"/v1/groups/{uuid4()}")
    await alice.get(f"/v1/{uuid4()}")

    routes = {
        sample.labels["route"]
        for metric in REGISTRY.collect()
        if metric.name == "instadistro_http_request_duration_seconds"
        for sample in metric.samples
    }
    assert {"/v1/groups/{id}", "unmatched"} <= routes
    assert not any(re.search(r"[0-9a-f]{8}-", route) for route in routes)


BAD_BODIES = [
    (b"", 400, "malformed_json", None),
    (b'{"name": "x"', 400, "malformed_json", None),
    (b'{"name": "\\ud800"}', 400, "malformed_json", None),
    (b"[" * 100_000, 422, "validation_failed", ""),
    (b"[]", 422, "validation_failed", ""),
    (b"{}", 422, "validation_failed", "name"),
    (b'{"name": 5}', 422, "validation_failed", "name"),
    (b'{"name": "x", "owner": "y"}', 422, "validation_failed", "owner"),
    (b'{"name": "x", "account_ids": ["y"]}', 422, "validation_failed", "account_ids[0]"),
    (b'{"name": "x", "tags": ["a\\u0000b"]}', 422, "validation_failed", "tags[0]"),
    (b'{"name": ""}', 422, "validation_failed", "name"),
    (b'{"name": "x", "color": "red"}', 422, "validation_failed", "color"),
]


async def test_bodies_that_do_not_fit_are_refused_with_their_place(gateway, alice):
    """A client is told what is wrong and where, and nothing is written."""
    for body, status, code, path in BAD_BODIES:
        answer = await alice.post("/v1/groups", data=body)

        assert is_problem(answer, status, code), answer.body
        if path is not None:
            assert answer.body["errors"][0]["path"] == path
        assert await gateway.count("groups") == 0


BAD_QUERIES = [
    ("limit=ten", 400, "invalid_limit"),
    ("cursor=made-up", 400, "invalid_cursor"),
    ("stat=ACTIVE", 422, "validation_failed"),
    ("state=active", 422, "validation_failed"),
    ("tag=a&tag=b", 422, "validation_failed"),
    ("tag=%00", 422, "validation_failed"),
]


async def test_queries_that_mean_nothing_are_refused(alice):
    """A misspelt filter never lists everything."""
    for query, status, code in BAD_QUERIES:
        assert is_problem(await alice.get(f"/v1/accounts?{query}"), status, code)


async def tables(gateway) -> list[int]:
    names = ("accounts", "groups", "group_members", "media", "posts", "publications", "distributions", "outbox")
    return [await gateway.count(name) for name in names]


async def test_a_compressed_body_is_refused_unread(alice):
    """A small body that would unpack to gigabytes is not unpacked."""
    for path in ("/v1/groups", "/v1/accounts/import", "/v1/media"):
        headers = {"Content-Encoding": "gzip", "Content-Type": "text/csv"}
        answer = await alice.post(path, data=gzip.compress(bytes(1_000_000)), headers=headers)

        assert is_problem(answer, 415, "unsupported_media_type"), answer.body


async def test_an_answer_tells_nothing_of_what_the_server_is_made_of(alice):
    """No versions for whoever looks for weak ones."""
    for path in ("/v1/me", "/nothing"):
        assert (await alice.get(path)).headers["Server"] == "InstaDistro"


JSON = {"Content-Type": "application/json"}
MULTIPART = {"Content-Type": "multipart/form-data; boundary=a"}


@pytest.mark.parametrize(
    ("path", "body", "headers"),
    [
        ("/v1/groups", b'{"name": "Caf\xe9"}', JSON),
        ("/v1/accounts", b'{"a": ' + b"[" * 700 + b'"\\u0000"' + b"]" * 700 + b"}", JSON),
        ("/v1/accounts/import", b"--a\r\nnocolon\r\n\r\nx\r\n--a--\r\n", MULTIPART),
        (
            "/v1/media",
            b'--a\r\nContent-Disposition: form-data; name="_charset_"\r\n\r\n' + b"x" * 100 + b"\r\n--a--\r\n",
            MULTIPART,
        ),
    ],
    ids=["Latin-1", "deep", "a header that is none", "a charset that is none"],
)
async def test_a_body_that_is_not_what_it_says_is_the_clients_fault(alice, path, body, headers):
    """A 4xx with a code, never a crash of ours."""
    answer = await alice.call("POST", path, data=body, headers=headers)

    assert 400 <= answer.status < 500
    assert answer.body["code"] in {"malformed_json", "malformed_request", "validation_failed"}


async def test_a_parameter_that_a_route_does_not_know_is_refused_not_passed_over(alice):
    """`dry_run` where there is none would publish for real."""
    answers = [
        await alice.call("POST", f"/v1/posts/{uuid4()}/publish?dry_run=true", json={}),
        await alice.get("/v1/me?x=1"),
    ]

    assert [(answer.status, answer.body["code"]) for answer in answers] == [(422, "validation_failed")] * 2


async def test_a_tenants_slow_uploads_do_not_stop_anothers(alice, bob):
    """A tenant holds a few of the places; the others stay free."""
    entered, release = asyncio.Semaphore(0), asyncio.Event()

    async def slow():
        yield b"x"
        entered.release()
        await release.wait()

    stuck = [
        asyncio.create_task(
            alice.call("POST", "/v1/accounts/import", data=slow(), headers={"Content-Type": "text/csv"})
        )
        for _ in range(40)
    ]
    for _ in stuck:
        await entered.acquire()

    answer = await bob.import_csv("username,instagram_user_id,access_token\ncafe,1001,TOKEN-of-bob")
    release.set()
    await asyncio.gather(*stuck)

    assert answer.status == 200
