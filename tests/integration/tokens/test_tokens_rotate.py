"""`instadistro tokens rotate`: every stored secret under the first key of the ring."""

import asyncio
import base64
import json
from functools import partial

import pytest
from click.testing import CliRunner
from uuid_utils.compat import uuid7

from deploy.cli.main import cli
from shared.database import create_pool
from shared.security import SealedToken, TokenCipher
from shared.webhooks import PREVIOUS_SECRET_COLUMN, SECRET_COLUMN
from tests.seeds import CIPHER, seed_tenant

OLD, NEW = b"k" * 32, b"n" * 32  # the first is that of the seeds
RING = {"new": NEW, "test": OLD}


class Vault:
    """A tenant's stored secrets, and the command that changes their key."""

    def __init__(self, pool, environment, tenant, proxy_id):
        self.pool, self.environment, self.tenant, self.proxy_id = pool, environment, tenant, proxy_id

    async def rotate(self, *arguments, ring=RING):
        """In this process; answers the exit status and what it reports."""
        keys = ",".join(f"{name}:{base64.b64encode(key).decode()}" for name, key in ring.items())
        environment = {**self.environment, "TOKEN_KEYS": keys}
        run = partial(CliRunner(env=environment).invoke, cli, ["tokens", "rotate", "--json", *arguments])
        result = await asyncio.to_thread(run)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result.exit_code, json.loads(result.stdout)

    async def secrets(self, cipher):
        """Every token and every proxy's credentials, as the cipher reads them."""
        tokens = await self.pool.fetch("SELECT account_id AS id, key_id, sealed FROM account_tokens ORDER BY 1")
        proxies = await self.pool.fetch("SELECT id, key_id, sealed FROM proxies ORDER BY 1")
        columns = ["access_token"] * len(tokens) + ["proxy_credentials"] * len(proxies)
        return [
            cipher.decrypt(
                SealedToken(key_id=row["key_id"], ciphertext=row["sealed"]),
                user_id=self.tenant.user_id,
                row_id=row["id"],
                column=column,
            )
            for row, column in zip([*tokens, *proxies], columns, strict=True)
        ]


@pytest.fixture
async def vault(database_url, redis_url, amqp_url):
    """Three tokens and the credentials of a proxy, all under the key `test`."""
    environment = {
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "AMQP_URL": amqp_url,
        "CURSOR_SECRET": "c" * 32,
        "API_KEY_PEPPER": "p" * 32,
    }
    async with await create_pool(database_url, application_name="test") as pool:
        tenant = await seed_tenant(pool, instagram=[(f"1784140000000000{n}", f"token-number-{n}") for n in range(3)])
        proxy_id = uuid7()
        sealed = CIPHER.encrypt("user:word", user_id=tenant.user_id, row_id=proxy_id, column="proxy_credentials")
        await pool.execute(
            "INSERT INTO proxies (id, user_id, name, scheme, host, port, key_id, sealed)"
            " VALUES ($1, $2, 'p', 'http', 'localhost', 3128, $3, $4)",
            proxy_id,
            tenant.user_id,
            sealed.key_id,
            sealed.ciphertext,
        )
        yield Vault(pool, environment, tenant, proxy_id)


async def test_every_secret_comes_under_the_first_key(vault):
    """Afterwards the new key alone reads all of them, and the old one is told to be of no use any more."""
    before = await vault.secrets(CIPHER)

    status, report = await vault.rotate()

    assert (status, report["rotated"], report["left"]) == (0, 4, 0)
    assert (report["by_key"], report["unused_keys"]) == ({"new": 4}, ["test"])
    assert await vault.secrets(TokenCipher({"new": NEW})) == before


async def test_a_dry_run_changes_nothing(vault):
    """It says how much there is to do."""
    status, report = await vault.rotate("--dry-run")

    assert (status, report["left"], report["by_key"], report["unused_keys"]) == (0, 4, {"test": 4}, [])
    assert len(await vault.secrets(CIPHER)) == 4


