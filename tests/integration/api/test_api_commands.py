"""The commands that make users and import accounts, as a person runs them."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import sys

import pytest
from aiohttp.test_utils import make_mocked_request

from services.api.http import Authenticator, ProblemError

DEADLINE_S = 30
GOOD = "username,instagram_user_id,access_token\ncafe,1001,TOKEN-not-real\n"


async def run(*arguments, environment):
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",
        "-m",
        "deploy.cli.main",
        *arguments,
        env={"PATH": os.environ["PATH"], **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(DEADLINE_S):
        said, complained = await process.communicate()
    return process.returncode, said.decode(), complained.decode()


@pytest.fixture
def environment(settings):
    return {
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "AMQP_URL": "amqp://127.0.0.1:1/",
        "TOKEN_KEYS": f"test:{base64.b64encode(bytes(32)).decode()}",
        "CURSOR_SECRET": "cursor secret of the tests",
        "API_KEY_PEPPER": settings.api_key_pepper.decode(),
    }


async def test_a_user_is_made_with_a_key_that_works(gateway, alice, environment):
    """The printed key opens the API with the scopes that were asked for; the address can be used once."""
    made = await run("users", "create", "new@example.com", "--operator", "--json", environment=environment)
    again = await run("users", "create", "NEW@example.com", environment=environment)
    bad = await run("users", "create", "nobody", environment=environment)

    user = json.loads(made[1])
    assert made[0] == 0
    assert set(user) == {"user_id", "api_key"}
    me = await alice.get("/v1/me", headers={"Authorization": f"Bearer {user['api_key']}"})
    assert me.body == {
        "user_id": user["user_id"],
        "email": "new@example.com",
        "key_id": user["api_key"].split("_")[1],
        "scopes": ["admin", "operator", "read", "write"],
        "account_ids": None,
    }
    assert (again[0], "already" in again[2]) == (1, True)
    assert bad[0] == 2
    [row] = await gateway.rows("SELECT count(*) AS users FROM users")
    assert row["users"] == 2


async def test_a_user_for_people_shows_the_key_once(environment):
    """Without --json the key is shown with the advice to keep it."""
    status, said, _ = await run("users", "create", "new@example.com", environment=environment)

    assert status == 0
    assert "ids_" in said
    assert "cannot be shown again" in said


async def test_wrong_settings_are_all_told_at_once(tmp_path):
    """Without settings the command says which are missing and exits with 2."""
    status, _, complained = await run(
        "users", "create", "new@example.com", environment={"INSTADISTRO_STATE": str(tmp_path), "HOME": str(tmp_path)}
    )

    assert status == 2
    assert all(name in complained for name in ("DATABASE_URL", "API_KEY_PEPPER", "TOKEN_KEYS"))


async def test_accounts_are_imported_from_a_file(gateway, alice, tmp_path):
    """The command tells what was done, and with --dry-run what would be."""
    file = tmp_path / "accounts.csv"
    file.write_text(GOOD)
    by_key = {"INSTADISTRO_API_KEY": alice.api_key}

    dry = await run("accounts", "import", str(file), "--url", gateway.url, "--dry-run", environment=by_key)
    done = await run("accounts", "import", str(file), "--url", gateway.url, environment=by_key)

    assert (dry[0], "would be imported: 1 created" in dry[1]) == (0, True)
    assert (done[0], "were imported: 1 created, 0 updated" in done[1]) == (0, True)
    assert await gateway.count("accounts") == 1


async def test_accounts_are_imported_where_the_gateway_of_this_machine_listens(gateway, alice, tmp_path):
    """Nobody has to name the port of the system that runs here."""
    file = tmp_path / "accounts.csv"
    file.write_text(GOOD)
    port = gateway.url.rpartition(":")[2]
    environment = {"INSTADISTRO_API_KEY": alice.api_key, "DATABASE_URL": "given", "API_PORT": port}

    status, said, _ = await run("accounts", "import", str(file), environment=environment)

    assert (status, "1 created" in said) == (0, True)


async def test_every_bad_row_is_printed(gateway, alice, tmp_path):
    """A refused file ends with status 1 and one line for each fault."""
    file = tmp_path / "accounts.csv"
    file.write_text(f"{GOOD}bad name,1002,T\nbar,x,T\n")

    status, _, complained = await run(
        "accounts", "import", str(file), "--url", gateway.url, "--api-key", alice.api_key, environment={}
    )

    assert status == 1
    assert "line 3, username: " in complained
    assert "line 4, instagram_user_id: " in complained
    assert await gateway.count("accounts") == 0


async def test_a_gateway_that_is_away_is_told_in_one_sentence(tmp_path):
    """No traceback, but the address that did not answer."""
    file = tmp_path / "accounts.csv"
    file.write_text(GOOD)

    status, _, complained = await run(
        "accounts", "import", str(file), "--url", "http://127.0.0.1:1", "--api-key", "x", environment={}
    )

    assert status == 1
    assert "no answer to POST http://127.0.0.1:1/" in complained
    assert "Traceback" not in complained


async def test_a_revoked_key_works_for_five_seconds_at_most(gateway, alice):
    """A key's row is remembered briefly, and asked for again after that."""
    now = 1000.0
    authenticator = Authenticator(gateway.deps.pool, pepper=gateway.deps.settings.api_key_pepper, clock=lambda: now)
    request = make_mocked_request("GET", "/", headers={"Authorization": f"Bearer {alice.api_key}"})

    await authenticator.authenticate(request)
    await gateway.rows("UPDATE api_keys SET revoked_at = now()")
    now = 1004.9
    remembered = await authenticator.authenticate(request)
    now = 1005.1

    assert str(remembered.user_id) == alice.user_id
    with pytest.raises(ProblemError):
        await authenticator.authenticate(request)
