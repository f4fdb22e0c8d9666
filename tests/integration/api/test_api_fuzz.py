"""Schemathesis asks every operation of the description, with what fits it and with what does not."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import hypothesis
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, strategies
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.contract import document

# For each operation; set more for a longer search.
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "2"))
CHECKS = [
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
# It streams until the client goes away, so that there is no whole answer to look at.
ENDLESS = {"stream_events"}
# They are not ready, and say so, because what they ask does not answer here.
ASK_OTHERS = {"accounts_verify", "jobs_show_queues"}
# What takes something away comes last, so that the others find it.
ORDER = ["get", "patch", "put", "post", "delete"]


@pytest.fixture
def settings(settings):
    """With a platform that is never there."""
    return replace(settings, instagram_graph_url="http://127.0.0.1:9")


@pytest.fixture
async def tenant(gateway):
    """An operator that has one of everything."""
    client = await gateway.client("fuzz@example.com", operator=True)
    accounts = await client.add_accounts(5)
    group = await client.add_group(accounts)
    post = await client.add_post()
    begin = datetime.now(UTC) + timedelta(hours=1)
    window = {"from": begin.isoformat(), "to": (begin + timedelta(hours=1)).isoformat()}
    made = [
        await client.post(f"/v1/posts/{post}/publish", json={"account_ids": accounts[:2]}),
        await client.post(
            "/v1/distributions",
            json={"post_id": post, "group_id": group, "window": window, "allow_duplicate": True},
        ),
        await client.post("/v1/proxies", json={"name": "one", "scheme": "http", "host": "proxy.invalid", "port": 9}),
        await client.post("/v1/webhooks", json={"url": "https://hook.invalid/"}),
        await client.post("/v1/api-keys", json={"name": "another", "scopes": ["read"]}),
    ]
    assert [answer.status for answer in made] == [202, 202, 201, 201, 201], [answer.body for answer in made]
    return client


async def ids_of(client):
    """The newest thing of each list, by the list's name."""
    lists = [path for path, operations in document()["paths"].items() if "get" in operations and path.count("/") == 2]
    found = {}
    for path in lists:
        answer = await client.get(path) if path.startswith("/v1/") and path != "/v1/events" else None
        if answer is not None and "data" in answer.body and answer.body["data"]:
            found[path.removeprefix("/v1/")] = str(answer.body["data"][0]["id"])
    return found


def filled(value, known):
    """The value with the ids of things that are there."""
    if isinstance(value, list):
        return [filled(part, known) for part in value]
    if not isinstance(value, dict):
        return value
    return {name: known_id(name, part, known) or filled(part, known) for name, part in value.items()}


def known_id(name, value, known):
    """What a field of this name refers to, if it is a field of ids."""
    if name.endswith("_id") and isinstance(value, str):
        return known.get(name.removesuffix("_id") + "s")
    if name.endswith("_ids") and isinstance(value, list):
        one = known.get(name.removesuffix("_ids") + "s") or known.get(name.removesuffix("_ids"))
        return None if one is None else [one]
    return None


def ask(operation, *, url, client, known):
    """Call one operation a few times; gives the statuses that came."""
    statuses = set()
    positive, negative = (operation.as_strategy(generation_mode=mode) for mode in GenerationMode)

    @hypothesis.settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @hypothesis.given(case=positive | negative, fits=strategies.sampled_from([True, False]))
    def call(case, fits):
        if fits:
            case.path_parameters = {
                name: known.get(case.path.split("/")[2] if name == "id" else name.removesuffix("_id") + "s", value)
                for name, value in (case.path_parameters or {}).items()
            }
            if case.media_type == "application/json":
                case.body = filled(case.body, known)
        checks = CHECKS if operation.definition.raw["operationId"] in ASK_OTHERS else [not_a_server_error, *CHECKS]
        answer = case.call_and_validate(
            base_url=url, headers={"Authorization": f"Bearer {client.api_key}"}, checks=checks, timeout=20
        )
        statuses.add(answer.status_code)

    call()
    return statuses


def ask_all(*, url, client, known):
    """Call every operation; gives the failures by operation, and the statuses that came."""
    schema = schemathesis.openapi.from_dict(document())
    operations = [result.ok() for result in schema.get_all_operations() if isinstance(result, Ok)]
    failures, statuses = {}, {}
    for operation in sorted(operations, key=lambda operation: ORDER.index(operation.method)):
        if operation.definition.raw["operationId"] in ENDLESS:
            continue
        try:
            statuses[operation.label] = ask(operation, url=url, client=client, known=known)
        except Exception as error:  # noqa: BLE001 - every operation is to be asked, and all that is found to be told
            failures[operation.label] = f"{type(error).__name__}: {error}"
    return failures, statuses


@pytest.mark.timeout(max(120, 60 * EXAMPLES))
async def test_every_operation_answers_as_it_is_described(gateway, tenant):
    """Whatever is sent, the answer has a status, headers and a shape that the description knows, and is no crash."""
    known = await ids_of(tenant)

    failures, statuses = await asyncio.to_thread(ask_all, url=gateway.url, client=tenant, known=known)

    assert {"accounts", "groups", "posts", "publications", "distributions", "media"} <= known.keys()
    assert failures == {}, "\n\n".join(f"{label}\n{failure}" for label, failure in failures.items())
    assert sum(min(seen) < 300 for seen in statuses.values()) > len(statuses) // 2  # they did not only refuse
