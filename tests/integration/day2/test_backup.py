"""Backup and restore: what is kept and brought back, and what is refused before anything is changed."""

import json
from pathlib import Path

import asyncpg
import pytest

from shared.database import create_pool
from tests.old_rows import fill
from tests.seeds import CIPHER


@pytest.fixture
async def pool(operator):
    """A system with rows in every table, whose tokens can be read, and with two media."""
    await fill(operator.settings.database_url)
    async with await create_pool(operator.settings.database_url, application_name="test") as pool:
        for row in await pool.fetch("SELECT account_id, user_id FROM account_tokens"):
            sealed = CIPHER.encrypt(
                "token-of-it", user_id=row["user_id"], row_id=row["account_id"], column="access_token"
            )
            await pool.execute(
                "UPDATE account_tokens SET sealed = $2 WHERE account_id = $1", row["account_id"], sealed.ciphertext
            )
        for row in await pool.fetch("SELECT id, user_id FROM webhooks"):
            sealed = CIPHER.encrypt("whsec_x", user_id=row["user_id"], row_id=row["id"], column="webhook_secret")
            await pool.execute("UPDATE webhooks SET sealed = $2 WHERE id = $1", row["id"], sealed.ciphertext)
        for row in await pool.fetch("SELECT key FROM media ORDER BY key LIMIT 2"):
            (operator.media / row["key"]).write_bytes(row["key"].encode())
        yield pool


@pytest.fixture
async def backup(operator, pool, tmp_path):
    """Made while the database is in use."""
    directory = tmp_path / "backup"
    status, said = await operator.give("backup", str(directory))
    assert status == 0, said
    await pool.close()
    return directory


@pytest.fixture
def elsewhere(operator, empty_database_url, tmp_path):
    """An operator of a system that is still empty."""
    other = operator.__class__({**operator.environment, "DATABASE_URL": empty_database_url})
    other.environment["MEDIA_STORE"] = str(tmp_path / "other-media")
    return other


async def ask(operator, question, *arguments):
    connection = await asyncpg.connect(operator.environment["DATABASE_URL"])
    try:
        return await connection.fetch(question, *arguments)
    finally:
        await connection.close()


async def test_a_backup_comes_back_on_another_server(backup, elsewhere):
    """Rows and media are there; what waits is looked up first, whatever the gate it waited for."""
    checked = await elsewhere.give("restore", str(backup), "--check")
    status, said = await elsewhere.give("restore", str(backup))

    waiting = await ask(
        elsewhere,
        "SELECT state, step, container_id, reason FROM publications WHERE state IN ('scheduled', 'held', 'publishing')",
    )
    media = {path.name: path.read_text() for path in elsewhere.media.iterdir()}
    assert checked[0] == 0, checked
    assert "is whole" in checked[1]
    assert status == 0, said
    assert {tuple(row) for row in waiting} == {("scheduled", "publish_sent", "", "restored")}
    assert "4 wait, and are looked up at the platform first" in said
    assert len(media) == 2
    assert {path.stat().st_mode & 0o777 for path in elsewhere.media.iterdir()} == {0o644}
    assert {path.stat().st_mode & 0o077 for path in (backup, *backup.rglob("*"))} == {0}
    assert all(name == text for name, text in media.items())
    assert await ask(elsewhere, "SELECT FROM job_starts") == []
    assert await ask(elsewhere, "SELECT FROM outbox WHERE type = 'post:publish' AND due_at > now()") == []
    assert await ask(elsewhere, "SHOW default_transaction_read_only") == [("off",)]


async def test_schedules_that_came_due_are_made_up_for_or_wait_for_a_person(operator, pool, elsewhere, tmp_path):
    """Of a post its publications are made, and looked up; where a queue has moved on, a person says how far."""
    await pool.execute(
        "UPDATE schedules SET made_until = now() - interval '2 days', next_at = now() - interval '1 hour'"
    )
    await pool.execute("UPDATE publications SET state = 'canceled' WHERE state IN ('scheduled', 'held')")
    await operator.give("backup", str(tmp_path / "backup"))

    status, said = await elsewhere.give("restore", str(tmp_path / "backup"))

    made = await ask(elsewhere, "SELECT DISTINCT state, step, reason FROM publications WHERE state = 'scheduled'")
    paused = await ask(
        elsewhere, "SELECT error FROM schedules WHERE post_queue_id IS NOT NULL AND paused_at IS NOT NULL"
    )
    alerts = await ask(elsewhere, "SELECT FROM alerts WHERE code = 'schedule_broken'")
    assert status == 0, said
    assert made == [("scheduled", "publish_sent", "restored")]
    assert len(paused) == len(alerts) == 2
    assert "Take out what is live, then resume." in paused[0]["error"]