async def test_a_rotation_that_was_cut_off_goes_on(vault):
    """Given again, it does what is left and nothing twice."""
    await vault.rotate()
    await vault.pool.execute("UPDATE account_tokens SET key_id = 'test'")  # as if they had not been reached
    await _seal_with_old_key(vault)

    status, report = await vault.rotate()

    assert (status, report["rotated"], report["by_key"]) == (0, 3, {"new": 4})


async def test_a_secret_that_cannot_be_read_stays_as_it_is(vault):
    """The others are rotated; which one it is, and what to do, is told, and the exit status is 1."""
    lost = vault.tenant.account_ids[1]
    await vault.pool.execute("UPDATE account_tokens SET sealed = '\\x00' WHERE account_id = $1", lost)

    status, report = await vault.rotate()

    assert (status, report["rotated"], report["by_key"]) == (1, 3, {"new": 3, "test": 1})
    assert [str(lost) in why for why in report["unreadable"]] == [True]
    assert "connect the account again" in report["unreadable"][0]


async def test_a_key_that_the_ring_lacks_is_told_before_anything_is_done(vault):
    """Whoever takes a key away too early learns it from a dry run."""
    status, report = await vault.rotate("--dry-run", ring={"new": NEW})

    assert status == 1
    assert report["unreadable"] == ["4 are under the key 'test', which TOKEN_KEYS lacks."]


async def test_a_token_that_is_replaced_meanwhile_is_not_overwritten(vault):
    """A row that somebody is writing is left alone; what was written there stands."""
    account_id = vault.tenant.account_ids[0]
    current = TokenCipher(RING)
    sealed = current.encrypt("the-next-token", user_id=vault.tenant.user_id, row_id=account_id, column="access_token")
    async with vault.pool.acquire() as connection, connection.transaction():
        await connection.execute(
            "UPDATE account_tokens SET key_id = $1, sealed = $2 WHERE account_id = $3",
            sealed.key_id,
            sealed.ciphertext,
            account_id,
        )
        status, report = await vault.rotate()

    assert (status, report["rotated"], report["left"]) == (1, 3, 1)
    assert "the-next-token" in await vault.secrets(TokenCipher({"new": NEW}))


async def test_secrets_of_webhooks_are_rotated_too(vault):
    """The one that signs, and the one before it."""
    webhook_id, owner = uuid7(), {"user_id": vault.tenant.user_id}
    columns = (SECRET_COLUMN, PREVIOUS_SECRET_COLUMN)
    sealed = [CIPHER.encrypt(f"a {column}", row_id=webhook_id, column=column, **owner) for column in columns]
    await vault.pool.execute(
        "INSERT INTO webhooks (id, user_id, url, key_id, sealed, previous_key_id, previous_sealed)"
        " VALUES ($1, $2, 'https://example.com/', 'test', $3, 'test', $4)",
        webhook_id,
        vault.tenant.user_id,
        *[one.ciphertext for one in sealed],
    )

    status, report = await vault.rotate()

    row = await vault.pool.fetchrow("SELECT * FROM webhooks")
    stored = [(row["key_id"], row["sealed"]), (row["previous_key_id"], row["previous_sealed"])]
    new = TokenCipher({"new": NEW})
    assert (status, report["rotated"], report["by_key"]) == (0, 6, {"new": 6})
    assert [
        new.decrypt(SealedToken(key_id=key_id, ciphertext=ciphertext), row_id=webhook_id, column=column, **owner)
        for column, (key_id, ciphertext) in zip(columns, stored, strict=True)
    ] == [f"a {column}" for column in columns]


async def _seal_with_old_key(vault):
    for account_id in vault.tenant.account_ids:
        sealed = CIPHER.encrypt("as-before", user_id=vault.tenant.user_id, row_id=account_id, column="access_token")
        await vault.pool.execute(
            "UPDATE account_tokens SET sealed = $1 WHERE account_id = $2", sealed.ciphertext, account_id
        )
