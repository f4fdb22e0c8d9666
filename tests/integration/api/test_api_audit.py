"""The audit log tells who changed what, and never a secret."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest


@pytest.fixture
async def admin(gateway, alice):
    """Alice, whose key may read the audit log."""
    await gateway.rows("UPDATE api_keys SET scopes = '{read,write,admin}'")
    return alice


async def test_a_change_is_told_with_actor_subject_and_request(gateway, admin, bob):
    """The newest first, each with what clients saw; another tenant's changes are not among them."""
    accounts = await admin.add_accounts(1)
    paused = await admin.post(f"/v1/accounts/{accounts[0]}/pause", headers={"X-Request-ID": "request-of-the-pause"})
    await bob.add_accounts(1)

    log = (await admin.get("/v1/audit-log?count=true")).body

    first, second = log["data"]
    [key] = await gateway.rows("SELECT key_id FROM api_keys JOIN users ON users.id = user_id WHERE email LIKE 'alice%'")
    assert (first["action"], first["subject"]) == ("account.paused", {"type": "account", "id": accounts[0]})
    assert (first["actor"], first["request_id"]) == (key["key_id"], "request-of-the-pause")
    assert first["after"] == paused.body
    assert (second["action"], second["after"]) == ("accounts.imported", {"created": 1, "updated": 0, "unchanged": 0})
    assert log["pagination"]["total"] == 2


async def test_changes_are_found_by_subject_and_by_time(admin):
    """What was done to one thing, and when."""
    accounts = await admin.add_accounts(2)
    for account_id in accounts:
        await admin.post(f"/v1/accounts/{account_id}/pause")
    now = datetime.now(UTC)

    async def found(query):
        return [line["subject"]["id"] for line in (await admin.get(f"/v1/audit-log?{query}")).body["data"]]

    assert await found(f"subject_type=account&subject_id={accounts[0]}") == [accounts[0]]
    assert len(await found(f"from={quote((now - timedelta(hours=1)).isoformat())}&limit=100")) == 3
    assert await found(f"to={quote((now - timedelta(hours=1)).isoformat())}") == []


async def test_half_a_subject_and_a_key_without_the_scope_are_refused(gateway, admin):
    """Neither lists more than was meant."""
    half = await admin.get("/v1/audit-log?subject_type=account")
    await gateway.rows("UPDATE api_keys SET scopes = '{read,write}'")
    reader = await gateway.client("reader@example.com")
    await gateway.rows("UPDATE api_keys SET scopes = '{read,write}'")
    without = await reader.get("/v1/audit-log")

    assert (half.status, half.body["errors"][0]["path"]) == (422, "subject_id")
    assert (without.status, without.body["code"]) == (403, "scope_missing")


async def test_no_line_of_the_log_holds_a_secret(gateway, admin):
    """Tokens, keys, passwords and signing secrets are in no `before` and no `after`, whatever was done with them."""

    async def do(method, path, json=None, **headers):
        answer = await admin.call(method, path, json=json, headers=headers)
        assert answer.status in {200, 201, 202, 204}, answer.body
        return answer.body

    row = {"username": "cafe", "instagram_user_id": "7", "access_token": "SECRET-token-1"}
    account = f"/v1/accounts/{(await do('POST', '/v1/accounts', row))['id']}"
    await do("PATCH", account, {"access_token": "SECRET-token-2", "tags": ["a"]})
    await do("POST", "/v1/accounts/import", [{**row, "instagram_user_id": "8"}])
    await do("POST", "/v1/accounts/import", [{**row, "instagram_user_id": "9"}], Prefer="respond-async")
    await do("DELETE", account)
    credentials = {"credentials": {"username": "SECRET-user", "password": "SECRET-password"}}
    proxy = {"name": "office", "scheme": "http", "host": "proxy.example.com", "port": 3128, **credentials}
    proxy_path = f"/v1/proxies/{(await do('POST', '/v1/proxies', proxy))['id']}"
    await do("PATCH", proxy_path, credentials)
    await do("DELETE", proxy_path)
    key = await do("POST", "/v1/api-keys", {"name": "reader", "scopes": ["read"]})
    rotated = await do("POST", f"/v1/api-keys/{key['id']}/rotate", {})
    webhook = await do("POST", "/v1/webhooks", {"url": "https://example.com/hook"})
    another = await do("POST", f"/v1/webhooks/{webhook['id']}/rotate-secret", {})

    secrets = [*(made["key"].rpartition("_")[2] for made in (key, rotated)), webhook["secret"], another["secret"]]
    lines = await gateway.rows("SELECT subject_type, concat(before, after) AS told FROM audit_log")
    changed = {line["subject_type"] for line in lines}
    assert changed >= {"account", "user", "operation", "proxy", "api_key", "webhook"}
    assert [line["told"] for line in lines if any(secret in line["told"] for secret in ("SECRET", *secrets))] == []