async def test_events_of_another_server_are_numbered_so_that_all_are_read_once(operator, pool, elsewhere, tmp_path):
    """What a webhook had read stays read, what it had not is read; what happens from now on comes after it."""
    await pool.execute("UPDATE events SET tx = (9000000000000 + seq)::text::xid8")
    await pool.execute(
        """
        UPDATE webhooks
        SET position_tx = (SELECT min(tx::text::bigint) FROM events)::text::xid8,
            position_seq = (SELECT min(seq) FROM events)
        """
    )
    behind = (
        "SELECT (SELECT count(*) FROM events WHERE (tx, seq) > (position_tx, position_seq) AND user_id = w.user_id)"
    )
    unread = f"{behind} AS number FROM webhooks AS w ORDER BY id"
    before = [row["number"] for row in await pool.fetch(unread)]
    await operator.give("backup", str(tmp_path / "backup"))

    status, said = await elsewhere.give("restore", str(tmp_path / "backup"))

    ahead = await ask(elsewhere, "SELECT FROM events WHERE tx >= pg_snapshot_xmin(pg_current_snapshot())")
    assert status == 0, said
    assert "numbered anew" in said
    assert ahead == []
    assert [row["number"] for row in await ask(elsewhere, unread)] == before
    assert sorted(before) == [0, 1]


def spoil(directory, name, change):
    path = Path(directory) / name
    path.write_bytes(change(path.read_bytes()))


def unknown_migration(text):
    manifest = json.loads(text)
    return json.dumps({**manifest, "migrations": {**manifest["migrations"], "9999_later.sql": "x"}}).encode()


@pytest.mark.parametrize(
    ("spoiled", "settings", "says"),
    [
        (("database.dump", lambda dump: dump[:-1]), {}, "database.dump is missing or damaged"),
        (("media.sha256", lambda text: text[64:]), {}, "media.sha256 is missing or damaged"),
        (
            ("manifest.json", unknown_migration),
            {},
            "with the migration 9999_later.sql, which this version does not know",
        ),
        (("manifest.json", lambda text: text[:-9]), {}, "manifest.json is damaged"),
        (None, {"TOKEN_KEYS": f"test:{'A' * 43}="}, "TOKEN_KEYS holds another key under the name 'test'"),
        (None, {"TOKEN_KEYS": f"new:{'A' * 43}="}, "TOKEN_KEYS lacks the key 'test', under which 8 secrets are stored"),
        (None, {"API_KEY_PEPPER": "q" * 64}, "API_KEY_PEPPER is another one: no API key would work any more"),
        (None, {"MEDIA_STORE": "s3://bucket/media"}, "MEDIA_STORE says otherwise"),
    ],
    ids=["cut", "list", "newer", "manifest", "wrong key", "no key", "pepper", "store"],
)
async def test_what_does_not_fit_is_refused_and_nothing_is_changed(backup, elsewhere, spoiled, settings, says):
    """One sentence says what is wrong, and the database is as it was."""
    if spoiled is not None:
        spoil(backup, *spoiled)

    status, said = await elsewhere.give("restore", str(backup), **settings)

    assert status == 1
    assert says in said
    assert await ask(elsewhere, "SELECT to_regclass('users') AS users") == [(None,)]


async def test_a_database_in_use_is_replaced_only_if_that_is_said(backup, operator):
    """And never while a service is connected."""
    await ask(operator, "SELECT 1")
    refused = await operator.give("restore", str(backup))
    service = await create_pool(operator.environment["DATABASE_URL"], application_name="publisher")
    in_use = await operator.give("restore", str(backup), "--replace")
    await service.close()
    replaced = await operator.give("restore", str(backup), "--replace")

    assert refused[0] == in_use[0] == 1
    assert "it has 2 users. With --replace" in refused[1]
    assert "Others are connected to the database: instadistro-publisher" in in_use[1]
    assert replaced[0] == 0, replaced
    assert [row["email"] for row in await ask(operator, "SELECT email FROM users ORDER BY email")] == [
        "1@example.com",
        "2@example.com",
    ]


async def test_a_restore_that_was_cut_off_leaves_a_database_that_nobody_publishes_from(backup, elsewhere, tmp_path):
    """It takes no writes and gives no backup until a restore was completed."""
    (tmp_path / "file").touch()

    cut_off = await elsewhere.give("restore", str(backup), MEDIA_STORE=str(tmp_path / "file" / "media"))
    with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
        await ask(elsewhere, "UPDATE publications SET updated_at = now()")
    half = await elsewhere.give("backup", str(tmp_path / "half"))
    again = await elsewhere.give("restore", str(backup), "--replace")

    assert cut_off[0] == 1
    assert "cannot be written to" in cut_off[1]
    assert half[0] == 1
    assert "A restore into this database was cut off" in half[1]
    assert again[0] == 0, again
    await ask(elsewhere, "UPDATE publications SET updated_at = now()")


@pytest.mark.usefixtures("pool")
async def test_a_backup_is_whole_or_not_there(operator, tmp_path):
    """Neither over another one, nor where nobody can write; what was begun is gone."""
    (tmp_path / "there").mkdir()

    over = await operator.give("backup", str(tmp_path / "there"))
    nowhere = await operator.give("backup", str(tmp_path / "missing" / "backup"))
    secrets = await operator.give("backup", str(tmp_path / "backup"), "--with-secrets")
    without = await operator.give("backup", str(tmp_path / "backup"), PATH="/nowhere", TOKEN_KEYS="")

    assert [over[0], nowhere[0], secrets[0], without[0]] == [1, 1, 1, 2]
    assert "is there already" in over[1]
    assert "cannot be written to" in nowhere[1]
    assert "Only a private system's secrets can be kept" in secrets[1]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["media", "there"]
